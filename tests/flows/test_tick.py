"""The minute's tick: everything that is due comes up once, and nothing is lost between table and queue."""

import dataclasses
import datetime as dt

import msgspec
import pytest

from functions.domain.playbook import Expect, Source
from functions.domain.watermarks import LoadNote
from functions.ports.errors import Retryable
from functions.tick.sources import SOURCES_HELD, WatchSources
from tests.fakes.crashes import crash_everywhere
from tests.fakes.lockstep import schedules, side_by_side
from tests.fakes.objects import FakePlaybooks
from tests.fakes.playbooks import QUIET, days, playbook, scenario, send
from tests.fakes.world import World, jst

BOOK = playbook(
    scenarios={
        "care": scenario("purchase", days(1), send("care")),
        "path": scenario("cart_left", send("thanks")),
    },
    quiet_hours=QUIET,
)
CUSTOMERS = ["c1", "c2", "c3"]


def fresh() -> World:
    """Three customers whose next step is due tomorrow at noon, and two notifications held until 07:00."""
    world = World(BOOK)
    for number, customer_id in enumerate(CUSTOMERS, 1):
        world.customer_with_line(customer_id, f"U{number}")
    world.ingest(*(world.purchase(customer_id) for customer_id in CUSTOMERS))
    world.run()
    return world


def with_held() -> World:
    world = fresh()
    world.advance(to=jst(11, 2, 22))
    world.enqueue(world.intent("tips"), world.intent("reminder", "c2", "U2"))
    world.run()
    return world


def due_tomorrow() -> World:
    world = fresh()
    world.now = jst(11, 3, 12)
    return world


def care(world: World) -> list[list[str]]:
    return [world.line.copies(f"U{number}") for number in (1, 2, 3)]


def test_what_is_due_comes_up_once_and_its_row_goes() -> None:
    world = due_tomorrow()
    assert world.ticker.run(world.now) == 3
    assert world.timers.armed == []
    world.run()
    assert care(world) == [["care"]] * 3
    assert world.ticker.run(world.now) == 0


def test_nothing_comes_up_before_its_instant_even_in_its_own_minute() -> None:
    world = fresh()
    world.now = jst(11, 3, 12) - dt.timedelta(seconds=1)
    assert world.ticker.run(world.now) == 0
    world.now = jst(11, 3, 12)
    assert world.ticker.run(world.now) == 3


@pytest.mark.parametrize("minutes", range(6))
def test_ticks_that_were_left_out_are_made_up_for_within_five_minutes(minutes: int) -> None:
    world = due_tomorrow()
    world.now += dt.timedelta(minutes=minutes)
    assert world.ticker.run(world.now) == 3


def test_a_tick_that_comes_hours_late_does_the_minute_it_was_meant_for() -> None:
    world = due_tomorrow()
    scheduled_at = world.now
    world.now += dt.timedelta(hours=3)
    assert world.ticker.run(scheduled_at) == 3


def test_work_that_was_overdue_when_it_was_written_is_found() -> None:
    world = fresh()
    world.timers.arm("c9", world.now - dt.timedelta(hours=2), world.now)
    assert world.ticker.run(world.now) == 1


def test_a_crash_at_any_call_of_a_tick_wakes_everybody_once() -> None:
    def act(world: World) -> None:
        world.tick()
        world.run()

    def check(world: World) -> None:
        assert care(world) == [["care"]] * 3
        assert world.customer("c1").intended == {"care": 1}
        assert world.timers.next_due is None
        assert world.dead() == []

    assert crash_everywhere(due_tomorrow, act, check) > 40


def test_a_crash_at_any_call_of_a_tick_brings_back_every_held_intent_once() -> None:
    def build() -> World:
        world = with_held()
        world.now = jst(11, 3, 7)
        return world

    def act(world: World) -> None:
        world.tick()
        world.run()

    def check(world: World) -> None:
        assert (world.line.copies("U1"), world.line.copies("U2")) == (["tips"], ["reminder"])
        assert [end[1] for end in world.ends()] == ["sent", "sent"]
        assert world.timers.held == []

    assert crash_everywhere(build, act, check) > 20


