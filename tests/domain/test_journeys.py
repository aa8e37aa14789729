"""Journeys: each comes to its end, on one schedule, whenever somebody looks."""

import datetime as dt
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain import playbook as pb
from functions.domain.arbitration import Upcoming
from functions.domain.instants import Instant
from functions.domain.journeys import (
    ENDED_KEPT,
    Journey,
    ended,
    entered,
    kept,
    may_enter,
    upcoming,
    wait_ends,
)
from functions.domain.walk import (
    Answers,
    Deed,
    Emission,
    Exposure,
    Moved,
    Setting,
    Showing,
    Tagging,
    advance,
    heard,
)
from tests.domain.strategies import (
    ALWAYS,
    DAY,
    HOUR,
    NEVER,
    NOON,
    SECOND,
    ZONES,
    event,
    message,
    minutes_from,
    scenario,
    send,
    step_lists,
)

TOKYO = "Asia/Tokyo"
MESSAGES = {"promotion": message("promotion"), "support": message("support")}
FAR = NOON + 4000 * DAY
YEAR = minutes_from(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), 366)


def local(text: str, zone: str = TOKYO) -> Instant:
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)


def constantly(expression: pb.Expression) -> bool:
    return bool(expression[1])


def answering(holds: Callable[[pb.Expression], bool] = constantly) -> Answers:
    """What holds, holds always; ["at", instant] comes to hold by time; everybody takes the first arm."""

    def holds_from(expression: pb.Expression, start: Instant) -> Instant | None:
        if expression[0] == "at":
            at: Instant = expression[1]
            return max(start, at)
        return start if constantly(expression) else None

    return Answers(holds, holds_from, lambda split: split.arms[0][0])


def journey(at: Instant = NOON, **more: Any) -> Journey:
    return Journey("j1", "cart", "v1", 1, at, "trigger", **{"since": at, **more})


def run(
    steps: list[pb.Step],
    now: Instant,
    start: Journey | None = None,
    zone: str = TOKYO,
    holds: Callable[[pb.Expression], bool] = constantly,
) -> Moved:
    return advance(start or journey(), scenario(*steps), answering(holds), zone, now)


def done_at(moved: Moved) -> list[tuple[str, Instant]]:
    return [(named(deed), deed.due) for deed in moved.done]


def named(deed: Deed) -> str:
    match deed:
        case Emission():
            return deed.step.name
        case Tagging():
            return deed.tag
        case Setting():
            return f"{deed.name}={deed.value}"
        case Exposure():
            return f"{deed.experiment}:{deed.variant}"
        case Showing():
            return f"menu {deed.menu}"


def looked_often(steps: list[pb.Step], zone: str, start: Instant, until: Instant = FAR) -> Moved:
    """The journey as it goes when it is looked at whenever it is due, and now and then between."""
    current, now = journey(start), start
    done: list[Deed] = []
    for _ in range(200):
        moved = run(steps, now, current, zone)
        current, done = moved.journey, [*done, *moved.done]
        if not current.active:
            return Moved(current, done)
        assert current.due is not None
        assert current.due > now
        if current.due > until:
            return Moved(current, done)
        halfway = run(steps, now + (current.due - now) / 2, current, zone)
        assert halfway == Moved(current, [])
        now = current.due
    raise AssertionError("the journey goes on and on")


# ---- whatever the steps


@given(step_lists(), YEAR, st.sampled_from(ZONES))
def test_every_journey_ends(steps: list[pb.Step], start: Instant, zone: str) -> None:
    assert looked_often(steps, zone, start).journey.status == "done"


@given(step_lists(), st.integers(0, 60 * 24 * 60), st.sampled_from(ZONES))
def test_to_look_again_at_the_same_instant_changes_nothing(
    steps: list[pb.Step], minutes: int, zone: str
) -> None:
    now = NOON + dt.timedelta(minutes=minutes)
    once = run(steps, now, zone=zone)
    assert run(steps, now, once.journey, zone) == Moved(once.journey, [])


