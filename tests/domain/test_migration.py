"""Migration: running journeys go on in the newer version, and nobody gets a step twice."""

import datetime as dt
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from functions.domain import playbook as pb
from functions.domain.instants import Instant
from functions.domain.journeys import Journey
from functions.domain.migration import migrated
from functions.domain.walk import Emission
from tests.domain.strategies import DAY, HAS_BOUGHT, HOUR, NEVER, NOON, scenario, send, step_lists
from tests.domain.test_journeys import FAR, TOKYO, journey, local, run

DAY_SECONDS = 86_400


def days(number: int) -> pb.WaitFor:
    return pb.WaitFor(number * DAY_SECONDS)


OLD: list[pb.Step] = [send("one"), days(3), send("two"), days(4), send("three"), pb.End()]


def standing(steps: list[pb.Step], now: Instant) -> Journey:
    return run(steps, now).journey


def moved(
    old: list[pb.Step], new: list[pb.Step], now: Instant, renamed: dict[str, str] | None = None
) -> Journey:
    """A journey that began at noon in the old steps, moved to the new ones now."""
    return migrated(
        standing(old, now), scenario(*old), scenario(*new, migrate=renamed or {}), "v2", TOKYO, now
    )


def sends(steps: list[pb.Step], start: Journey, now: Instant) -> list[tuple[str, Instant]]:
    return [(deed.step.name, deed.due) for deed in run(steps, now, start).done if isinstance(deed, Emission)]


def test_without_a_word_on_migration_a_journey_stays_on_its_version() -> None:
    start = standing(OLD, NOON)
    assert migrated(start, scenario(*OLD), scenario(*OLD), "v2", TOKYO, NOON) == start


def test_where_nothing_changed_only_the_version_does() -> None:
    start = standing(OLD, NOON)
    assert moved(OLD, list(OLD), NOON) == msgspec.structs.replace(start, version="v2")


def test_a_changed_wait_counts_from_when_it_began() -> None:
    new: list[pb.Step] = [send("one"), days(5), send("two"), pb.End()]
    after = moved(OLD, new, NOON + DAY)
    assert (after.version, after.at) == ("v2", 1)
    assert sends(new, after, FAR) == [("two", NOON + 5 * DAY)]


def test_a_day_is_still_counted_from_the_entry() -> None:
    old: list[pb.Step] = [send("one"), days(3), send("two"), days(9), send("three")]
    new: list[pb.Step] = [send("one"), pb.WaitUntilLocal(dt.time(19), 7), send("three")]
    assert sends(new, moved(old, new, NOON + 4 * DAY), FAR) == [("three", local("2026-11-27T19:00"))]


def test_a_wait_that_would_be_over_already_is_over_now_and_not_overdue() -> None:
    new: list[pb.Step] = [send("one"), days(1), send("two", tolerance_seconds=3600)]
    now = NOON + 2 * DAY + 12 * HOUR
    assert sends(new, moved(OLD, new, now), now) == [("two", now)]
    local_time: list[pb.Step] = [
        send("one"),
        pb.WaitUntilLocal(dt.time(19), 1),
        send("two", tolerance_seconds=3600),
    ]
    assert sends(local_time, moved(OLD, local_time, now), now) == [("two", now)]
    nothing: list[pb.Step] = [send("one"), send("two", tolerance_seconds=3600)]
    assert sends(nothing, moved(OLD, nothing, now), now) == [("two", now)]


def test_a_new_step_before_the_place_is_left_out_and_one_behind_it_is_taken() -> None:
    new: list[pb.Step] = [send("one"), days(1), send("new"), days(2), send("two"), send("last")]
    assert [name for name, _ in sends(new, moved(OLD, new, NOON + DAY), FAR)] == ["two", "last"]


def test_a_renamed_step_is_the_same_step() -> None:
    new: list[pb.Step] = [send("one"), days(3), send("second"), pb.End()]
    assert moved(OLD, new, NOON).version == "v1"
    after = moved(OLD, new, NOON, {"two": "second"})
    assert sends(new, after, FAR) == [("second", NOON + 3 * DAY)]


def test_what_was_sent_is_not_sent_again_under_its_new_name_or_in_a_new_place() -> None:
    back: list[pb.Step] = [days(3), send("two"), days(1), send("one")]
    assert moved(OLD, back, NOON + DAY).version == "v1"
    renamed: list[pb.Step] = [days(3), send("two"), days(1), send("first")]
    assert moved(OLD, renamed, NOON + DAY, {"one": "first"}).version == "v1"


