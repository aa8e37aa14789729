"""Answers to surveys: the same taps give the same profile, and nothing but what was offered changes anything."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.events import BUILT_IN, Event
from functions.domain.profiles import Profile, fold, fold_all, profile_union
from functions.domain.surveys import (
    CLEAR,
    DONE,
    SKIP,
    Answer,
    answer_in,
    data_of,
    events_of,
    is_shaped,
    question_of,
)
from tests.domain.strategies import NOON
from tests.fakes.surveys import SURVEY

OFFERED = [
    *(("style", value) for value in ("dry", "oily", "none", SKIP)),
    *(("items", value) for value in ("toner", "cream", DONE, CLEAR)),
    ("words", "because"),
    ("words", "no reason"),
    ("day", "2026-05-04"),
    ("day", "2026-06-05"),
]


def tapped(number: int, question: str, value: str, minutes: int = 0) -> list[Event]:
    line = Event(
        f"line:{number:03}", "c1", "line_postback", NOON + dt.timedelta(minutes=minutes), source="line"
    )
    answer = Answer("welcome", SURVEY.hash, question, value)
    return events_of(answer, question_of(SURVEY, answer), line)


def profile(*taps: tuple[str, str]) -> Profile:
    """The profile after these taps, a minute apart."""
    events = [event for number, tap in enumerate(taps) for event in tapped(number, *tap, minutes=number)]
    return fold_all(events, BUILT_IN)


@st.composite
def told(draw: st.DrawFn) -> list[list[Event]]:
    taps = draw(st.lists(st.tuples(st.sampled_from(OFFERED), st.integers(0, 3)), min_size=1, max_size=8))
    return [tapped(number, *tap, minutes=minutes) for number, (tap, minutes) in enumerate(taps)]


@given(told(), st.data())
def test_answers_give_the_same_profile_in_any_order_and_however_often(
    answers: list[list[Event]], data: st.DataObject
) -> None:
    events = [event for answer in answers for event in answer]
    arrived = data.draw(st.permutations([*events, *data.draw(st.lists(st.sampled_from(events), max_size=5))]))
    one_by_one, known = Profile(), set[str]()
    for event in arrived:
        if event.identity not in known:
            one_by_one = fold(one_by_one, event, BUILT_IN)
        known.add(event.identity)
    assert one_by_one == fold_all(arrived, BUILT_IN) == fold_all(events, BUILT_IN)


@given(told())
def test_the_latest_answer_to_a_question_is_the_one_that_is_known(answers: list[list[Event]]) -> None:
    said = [
        (events[0].occurred_at, events[0].event_id, events[0].properties["value"])
        for events in answers
        if events[0].properties["question"] == "style" and events[0].properties["value"] != SKIP
    ]
    known = fold_all([event for answer in answers for event in answer], BUILT_IN)
    latest = max(said)[-1] if said else None
    assert known.attribute("style") == latest
    assert [tag for tag in known.tag_names if tag != "toner"] == (
        [latest] if latest in ("dry", "oily") else []
    )


def test_a_single_choice_sets_its_attribute_and_its_tag_and_marks_the_question() -> None:
    known = profile(("style", "dry"))
    assert (known.attribute("style"), known.attribute("welcome_style_answered")) == ("dry", True)
    assert known.tag_names == ["dry"]
    assert known.tallies["survey_answered"].count == 1


def test_another_choice_takes_the_tag_of_the_first_away() -> None:
    assert profile(("style", "dry"), ("style", "oily")).tag_names == ["oily"]
    assert profile(("style", "dry"), ("style", "none")).tag_names == []


def test_to_skip_is_an_answer_that_takes_nothing_back() -> None:
    known = profile(("style", "dry"), ("style", SKIP))
    assert (known.attribute("style"), known.tag_names) == ("dry", ["dry"])
    assert profile(("style", SKIP)).attribute("welcome_style_answered") is True
    assert profile(("style", SKIP)).attribute("style") is None


def test_several_answers_are_kept_side_by_side_until_one_has_chosen() -> None:
    known = profile(("items", "toner"), ("items", "cream"))
    assert (known.attribute("welcome_items_toner"), known.attribute("welcome_items_cream")) == (True, True)
    assert known.attribute("welcome_items_answered") is None
    assert profile(("items", "toner"), ("items", DONE)).attribute("welcome_items_answered") is True


def test_choosing_anew_takes_the_choice_back() -> None:
    known = profile(("items", "toner"), ("items", CLEAR), ("items", "cream"))
    assert (known.attribute("welcome_items_toner"), known.attribute("welcome_items_cream")) == (False, True)
    assert known.tag_names == []


def test_words_and_days_are_kept_as_they_are_said() -> None:
    known = profile(("words", "a ~ b"), ("day", "2026-05-04"))
    assert (known.attribute("welcome_words"), known.attribute("since")) == ("a ~ b", "2026-05-04")


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("style", "sticky"),
        ("style", ""),
        ("style", DONE),
        ("items", "dry"),
        ("items", SKIP),
        ("words", ""),
        ("words", "x" * 501),
        ("day", "yesterday"),
        ("day", SKIP),
        ("thanks", "dry"),
    ],
)
def test_what_was_not_offered_is_no_answer(question: str, value: str) -> None:
    assert question_of(SURVEY, Answer("welcome", SURVEY.hash, question, value)) is None


def test_an_answer_that_nobody_asks_for_any_more_is_kept_and_changes_nothing() -> None:
    line = Event("line:1", "c1", "line_postback", NOON, source="line")
    (kept,) = events_of(Answer("welcome", "00000000", "gone", "yes"), None, line)
    assert (kept.name, kept.event_id, kept.properties["question"]) == (
        "survey_answered",
        "line:1:answer",
        "gone",
    )


@given(st.sampled_from(OFFERED))
def test_postback_data_says_what_it_was_made_of(offered: tuple[str, str]) -> None:
    answer = Answer("welcome", SURVEY.hash, *offered)
    assert answer_in({"data": data_of(answer)}) == answer
    assert is_shaped(answer)


def test_a_date_comes_beside_the_data() -> None:
    data = f"survey=welcome&v={SURVEY.hash}&q=day"
    assert answer_in({"data": data, "params": {"date": "2026-05-04"}}) == Answer(
        "welcome", SURVEY.hash, "day", "2026-05-04"
    )


@pytest.mark.parametrize(
    "data",
    [
        None,
        7,
        "",
        "action=buy",
        "survey=welcome",
        "survey=a&survey=b&v=1&q=2",
        "survey=a&v=1&q=2&a=3&customer_id=c2",
        "survey",
    ],
)
def test_a_tap_on_anything_else_is_no_answer(data: Any) -> None:
    assert answer_in({"data": data}) is None


@given(st.text())
def test_no_data_breaks_the_reading(data: str) -> None:
    answer = answer_in({"data": f"survey={data}", "params": [data]})
    assert answer is None or isinstance(is_shaped(answer), bool)


# --- where somebody came from


def inflow(number: int, source: str, minutes: int) -> Event:
    at = NOON + dt.timedelta(minutes=minutes)
    return Event(f"inflow:{number}", "c1", "inflow", at, properties={"source": source})


@st.composite
def inflows(draw: st.DrawFn) -> list[Event]:
    drawn = draw(
        st.lists(st.tuples(st.sampled_from(["qr", "ad", "shop"]), st.integers(0, 3)), min_size=1, max_size=6)
    )
    events = [inflow(number, *one) for number, one in enumerate(drawn)]
    at = NOON + dt.timedelta(minutes=draw(st.integers(0, 3)))
    said = Event("crm:1", "c1", "profile_updated", at, properties={"inflow_source": "crm"})
    return [*events, said] if draw(st.booleans()) else events


@given(inflows(), st.data())
def test_the_first_source_wins_in_any_order_and_across_a_merge(
    events: list[Event], data: st.DataObject
) -> None:
    first = min(events, key=lambda event: (event.occurred_at, event.event_id))
    expected = first.properties.get("source") or first.properties.get("inflow_source")
    arrived = data.draw(st.permutations(events))
    cut = data.draw(st.integers(0, len(events)))
    assert fold_all(arrived, BUILT_IN).attribute("inflow_source") == expected
    halves = fold_all(arrived[:cut], BUILT_IN), fold_all(arrived[cut:], BUILT_IN)
    assert profile_union(*halves) == fold_all(arrived, BUILT_IN)


def test_every_source_is_counted() -> None:
    known = fold_all([inflow(1, "qr", 0), inflow(2, "ad", 1)], BUILT_IN)
    assert known.tallies["inflow"].count == 2