@given(step_lists(), YEAR, st.sampled_from(ZONES))
def test_a_late_look_gives_the_schedule_of_many(steps: list[pb.Step], start: Instant, zone: str) -> None:
    often = looked_often(steps, zone, start)
    assert run(steps, FAR, journey(start), zone).done == often.done


@given(step_lists(), st.integers(0, 60 * 24 * 60), st.sampled_from(ZONES))
def test_a_look_halfway_changes_no_schedule(steps: list[pb.Step], minutes: int, zone: str) -> None:
    first = run(steps, NOON + dt.timedelta(minutes=minutes), zone=zone)
    rest = run(steps, FAR, first.journey, zone)
    assert [*first.done, *rest.done] == run(steps, FAR, zone=zone).done


@given(step_lists(), YEAR, st.sampled_from(ZONES))
def test_deeds_are_done_in_the_order_of_time(steps: list[pb.Step], start: Instant, zone: str) -> None:
    dues = [deed.due for deed in run(steps, FAR, journey(start), zone).done]
    assert dues == sorted(dues)
    assert all(due >= start for due in dues)


@given(step_lists(), st.integers(0, 20 * 24 * 60), st.integers(0, 90), st.sampled_from(ZONES))
def test_upcoming_covers_every_send_that_follows(
    steps: list[pb.Step], minutes: int, days: int, zone: str
) -> None:
    """For every instant at least as many sends are foreseen by it as come by it, whichever way the branches go."""
    plan, until = scenario(*steps), NOON + days * DAY
    current = run(steps, NOON + dt.timedelta(minutes=minutes), zone=zone).journey
    if not current.active:
        return
    foreseen = sorted(item.at for item in upcoming(current, plan, MESSAGES, zone, until))
    assert all(at <= until for at in foreseen)
    for holds in (constantly, lambda _: True, lambda _: False):
        emitted = run(steps, FAR, current, zone, holds).done
        sends = [deed.due for deed in emitted if isinstance(deed, Emission) and deed.due <= until]
        for number, at in enumerate(sorted(sends)):
            assert foreseen[number] <= at


@given(step_lists(branches=False), st.integers(0, 20 * 24 * 60), st.sampled_from(ZONES))
def test_without_branches_upcoming_foresees_what_comes_and_nothing_else(
    steps: list[pb.Step], minutes: int, zone: str
) -> None:
    current = run(steps, NOON + dt.timedelta(minutes=minutes), zone=zone).journey
    if not current.active:
        return
    until = NOON + 60 * DAY
    emitted = [deed for deed in run(steps, FAR, current, zone).done if isinstance(deed, Emission)]
    assert upcoming(current, scenario(*steps, rank=7), MESSAGES, zone, until) == [
        Upcoming(deed.due, "promotion", 7) for deed in emitted if deed.due <= until
    ]


@given(step_lists(), st.integers(0, 60 * 24 * 60))
def test_a_journey_survives_writing_and_reading(steps: list[pb.Step], minutes: int) -> None:
    current = run(steps, NOON + dt.timedelta(minutes=minutes)).journey
    assert msgspec.json.decode(msgspec.json.encode(current), type=Journey) == current


# ---- steps, one by one


def test_a_send_is_emitted_at_once_and_once() -> None:
    moved = run([send("one"), pb.WaitFor(3600)], NOON)
    assert done_at(moved) == [("one", NOON)]
    assert moved.journey.due == NOON + HOUR


def test_a_wait_lasts_to_the_second() -> None:
    steps: list[pb.Step] = [pb.WaitFor(3600), send("one")]
    assert run(steps, NOON + HOUR - SECOND).done == []
    assert done_at(run(steps, NOON + HOUR)) == [("one", NOON + HOUR)]


def test_a_second_wait_counts_from_the_end_of_the_first_and_not_from_the_look() -> None:
    steps: list[pb.Step] = [pb.WaitFor(3600), pb.WaitFor(3600), send("one")]
    late = run(steps, NOON + HOUR + 10 * SECOND)
    assert late.journey.due == NOON + 2 * HOUR