def test_a_name_that_a_step_once_had_is_not_forgotten_by_the_next_migration() -> None:
    second: list[pb.Step] = [send("first"), days(4), send("two")]
    after = moved(OLD, second, NOON + DAY, {"one": "first"})
    third: list[pb.Step] = [days(5), send("two"), days(1), send("first")]
    again = migrated(after, scenario(*second), scenario(*third, migrate={}), "v3", TOKYO, NOON + DAY)
    assert (after.version, again.version) == ("v2", "v2")


def test_of_several_waits_the_journey_keeps_as_many_as_it_had_ahead() -> None:
    old: list[pb.Step] = [days(2), pb.SetTag("half"), days(3), send("one")]
    new: list[pb.Step] = [days(2), pb.SetTag("half"), days(9), send("one")]
    assert moved(old, new, NOON + DAY).at == 0
    assert moved(old, new, NOON + 3 * DAY).at == 2


def test_before_a_branch_a_journey_stays_before_it() -> None:
    def branching(wait: int) -> list[pb.Step]:
        return [days(wait), pb.Branch([(HAS_BOUGHT, 2)], 4), send("a"), pb.End(), send("b"), pb.End()]

    assert moved(branching(2), branching(3), NOON).at == 0


def test_where_the_way_is_not_certain_the_journey_stays() -> None:
    two_waits: list[pb.Step] = [pb.Branch([(NEVER, 1)], 3), days(1), pb.Goto(4), days(2), send("two")]
    assert moved(OLD, two_waits, NOON + DAY).version == "v1"
    gone: list[pb.Step] = [send("one"), days(1), send("three")]
    assert moved(OLD, gone, NOON + DAY).version == "v1"


def test_where_no_send_lies_ahead_the_journey_stays() -> None:
    old: list[pb.Step] = [send("one"), days(1), pb.SetTag("over")]
    new: list[pb.Step] = [send("one"), days(9), pb.SetTag("over")]
    assert moved(old, new, NOON).version == "v1"


def test_a_wait_for_an_event_is_waited_for_again() -> None:
    old: list[pb.Step] = [pb.WaitForEvent("purchase", DAY_SECONDS, 2, 1), send("no"), pb.End()]
    new: list[pb.Step] = [pb.WaitForEvent("visit", 2 * DAY_SECONDS, 2, 1), send("no"), pb.End()]
    after = run(new, NOON + HOUR, moved(old, new, NOON + HOUR)).journey
    assert (after.awaits, after.due) == ("visit", NOON + 2 * DAY)


names = st.permutations(["send 0", "send 1", "send 2", "send 3", "send 4", "send 5", "send 6", "send 7"])


@given(
    step_lists(),
    step_lists(),
    names,
    st.integers(0, 90 * 24 * 60),
    st.dictionaries(
        st.sampled_from(["send 0", "send 2", "send 4"]), st.sampled_from(["send 1", "send 3", "send 5"])
    ),
)
def test_whatever_the_versions_no_step_is_sent_twice(
    old: list[pb.Step], new: list[pb.Step], order: list[str], minutes: int, renamed: dict[str, str]
) -> None:
    shuffled = [
        msgspec.structs.replace(step, name=order[number]) if isinstance(step, pb.Send) else step
        for number, step in enumerate(new)
    ]
    now = NOON + dt.timedelta(minutes=minutes)
    before = run(old, now)
    after = migrated(before.journey, scenario(*old), scenario(*shuffled, migrate=renamed), "v2", TOKYO, now)
    if after.version == "v1":
        assert after == before.journey
        return
    first = {deed.step.name for deed in before.done if isinstance(deed, Emission)}
    later = [name for name, _ in sends(shuffled, after, FAR)]
    assert not ({*first, *(renamed.get(name, name) for name in first)} & set(later)), (first, later)
    assert len(later) == len(set(later))


@given(step_lists(), st.integers(0, 90 * 24 * 60))
def test_a_migrated_journey_survives_writing_and_reading(steps: list[pb.Step], minutes: int) -> None:
    now = NOON + dt.timedelta(minutes=minutes)
    after: Any = moved(steps, [*steps, pb.End()], now)
    assert msgspec.json.decode(msgspec.json.encode(after), type=Journey) == after


def test_an_ended_journey_stays_as_it_ended() -> None:
    done = journey(status="done")
    assert migrated(done, scenario(*OLD), scenario(*OLD, migrate={}), "v2", TOKYO, NOON) == done
