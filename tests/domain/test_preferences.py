"""What people choose for themselves: words in the chat, topics and hours."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.claims import Allow
from functions.domain.events import BUILT_IN, Event
from functions.domain.playbook import Preferences
from functions.domain.preferences import (
    Choice,
    choice_of,
    chosen_hours,
    events_of,
    said_in_chat,
)
from functions.domain.profiles import Profile, fold_all
from functions.domain.quiet_hours import ChosenHours
from functions.domain.registers import ConsentRegister, Register
from functions.domain.verdicts import Wait
from tests.domain.strategies import NOON, intent
from tests.domain.verdicts import NIGHT, local, rules, verdict

WORDS = Preferences(stop_words=["配信停止", "STOP"], resume_words=["配信再開"])
EVENING = ChosenHours(dt.time(19), dt.time(21))


def message(text: object) -> Event:
    raw = {"type": "message", "message": {"type": "text", "text": text}}
    return Event("line:1", "c1", "line_message", NOON, source="line", properties={"raw": raw})


@pytest.mark.parametrize("text", ["配信停止", " 配信停止\n", "stop", "ＳＴＯＰ", "Stop"])
def test_a_word_that_stops_withdraws_from_promotions(text: str) -> None:
    assert said_in_chat(message(text), WORDS) == [
        Event("line:1:consent_withdrawn", "c1", "consent_withdrawn", NOON, source="chat", properties={"purpose": "promotion"})
    ]  # fmt: skip


def test_a_word_that_resumes_gives_back_what_the_other_took() -> None:
    (event,) = said_in_chat(message("配信再開"), Preferences(["x"], ["配信再開"], "all"))
    assert (event.name, event.properties) == ("consent_given", {"purpose": "all"})


@pytest.mark.parametrize(
    "text", ["配信停止しないで", "どうすれば配信停止になりますか", "", " ", None, 7, ["stop"]]
)
def test_what_only_contains_the_word_or_is_no_text_says_nothing(text: object) -> None:
    assert said_in_chat(message(text), WORDS) == []


@given(st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_whatever_line_sends_it_is_read(raw: Any) -> None:
    event = Event("line:1", "c1", "line_message", NOON, properties={"raw": raw})
    assert said_in_chat(event, WORDS) == []


def test_who_writes_an_empty_word_into_a_playbook_stops_nobody() -> None:
    assert said_in_chat(message("  "), Preferences(stop_words=[" "])) == []


# --- hours


def profile(**attributes: object) -> Profile:
    return Profile(attributes={name: Register(value, NOON, "e") for name, value in attributes.items()})


def test_hours_are_read_from_attributes() -> None:
    assert chosen_hours(profile(receive_from="19:00", receive_to="21:00")) == EVENING


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"receive_from": "19:00"},
        {"receive_from": "19:00", "receive_to": "19:00"},
        {"receive_from": "25:00", "receive_to": "21:00"},
        {"receive_from": 19, "receive_to": 21},
        {"receive_from": None, "receive_to": None},
    ],
)
def test_what_makes_no_window_is_no_choice(attributes: dict[str, object]) -> None:
    assert chosen_hours(profile(**attributes)) is None


def test_a_promotion_waits_for_the_hours_that_somebody_has_chosen() -> None:
    at = local("2026-11-20T12:00")
    waits = verdict(intent(made_at=at), now=at, chosen_hours=EVENING)
    assert waits == Wait(local("2026-11-20T19:00"), "quiet_hours")
    assert isinstance(verdict(intent(made_at=at), now=local("2026-11-20T19:00"), chosen_hours=EVENING), Allow)


def test_a_notification_does_not_wait_for_chosen_hours() -> None:
    at = local("2026-11-20T12:00")
    assert isinstance(verdict(intent(made_at=at, kind="notification"), now=at, chosen_hours=EVENING), Allow)


def test_within_chosen_hours_the_accounts_night_still_counts() -> None:
    at = local("2026-11-20T22:00")
    late = ChosenHours(dt.time(20), dt.time(23))
    waits = verdict(intent(made_at=at), by=rules(quiet_hours=NIGHT), now=at, chosen_hours=late)
    assert waits == Wait(local("2026-11-21T07:00"), "quiet_hours")


# --- the page

choices = st.builds(
    Choice,
    topics=st.fixed_dictionaries({"coupon": st.booleans(), "promotion": st.booleans()}),
    everything=st.booleans(),
    hours=st.none() | st.just(EVENING) | st.just(ChosenHours(dt.time(7), dt.time(9))),
)


@given(st.lists(choices, max_size=5))
def test_what_somebody_chose_last_is_what_the_profile_says(made: list[Choice]) -> None:
    events: list[Event] = []
    found = choice_of(Profile(), ["coupon", "promotion"])
    for number, choice in enumerate(made):
        at = NOON + dt.timedelta(minutes=number)
        events += events_of(choice, found, "c1", "U1", f"form-{number}", at)
        found = choice_of(fold_all(events, BUILT_IN), ["coupon", "promotion"])
        assert found == choice


@given(choices)
def test_choosing_what_is_chosen_already_says_nothing(choice: Choice) -> None:
    assert events_of(choice, choice, "c1", "U1", "form", NOON) == []


def test_consent_keeps_its_version_its_time_and_its_source() -> None:
    events = [
        Event("e1", "c1", "consent_given", NOON, source="shop", properties={"purpose": "marketing", "version": "2026-04"}),
        Event("e2", "c1", "line_linked", NOON, source="link", properties={"line_user_id": "U1", "consent": ["news"], "consent_version": "7"}),
    ]  # fmt: skip
    assert fold_all(events, BUILT_IN).consent == {
        "marketing": ConsentRegister(True, NOON, "e1", "2026-04", "shop"),
        "news": ConsentRegister(True, NOON, "e2", "7", "link"),
    }