@pytest.mark.parametrize(
    ("zone", "start", "day", "at", "expected"),
    [
        (TOKYO, "2026-11-20T12:00", 7, "19:00", "2026-11-27T19:00"),
        (TOKYO, "2026-11-20T23:59", 1, "00:00", "2026-11-21T00:00"),
        ("Europe/Berlin", "2026-03-27T12:00", 2, "19:00", "2026-03-29T19:00"),
        ("Europe/Berlin", "2026-10-24T12:00", 1, "07:00", "2026-10-25T07:00"),
        ("America/New_York", "2026-03-07T22:00", 1, "02:30", "2026-03-08T03:30"),
        ("America/New_York", "2026-10-31T22:00", 1, "08:00", "2026-11-01T08:00"),
    ],
)
def test_day_n_at_a_local_time_is_on_the_local_calendar(
    zone: str, start: str, day: int, at: str, expected: str
) -> None:
    step = pb.WaitUntilLocal(dt.time.fromisoformat(at), day)
    moved = run([step, send("one")], FAR, journey(local(start, zone)), zone)
    assert done_at(moved) == [("one", local(expected, zone))]


def test_day_n_counts_from_the_entry_and_not_from_the_step_before() -> None:
    steps: list[pb.Step] = [pb.WaitFor(3 * 86_400), pb.WaitUntilLocal(dt.time(19), 7), send("one")]
    assert done_at(run(steps, FAR)) == [("one", local("2026-11-27T19:00"))]


def test_a_day_that_is_past_is_over_at_once() -> None:
    steps: list[pb.Step] = [pb.WaitFor(3 * 86_400), pb.WaitUntilLocal(dt.time(19), 2), send("one")]
    assert done_at(run(steps, FAR)) == [("one", NOON + 3 * DAY)]


def test_without_a_day_a_wait_is_for_the_next_such_time() -> None:
    step = pb.WaitUntilLocal(dt.time(12))
    assert wait_ends(step, NOON, NOON, TOKYO) == NOON + DAY
    assert wait_ends(step, NOON, NOON - SECOND, TOKYO) == NOON


def test_a_wait_that_began_keeps_its_end_though_the_zone_changes() -> None:
    steps: list[pb.Step] = [pb.WaitUntilLocal(dt.time(19), 1), send("one")]
    waiting = run(steps, NOON).journey
    assert waiting.due == local("2026-11-21T19:00")
    assert run(steps, NOON, waiting, "America/New_York").journey.due == waiting.due


def test_a_tag_is_told_with_its_instant() -> None:
    moved = run([pb.WaitFor(60), pb.SetTag("vip"), pb.SetTag("new", remove=True)], FAR)
    at = NOON + dt.timedelta(minutes=1)
    assert moved.done == [
        Tagging("vip", remove=False, due=at, number=1),
        Tagging("new", remove=True, due=at, number=2),
    ]


def test_a_journey_may_be_moved_to_an_earlier_instant_than_now() -> None:
    plan = scenario(send("one"), pb.WaitFor(3600), send("two", tolerance_seconds=3600))
    now = NOON + 2 * HOUR + SECOND
    until_then = advance(journey(), plan, answering(), TOKYO, now, until=NOON + HOUR - SECOND)
    assert (done_at(until_then), until_then.journey.due) == ([("one", NOON)], NOON + HOUR)
    overdue = advance(journey(), plan, answering(), TOKYO, now, until=NOON + HOUR)
    assert (done_at(overdue), overdue.journey.status) == ([("one", NOON)], "expired")


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        ([(ALWAYS, 1), (ALWAYS, 3)], "first"),
        ([(NEVER, 1), (ALWAYS, 3)], "second"),
        ([(NEVER, 1), (NEVER, 3)], "otherwise"),
        ([], "otherwise"),
    ],
)
def test_a_branch_takes_the_first_case_that_holds(
    cases: list[tuple[pb.Expression, int]], expected: str
) -> None:
    steps: list[pb.Step] = [
        pb.Branch(cases, 5),
        send("first"),
        pb.End(),
        send("second"),
        pb.End(),
        send("otherwise"),
    ]
    assert done_at(run(steps, NOON)) == [(expected, NOON)]


