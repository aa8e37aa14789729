"""The walk: splits, settings, menus and waits for a condition, each told with its own instant."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain import playbook as pb
from functions.domain.arbitration import Upcoming
from functions.domain.instants import Instant
from functions.domain.journeys import upcoming
from functions.domain.walk import (
    Answers,
    Emission,
    Exposure,
    Moved,
    Setting,
    Showing,
    advance,
    heard,
)
from tests.domain.strategies import ALWAYS, DAY, HOUR, NEVER, NOON, SECOND, event, scenario, send, step_lists
from tests.domain.test_journeys import FAR, MESSAGES, TOKYO, answering, done_at, journey, run


def from_instant(at: Instant) -> pb.Expression:
    return ["at", at]


def until(when: pb.Expression, hours: int = 24) -> list[pb.Step]:
    """Wait for the condition; on to "held", or to "timed out"."""
    return [
        pb.WaitUntil(when, hours * 3600, 1, 3),
        send("held"),
        pb.End(),
        send("timed out"),
    ]


# ---- it ends


@given(step_lists(), st.integers(0, 400 * 24 * 60))
def test_no_look_does_more_than_one_thing_a_step(steps: list[pb.Step], minutes: int) -> None:
    """Every jump leads ahead: one look takes at most as many steps as there are, and stops at a wait or at the end."""
    moved = run(steps, NOON + dt.timedelta(minutes=minutes))
    assert len(moved.done) <= len(steps)
    numbers = [deed.number for deed in moved.done if isinstance(deed, Setting | Showing)]
    assert numbers == sorted(set(numbers))
    if moved.journey.active:
        assert isinstance(steps[moved.journey.at], pb.Wait)
        assert moved.journey.due is not None


# ---- settings and menus


def test_settings_and_menus_are_told_with_their_instant_and_their_number() -> None:
    steps: list[pb.Step] = [pb.WaitFor(60), pb.SetAttribute("level", 3), pb.RichMenu("vip"), pb.RichMenu("")]
    at = NOON + dt.timedelta(minutes=1)
    assert run(steps, FAR).done == [Setting("level", 3, at, 1), Showing("vip", at, 2), Showing("", at, 3)]


# ---- splits

SPLIT = pb.Split("test", [("a", 1), ("b", 3)])
ARMS: list[pb.Step] = [SPLIT, send("for a"), pb.Goto(4), send("for b"), send("for both")]


@pytest.mark.parametrize("variant", ["a", "b"])
def test_a_split_goes_the_way_of_the_variant_and_is_an_exposure(variant: str) -> None:
    answers = answering()._replace(variant=lambda _split: variant)
    moved = advance(journey(), scenario(*ARMS), answers, TOKYO, NOON)
    assert moved.done[0] == Exposure("test", variant, NOON)
    assert [name for name, _ in done_at(moved)[1:]] == [f"for {variant}", "for both"]


def test_what_is_sent_behind_a_split_bears_the_variant_that_was_passed_last() -> None:
    other = pb.Split("other", [("x", 4), ("y", 4)])
    steps: list[pb.Step] = [
        send("before"),
        pb.Split("test", [("a", 2), ("b", 2)]),
        send("one"),
        other,
        send("two"),
    ]
    sends = [deed for deed in run(steps, NOON).done if isinstance(deed, Emission)]
    assert [(deed.step.name, deed.variant) for deed in sends] == [
        ("before", ""),
        ("one", "test:a"),
        ("two", "other:x"),
    ]


def test_a_journey_knows_its_variant_after_a_wait() -> None:
    steps: list[pb.Step] = [pb.Split("test", [("a", 1), ("b", 1)]), pb.WaitFor(60), send("one")]
    waits = run(steps, NOON).journey
    (deed,) = run(steps, NOON + HOUR, waits).done
    assert isinstance(deed, Emission)
    assert deed.variant == "test:a"


def test_upcoming_counts_every_arm_of_a_split() -> None:
    steps: list[pb.Step] = [
        pb.WaitFor(60),
        pb.Split("test", [("a", 2), ("b", 4)]),
        send("a"),
        pb.End(),
        send("b", "support"),
    ]
    found = upcoming(run(steps, NOON).journey, scenario(*steps), MESSAGES, TOKYO, FAR)
    assert [item.kind for item in found] == ["promotion", "support"]


# ---- waits for a condition


def test_a_condition_that_holds_already_is_not_waited_for() -> None:
    assert done_at(run(until(ALWAYS), NOON)) == [("held", NOON)]


def test_a_condition_that_never_holds_is_given_up_at_its_timeout() -> None:
    waits = run(until(NEVER), NOON + DAY - SECOND)
    assert (waits.done, waits.journey.due) == ([], NOON + DAY)
    assert done_at(run(until(NEVER), NOON + DAY, waits.journey)) == [("timed out", NOON + DAY)]


def test_the_journey_is_due_when_time_makes_the_condition_hold() -> None:
    steps = until(from_instant(NOON + 3 * HOUR))
    waits = run(steps, NOON)
    assert waits.journey.due == NOON + 3 * HOUR
    assert done_at(run(steps, NOON + 3 * HOUR, waits.journey)) == [("held", NOON + 3 * HOUR)]


def test_who_looks_late_finds_the_condition_to_have_held_before_the_timeout() -> None:
    assert done_at(run(until(from_instant(NOON + 3 * HOUR)), NOON + 9 * DAY)) == [("held", NOON + 3 * HOUR)]


@pytest.mark.parametrize("late", [HOUR * 24, HOUR * 25])
def test_a_condition_that_holds_at_the_timeout_or_later_comes_too_late(late: dt.timedelta) -> None:
    assert done_at(run(until(from_instant(NOON + late)), NOON + 9 * DAY)) == [("timed out", NOON + DAY)]


def after_an_event(at: Instant, now: Instant, holds: pb.Expression = ALWAYS) -> Moved:
    """The condition has not held; then an event comes, with which it does."""
    plan = scenario(*until(NEVER))
    waits = run(plan.steps, NOON).journey
    changed = heard(waits, plan, event("visit", at=at))
    answers = Answers(lambda _: True, lambda _, start: start if holds == ALWAYS else None, lambda _: "a")
    return advance(changed, plan, answers, TOKYO, now)


def test_any_event_may_make_the_condition_hold_from_then_on() -> None:
    assert done_at(after_an_event(NOON + HOUR, NOON + 2 * HOUR)) == [("held", NOON + HOUR)]


def test_an_event_from_before_the_wait_makes_it_hold_from_the_beginning() -> None:
    assert done_at(after_an_event(NOON - HOUR, NOON + 2 * HOUR)) == [("held", NOON)]


def test_an_event_that_does_not_make_it_hold_leaves_the_timeout_as_it_is() -> None:
    waits = after_an_event(NOON + HOUR, NOON + 2 * HOUR, NEVER)
    assert (waits.done, waits.journey.due) == ([], NOON + DAY)


def test_upcoming_of_a_condition_that_time_will_make_hold_is_what_it_leads_to_and_its_timeout() -> None:
    steps = [*until(from_instant(NOON + HOUR))[:3], send("timed out", "support")]
    found = upcoming(run(steps, NOON).journey, scenario(*steps), MESSAGES, TOKYO, FAR)
    assert found == [Upcoming(NOON + HOUR, "promotion", 10), Upcoming(NOON + DAY, "support", 10)]


def test_upcoming_of_a_condition_that_only_an_event_brings_is_its_timeout_alone() -> None:
    steps = until(NEVER)
    found = upcoming(run(steps, NOON).journey, scenario(*steps), MESSAGES, TOKYO, FAR)
    assert [item.at for item in found] == [NOON + DAY]
