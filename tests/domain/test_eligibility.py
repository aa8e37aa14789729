"""Whether what caused an intent still holds, on what is confirmed and on what is provisional."""

from typing import Any

import pytest

from functions.domain import playbook as pb
from functions.domain.compiled import Compiled
from functions.domain.eligibility import Eligibility, eligibility
from functions.domain.events import Event
from functions.domain.profiles import fold_all
from tests.domain.strategies import (
    DICTIONARY,
    HAS_BOUGHT,
    NOON,
    compiled,
    event,
    intent,
    scenario,
    segment,
    send,
)

YES = Eligibility(eligible=True, confirmed=True)
NOT_CONFIRMED = Eligibility(eligible=True, confirmed=False)
NO = Eligibility(eligible=False, confirmed=False)


def of(current: Compiled, events: list[Event], **source: Any) -> Eligibility:
    return eligibility(intent(**source), fold_all(events, DICTIONARY), current, NOON)


def of_journey(*events: Event, **ends: Any) -> Eligibility:
    return of(compiled(scenarios={"cart": scenario(send(), **ends)}), list(events))


def test_an_intent_holds_while_the_journey_would_go_on() -> None:
    assert of_journey(event("visit"), exit=HAS_BOUGHT, goal=HAS_BOUGHT) == YES
    assert of_journey(event()) == YES


@pytest.mark.parametrize("end", ["exit", "goal"])
def test_who_bought_meanwhile_is_not_reminded(end: str) -> None:
    assert not of_journey(event(), **{end: HAS_BOUGHT}).eligible


def test_a_purchase_that_is_still_provisional_leaves_the_intent_unconfirmed_through_the_exit() -> None:
    assert of_journey(event(status="provisional"), exit=HAS_BOUGHT) == NOT_CONFIRMED


def test_a_goal_is_reached_by_what_is_confirmed_alone() -> None:
    assert of_journey(event(status="provisional"), goal=HAS_BOUGHT) == YES


def test_a_provisional_event_that_ends_nothing_changes_nothing() -> None:
    assert of_journey(event("visit", status="provisional"), exit=HAS_BOUGHT) == YES


CAMPAIGNS = compiled(
    segments={"no_buyers": segment(["not", HAS_BOUGHT]), "buyers": segment(HAS_BOUGHT)},
    campaigns={name: pb.Campaign(name, "promotion", 50, 86_400, "crm") for name in ("no_buyers", "buyers")},
)


@pytest.mark.parametrize(
    ("campaign", "events", "found"),
    [
        ("no_buyers", [], YES),
        ("no_buyers", [event()], NO),
        ("no_buyers", [event(status="provisional")], NOT_CONFIRMED),
        ("buyers", [event(status="provisional")], NO),
        ("buyers", [event()], YES),
        ("buyers", [event(), event(event_id="e2", status="provisional")], YES),
    ],
)
def test_a_campaign_is_for_who_is_still_in_its_segment(
    campaign: str, events: list[Event], found: Eligibility
) -> None:
    assert of(CAMPAIGNS, events, scenario="", campaign=campaign) == found