def test_goto_leaves_out_what_lies_between() -> None:
    assert done_at(run([pb.Goto(2), send("no"), send("yes")], NOON)) == [("yes", NOON)]


def test_nothing_follows_an_end() -> None:
    moved = run([pb.End(), send("no")], NOON + HOUR)
    assert (moved.done, moved.journey.status, moved.journey.ended_at) == ([], "done", NOON + HOUR)


def test_after_its_last_step_a_journey_is_done() -> None:
    moved = run([send("one")], NOON)
    assert (moved.journey.status, moved.journey.due, moved.journey.awaits) == ("done", None, "")


def test_a_step_that_leads_back_is_a_fault() -> None:
    with pytest.raises(AssertionError, match="backwards"):
        run([pb.WaitFor(0), pb.Goto(0)], NOON)


@pytest.mark.parametrize("status", ["done", "exited", "goal", "expired"])
def test_an_ended_journey_stays_where_it_is(status: Any) -> None:
    over = ended(journey(), status, NOON)
    assert run([send("one")], FAR, over) == Moved(over, [])
    assert heard(msgspec.structs.replace(over, awaits="purchase"), scenario(*WAITING), event()) == (
        msgspec.structs.replace(over, awaits="purchase")
    )


# ---- tolerance


def test_a_step_overdue_by_exactly_its_tolerance_is_sent() -> None:
    assert done_at(run([send("one", tolerance_seconds=3600)], NOON + HOUR)) == [("one", NOON)]


def test_a_step_overdue_by_more_than_its_tolerance_ends_the_journey() -> None:
    moved = run([send("one", tolerance_seconds=3600), send("two")], NOON + HOUR + SECOND)
    assert (moved.done, moved.journey.status, moved.journey.ended_at) == ([], "expired", NOON + HOUR + SECOND)


def test_each_step_has_a_tolerance_of_its_own() -> None:
    steps: list[pb.Step] = [
        send("one"),
        pb.WaitFor(3600),
        send("two", tolerance_seconds=60),
    ]
    moved = run(steps, NOON + 2 * HOUR)
    assert (done_at(moved), moved.journey.status) == ([("one", NOON)], "expired")


# ---- waiting for an event

WAITING: list[pb.Step] = [
    pb.WaitForEvent("purchase", 3600, on_event=3, on_timeout=1),
    send("timeout"),
    pb.End(),
    pb.WaitFor(60),
    send("event"),
]


def waiting() -> Journey:
    return run(WAITING, NOON).journey


def after(at: Instant, **more: Any) -> list[tuple[str, Instant]]:
    """What is sent when an event at this instant is heard of."""
    return done_at(run(WAITING, FAR, heard(waiting(), scenario(*WAITING), event(at=at, **more))))


TIMED_OUT = [("timeout", NOON + HOUR)]


def test_a_journey_that_waits_says_for_what_and_how_long() -> None:
    assert (waiting().awaits, waiting().due) == ("purchase", NOON + HOUR)


def test_without_the_event_the_wait_times_out() -> None:
    assert run(WAITING, NOON + HOUR - SECOND).done == []
    assert done_at(run(WAITING, FAR)) == TIMED_OUT


@pytest.mark.parametrize("ago", [dt.timedelta(), HOUR - SECOND])
def test_what_follows_an_event_counts_from_when_it_happened(ago: dt.timedelta) -> None:
    assert after(NOON + ago) == [("event", NOON + ago + 60 * SECOND)]


def test_an_event_of_before_the_wait_is_not_the_one() -> None:
    assert after(NOON - SECOND) == TIMED_OUT


