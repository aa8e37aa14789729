"""Quiet hours, and what replaces what."""

from typing import Any

import msgspec
import pytest

from functions.domain.claims import Allow, closed
from functions.domain.gate import Hold, merged
from functions.domain.verdicts import Ended, Wait
from tests.domain.strategies import HOUR, NOON, intent, linked_gate
from tests.domain.verdicts import CONTENT, NIGHT, claimed, decided, held, local, rules, suppressed, verdict


@pytest.mark.parametrize(
    ("zone", "now", "until"),
    [
        ("Asia/Tokyo", "2026-11-20T21:00", "2026-11-21T07:00"),
        ("Asia/Tokyo", "2026-11-21T00:00", "2026-11-21T07:00"),
        ("Asia/Tokyo", "2026-11-21T06:59:59", "2026-11-21T07:00"),
        ("Europe/Berlin", "2026-03-28T22:00", "2026-03-29T07:00"),  # the night is an hour short
        ("Europe/Berlin", "2026-10-24T22:00", "2026-10-25T07:00"),  # and an hour long
        ("America/New_York", "2026-03-07T23:30", "2026-03-08T07:00"),
        ("America/New_York", "2026-11-01T00:30", "2026-11-01T07:00"),
    ],
)
def test_in_quiet_hours_a_message_waits_for_the_local_morning(zone: str, now: str, until: str) -> None:
    at = local(now, zone)
    waits = verdict(intent(made_at=at), by=rules(quiet_hours=NIGHT), now=at, zone=zone)
    assert waits == Wait(local(until, zone), "quiet_hours")


@pytest.mark.parametrize("now", ["2026-11-20T20:59:59", "2026-11-20T07:00", "2026-11-20T12:00"])
def test_outside_quiet_hours_nothing_waits(now: str) -> None:
    at = local(now)
    assert isinstance(verdict(intent(made_at=at), by=rules(quiet_hours=NIGHT), now=at), Allow)


def test_quiet_hours_are_for_the_kinds_that_they_name() -> None:
    at = local("2026-11-20T23:00")
    assert isinstance(verdict(intent(kind="support", made_at=at), by=rules(quiet_hours=NIGHT), now=at), Allow)


def test_what_expires_before_the_morning_is_suppressed() -> None:
    at = local("2026-11-20T23:00")
    assert verdict(intent(made_at=at, expires=8 * HOUR), by=rules(quiet_hours=NIGHT), now=at) == suppressed(
        "quiet_hours"
    )


def test_a_promotion_held_over_night_goes_in_the_morning() -> None:
    by, at = rules(quiet_hours=NIGHT), local("2026-11-20T22:00")
    one = intent(made_at=at)
    night = decided(one, by=by, now=at)
    assert isinstance(night.verdict, Wait)
    assert night.gate.holds == [
        Hold(one.send_id, "promotion", 10, night.verdict.until, "cart/1", at, "quiet_hours")
    ]
    morning = decided(one, night.gate, by, night.verdict.until)
    assert isinstance(morning.verdict, Allow)
    assert morning.gate.holds == []


@pytest.mark.parametrize("earlier_first", [True, False])
def test_of_two_steps_held_over_night_the_later_goes_alone(earlier_first: bool) -> None:
    by, at = rules(quiet_hours=NIGHT), local("2026-11-20T22:00")
    earlier, later = intent(step="one", made_at=at), intent(step="two", made_at=at + HOUR)
    gate = decided(later, decided(earlier, by=by, now=at).gate, by, at + HOUR).gate
    morning = local("2026-11-21T07:00")
    answers = {}
    for one in (earlier, later) if earlier_first else (later, earlier):
        decision = decided(one, gate, by, morning)
        answers[one.step], gate = decision.verdict, decision.gate
    assert answers["one"] == suppressed("outranked")
    assert isinstance(answers["two"], Allow)


def test_a_later_step_of_the_same_passage_replaces_an_earlier() -> None:
    gate = claimed(intent(step="two", made_at=NOON + HOUR))
    assert verdict(intent(step="one"), gate, now=NOON + HOUR) == suppressed("outranked")


def test_a_later_step_that_may_have_arrived_replaces_an_earlier() -> None:
    later = intent(step="two", made_at=NOON + HOUR)
    gate = closed(claimed(later), later, CONTENT, Ended("unknown", "timed out"), NOON)
    assert verdict(intent(step="one"), gate, now=NOON + HOUR) == suppressed("outranked")


def test_a_later_step_that_failed_replaces_nothing() -> None:
    later = intent(step="two", made_at=NOON + HOUR)
    gate = closed(claimed(later), later, CONTENT, Ended("failed", "no such user"), NOON)
    assert isinstance(verdict(intent(step="one"), gate, now=NOON + HOUR), Allow)


def test_what_another_passage_holds_or_said_later_replaces_nothing() -> None:
    holding = linked_gate(holds=[held(NOON + 2 * HOUR, 50, made_at=NOON + HOUR)])
    assert isinstance(verdict(intent(step="one"), holding, now=NOON + HOUR), Allow)
    said = claimed(intent("other", step="two", made_at=NOON + HOUR))
    assert isinstance(verdict(intent(step="one"), said, now=NOON + HOUR), Allow)


def test_an_earlier_step_replaces_nothing() -> None:
    assert isinstance(
        verdict(intent(step="two", made_at=NOON + HOUR), claimed(intent(step="one")), now=NOON + HOUR), Allow
    )


def test_two_messages_made_at_one_instant_both_go() -> None:
    assert isinstance(verdict(intent(step="two"), claimed(intent(step="one"))), Allow)


@pytest.mark.parametrize("other", [{"source": "another"}, {"occurrence": "2"}], ids=str)
def test_another_passage_replaces_nothing(other: dict[str, Any]) -> None:
    gate = claimed(intent(step="two", made_at=NOON + HOUR, **other))
    assert isinstance(verdict(intent(step="one"), gate, now=NOON + HOUR), Allow)


def test_the_same_step_that_was_claimed_before_linking_is_not_sent_again() -> None:
    friends = msgspec.structs.replace(intent(), send_id="the friend's")
    both = merged(linked_gate(), claimed(friends))
    assert verdict(intent(), both) == suppressed("outranked")


def test_the_same_step_for_another_line_user_is_another_message() -> None:
    friends = msgspec.structs.replace(intent(line_user_id="U2"), send_id="the friend's")
    both = merged(linked_gate(), claimed(friends, linked_gate("U2")))
    assert isinstance(verdict(intent(), both), Allow)
