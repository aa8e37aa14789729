"""Context facts: what holds now, what is over, and what fills a message's slots."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.compiled import Compiled
from functions.domain.context import Context, Fact, fact_value, with_facts, without_fact
from functions.domain.events import Scalar
from functions.domain.intents import frozen_values
from functions.domain.playbook import Message, Slot
from functions.domain.profiles import Profile, Register
from tests.fakes.playbooks import playbook

NOW = dt.datetime(2026, 11, 22, 3, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
MICRO = dt.timedelta(microseconds=1)
FACTS: Context = {
    "weather": {"tokyo": Fact("rain", NOW, NOW + HOUR), "12": Fact("snow", NOW)},
    "ranking_1": {"skincare": Fact("化粧水", NOW), "": Fact("定番", NOW)},
}


def test_a_fact_holds_from_its_beginning_up_to_but_not_at_its_end() -> None:
    said = [
        fact_value(FACTS, "weather", "tokyo", at) for at in (NOW - MICRO, NOW, NOW + HOUR - MICRO, NOW + HOUR)
    ]
    assert said == [None, "rain", "rain", None]


def test_nobody_said_is_none() -> None:
    assert fact_value(FACTS, "weather", "osaka", NOW) is None
    assert fact_value(FACTS, "crowd", "", NOW) is None


def test_a_new_fact_takes_the_place_of_the_old_and_what_is_over_goes() -> None:
    later = NOW + 2 * HOUR
    new = with_facts(FACTS, [("weather", "12", Fact("sun", later))], later)
    assert new == {"weather": {"12": Fact("sun", later)}, "ranking_1": FACTS["ranking_1"]}


def test_a_fact_taken_out_leaves_the_others_and_no_empty_name() -> None:
    assert without_fact(FACTS, "weather", "12", NOW) == {
        "weather": {"tokyo": FACTS["weather"]["tokyo"]},
        "ranking_1": FACTS["ranking_1"],
    }
    assert "weather" not in without_fact(FACTS, "weather", "12", NOW + HOUR)


_names = st.sampled_from(["a", "b"])


@given(
    st.lists(st.tuples(_names, _names, st.integers(0, 3)), max_size=8),
    st.lists(st.tuples(_names, _names, st.integers(0, 3)), max_size=8),
    st.integers(0, 3),
)
def test_changing_the_facts_never_changes_what_the_others_say(
    first: list[tuple[str, str, int]], second: list[tuple[str, str, int]], at: int
) -> None:
    def facts(said: list[tuple[str, str, int]]) -> list[tuple[str, str, Fact]]:
        return [(name, key, Fact(hours, NOW, NOW + hours * HOUR)) for name, key, hours in said]

    now = NOW + at * HOUR
    before = with_facts({}, facts(first), NOW)
    after = with_facts(before, facts(second), now)
    newest = {(name, key): hours for name, key, hours in second}
    for name in "ab":
        for key in "ab":
            hours = newest.get((name, key))
            expected = fact_value(before, name, key, now) if hours is None else hours if at < hours else None
            assert fact_value(after, name, key, now) == expected


def profile(**attributes: Scalar) -> Profile:
    return Profile({name: Register(value, NOW, "e") for name, value in attributes.items()})


def filled(slot: Slot, of: Profile, now: dt.datetime = NOW) -> object:
    message = Message("support", "h", [], {"x": "fallback"}, slots={"x": slot})
    return frozen_values(message, of, FACTS, now)["x"]


@pytest.mark.parametrize(
    ("slot", "of", "value"),
    [
        (Slot("weather", key="tokyo"), profile(), "rain"),
        (Slot("ranking_1"), profile(), "定番"),
        (Slot("ranking_1", by="favourite"), profile(favourite="skincare"), "化粧水"),
        (Slot("ranking_1", by="favourite"), profile(favourite="hair"), "fallback"),
        (Slot("ranking_1", by="favourite"), profile(), "fallback"),
        (Slot("weather", by="area"), profile(area=12), "fallback"),
        (Slot("weather", key="osaka"), profile(), "fallback"),
        (Slot("weather", key="osaka"), profile(x="an attribute of the slot's name"), "fallback"),
    ],
)
def test_a_slot_says_what_the_fact_under_its_key_says_else_the_fallback(
    slot: Slot, of: Profile, value: str
) -> None:
    assert filled(slot, of) == value


def test_a_slot_whose_fact_is_over_falls_back() -> None:
    assert filled(Slot("weather", key="tokyo"), profile(), NOW + HOUR) == "fallback"


def test_a_variable_without_a_slot_is_the_customers_attribute() -> None:
    message = Message("support", "h", [], {"name": "お客", "rank": "—"})
    assert frozen_values(message, profile(name="山田"), FACTS, NOW) == {"name": "山田", "rank": "—"}


def test_what_reads_a_fact_is_compiled_anew_with_the_new_facts_and_nothing_else_is() -> None:
    before = Compiled(playbook(segments={"rainy": 'context("weather", "tokyo") == "rain"'}))
    rainy, buyers = (before.playbook.segments[name].when for name in ("rainy", "buyers"))
    assert (before.holds(rainy, profile(), NOW), before.holds(buyers, profile(), NOW)) == (False, False)
    after = before.with_context(FACTS)
    assert (after.holds(rainy, profile(), NOW), before.holds(rainy, profile(), NOW)) == (True, False)
    assert after.predicate(buyers) is before.predicate(buyers)