@pytest.mark.parametrize("late", [dt.timedelta(), SECOND, DAY])
def test_an_event_after_the_wait_is_over_comes_too_late(late: dt.timedelta) -> None:
    """Even where nobody looked meanwhile: the wait was over when it was."""
    assert after(NOON + HOUR + late) == TIMED_OUT


@pytest.mark.parametrize("other", [{"name": "visit"}, {"status": "provisional"}], ids=str)
def test_only_the_confirmed_event_itself_counts(other: dict[str, Any]) -> None:
    assert after(NOON + SECOND, **other) == TIMED_OUT


def test_an_event_moves_a_journey_only_once() -> None:
    once = heard(waiting(), scenario(*WAITING), event(at=NOON + SECOND))
    assert heard(once, scenario(*WAITING), event(at=NOON + SECOND)) == once


def test_a_wait_for_an_event_is_not_over_at_an_earlier_instant_than_its_end() -> None:
    plan, now = scenario(*WAITING), NOON + 2 * HOUR
    early = advance(waiting(), plan, answering(), TOKYO, now, until=NOON + HOUR - SECOND)
    assert early == Moved(waiting(), [])
    over = advance(waiting(), plan, answering(), TOKYO, now, until=NOON + HOUR)
    assert done_at(over) == TIMED_OUT


def test_upcoming_of_a_wait_is_what_its_timeout_leads_to() -> None:
    assert upcoming(waiting(), scenario(*WAITING), MESSAGES, TOKYO, FAR) == [
        Upcoming(NOON + HOUR, "promotion", 10)
    ]


# ---- upcoming


def test_upcoming_ends_where_it_is_asked_to() -> None:
    plan = scenario(pb.WaitFor(3600), send("one"))
    waits = run(plan.steps, NOON).journey
    assert len(upcoming(waits, plan, MESSAGES, TOKYO, NOON + HOUR)) == 1
    assert upcoming(waits, plan, MESSAGES, TOKYO, NOON + HOUR - SECOND) == []


def test_upcoming_counts_every_way_that_a_branch_may_go() -> None:
    steps: list[pb.Step] = [
        pb.WaitFor(60),
        pb.Branch([(NEVER, 2)], 4),
        send("a"),
        pb.End(),
        send("b", "support"),
    ]
    found = upcoming(run(steps, NOON).journey, scenario(*steps), MESSAGES, TOKYO, FAR)
    assert [item.kind for item in found] == ["promotion", "support"]


def test_of_two_ways_to_one_send_upcoming_takes_the_earlier() -> None:
    steps: list[pb.Step] = [pb.WaitFor(60), pb.Branch([(NEVER, 3)], 2), pb.WaitFor(3600), send("a")]
    found = upcoming(run(steps, NOON).journey, scenario(*steps), MESSAGES, TOKYO, FAR)
    assert found == [Upcoming(NOON + 60 * SECOND, "promotion", 10)]


def test_upcoming_of_a_wait_that_began_keeps_its_end_though_the_zone_changes() -> None:
    plan = scenario(pb.WaitUntilLocal(dt.time(19), 1), send("one"))
    waits = run(plan.steps, NOON).journey
    assert [item.at for item in upcoming(waits, plan, MESSAGES, "America/New_York", FAR)] == [waits.due]


# ---- entry and re-entry

PLAN = scenario(send(), fresh_seconds=3600)


def passage(at: Instant, occurrence: int = 1, status: Any = "done", event_id: str = "e0") -> Journey:
    one = entered("cart", "v1", "c1", [], event("cart_left", event_id, at))
    return msgspec.structs.replace(one, occurrence=occurrence, status=status, ended_at=at)


def may(
    journeys: list[Journey] | None = None, plan: pb.Scenario = PLAN, now: Instant = NOON, **more: Any
) -> bool:
    return may_enter(plan, "cart", journeys or [], event(**{"name": "cart_left", **more}), now)