def test_a_crash_at_any_call_of_a_journey_with_timers_sends_each_step_once() -> None:
    def build() -> World:
        book = playbook(
            scenarios={
                "long": scenario(
                    "purchase",
                    *(step for name in ("thanks", "tips", "care") for step in (days(1), send(name))),
                )
            }
        )
        world = World(book)
        world.customer_with_line()
        world.ingest(world.purchase("c1"))
        world.run()
        return world

    def act(world: World) -> None:
        world.advance(days=5)

    def check(world: World) -> None:
        assert world.line.copies("U1") == ["thanks", "tips", "care"]
        assert [push.at for push in world.line.pushes] == [jst(11, day, 12) for day in (3, 4, 5)]

    assert crash_everywhere(build, act, check) > 60


def test_what_the_inbox_refuses_stays_until_the_next_tick() -> None:
    world = due_tomorrow()
    world.inbox_queue.refuses = lambda position: position == 0
    with pytest.raises(Retryable):
        world.ticker.run(world.now)
    assert len(world.timers.armed) > 0
    world.now += dt.timedelta(minutes=1)
    world.tick()
    world.run()
    assert care(world) == [["care"]] * 3


def test_a_held_intent_that_the_queue_refuses_stays_until_the_next_tick() -> None:
    world = with_held()
    world.now = jst(11, 3, 7)
    world.send_queue.refuses = lambda position: position == 0
    with pytest.raises(Retryable):
        world.ticker.run(world.now)
    assert len(world.timers.held) == 1
    world.now += dt.timedelta(minutes=1)
    world.tick()
    world.run()
    assert (world.line.copies("U1"), world.line.copies("U2")) == (["tips"], ["reminder"])
    assert world.timers.held == []


def test_two_ticks_side_by_side_move_each_journey_once() -> None:
    for schedule in schedules(7):
        world = due_tomorrow()
        ticks = [lambda ticker=world.ticker, at=world.now: ticker.run(at)] * 2
        assert side_by_side(world.tap, schedule, *ticks) == [None, None]
        world.run()
        assert care(world) == [["care"]] * 3
        assert world.timers.next_due is None


def test_a_wake_that_nobody_asked_for_does_no_harm() -> None:
    world = fresh()
    for _ in range(3):
        world.wake("c1")
        world.wake("nobody")
        world.run()
    world.advance(days=2)
    assert care(world) == [["care"]] * 3


def test_a_waker_whose_clock_is_a_little_behind_loses_no_timer() -> None:
    world = due_tomorrow()
    world.decide = dataclasses.replace(world.decide, now=lambda: world.now - dt.timedelta(milliseconds=50))
    world.tap.watch(
        lambda _number, name, side: world.run() if (name, side) == ("timers.done", "before") else None
    )
    world.ticker.run(world.now)
    world.tap.watch(None)
    world.run()
    world.advance(minutes=10)
    assert care(world) == [["care"]] * 3


def test_sources_whose_files_do_not_come_are_counted_each_minute() -> None:
    world = World(playbook())
    watch = WatchSources(world.playbooks, world.account_state, world.measures, world.clock)
    watch.watch()
    assert world.measures.last == {}
    late = {"crm": Source(3600, Expect(86_400)), "shop": Source(3600)}
    world.apply(msgspec.structs.replace(playbook(), version="late", sources=late))
    watch.watch()
    assert world.measures.last == {SOURCES_HELD: 1}
    world.account_state.note_load("crm", LoadNote("l1", world.now, 5, world.now), None)
    world.measures.last.clear()
    watch.watch()
    assert world.measures.last == {}


def test_where_no_playbook_is_in_force_the_minute_ticks_all_the_same() -> None:
    world = World(playbook())
    WatchSources(FakePlaybooks(), world.account_state, world.measures, world.clock).watch()
    assert world.measures.last == {}