def test_a_fresh_confirmed_event_starts_a_journey() -> None:
    assert may()


def test_another_event_starts_none() -> None:
    assert not may(name="visit")


def test_a_provisional_event_starts_none() -> None:
    assert not may(status="provisional")


def test_a_scenario_that_is_off_starts_none() -> None:
    assert not may(plan=msgspec.structs.replace(PLAN, on=False))


def test_an_event_is_fresh_for_exactly_as_long_as_it_says() -> None:
    assert may(now=NOON + HOUR)
    assert not may(now=NOON + HOUR + SECOND)


def test_a_running_journey_lets_no_second_one_start() -> None:
    again = msgspec.structs.replace(PLAN, reentry_seconds=0)
    assert not may([passage(NOON - DAY, status="active")], again)


def test_another_scenarios_journey_is_no_hindrance() -> None:
    other = msgspec.structs.replace(passage(NOON - DAY, status="active"), scenario="welcome")
    assert may([other])


def test_without_a_re_entry_rule_once_is_for_ever() -> None:
    assert not may([passage(NOON - 1000 * DAY)])


def test_re_entry_counts_from_the_last_entry_to_the_second() -> None:
    weekly = msgspec.structs.replace(PLAN, reentry_seconds=7 * 86_400)
    assert may([passage(NOON - 30 * DAY), passage(NOON - 7 * DAY, 2)], weekly)
    assert not may([passage(NOON - 30 * DAY), passage(NOON - 7 * DAY + SECOND, 2)], weekly)


def test_an_event_of_before_the_last_entry_starts_none() -> None:
    assert not may([passage(NOON)], msgspec.structs.replace(PLAN, reentry_seconds=0), at=NOON - SECOND)


def test_the_event_that_started_a_journey_starts_no_second_one() -> None:
    at_once = msgspec.structs.replace(PLAN, reentry_seconds=0)
    assert not may([passage(NOON, event_id="e1")], at_once)
    assert may([passage(NOON, event_id="e0")], at_once)


def test_a_journey_starts_when_its_event_happened() -> None:
    one = entered("cart", "v1", "c1", [], event("cart_left", at=NOON - HOUR))
    assert (one.entered_at, one.since, one.at, one.occurrence) == (NOON - HOUR, NOON - HOUR, 0, 1)
    assert one.active


def test_occurrences_count_on_beyond_what_is_kept() -> None:
    assert entered("cart", "v1", "c1", [passage(NOON, 7), passage(NOON, 3)], event()).occurrence == 8
    other = msgspec.structs.replace(passage(NOON, 7), scenario="welcome")
    assert entered("cart", "v1", "c1", [other], event()).occurrence == 1


def test_a_journey_is_named_by_what_started_it() -> None:
    first = entered("cart", "v1", "c1", [], event())
    assert first.journey_id == entered("cart", "v2", "c1", [passage(NOON, 4)], event()).journey_id
    others = [
        entered("welcome", "v1", "c1", [], event()),
        entered("cart", "v1", "c2", [], event()),
        entered("cart", "v1", "c1", [], event(event_id="e2")),
    ]
    assert len({first.journey_id, *(one.journey_id for one in others)}) == 4


# ---- what is kept


def test_active_journeys_are_always_kept() -> None:
    active = [passage(NOON, number, "active") for number in range(50)]
    assert kept(active, NOON) == active


def test_of_the_ended_the_newest_are_kept() -> None:
    over = [passage(NOON + number * HOUR, number) for number in range(ENDED_KEPT + 5)]
    assert kept(over, NOON) == over[5:]


def test_each_scenarios_last_passage_is_kept_however_old() -> None:
    old = [msgspec.structs.replace(passage(NOON - 100 * DAY, n), scenario="welcome") for n in (2, 1)]
    newer = [passage(NOON + number * HOUR, number) for number in range(ENDED_KEPT)]
    assert kept([*old, *newer], NOON) == [old[0], *newer]
