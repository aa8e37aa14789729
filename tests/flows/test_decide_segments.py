"""decide: entering and leaving segments, by events, by time, by a refresh, and under another dictionary."""

import datetime as dt

import msgspec
import pytest

from functions.domain.customers import Customer
from functions.domain.memberships import is_outdated
from functions.domain.playbook import Playbook
from functions.domain.tracking import members
from functions.ports.messages import CustomerRefresh
from tests.fakes.crashes import crash_everywhere
from tests.fakes.lockstep import schedules, side_by_side
from tests.fakes.playbooks import EVENTS, days, from_segment, playbook, send
from tests.fakes.taps import Crash
from tests.fakes.world import World

SEGMENTS = {"buyers": "orders.count >= 1", "quiet": "days_since(orders.last_at) >= 10"}
BOOK = playbook(
    segments=SEGMENTS,
    scenarios={
        "welcome": from_segment("buyers", send("thanks"), days(1), send("tips")),
        "win_back": from_segment("quiet", send("care")),
        "back_again": from_segment("quiet", send("welcome"), on="left"),
    },
)


def fresh(book: Playbook = BOOK) -> World:
    world = World(book)
    world.customer_with_line()
    return world


def names(world: World, customer_id: str = "c1") -> list[str]:
    """The names, in the playbook in force, of the segments that the customer is kept in."""
    segments = world.book.segments
    return sorted(name for name in segments if segments[name].hash in world.customer(customer_id).segments)


def recomputed(world: World, customer: Customer) -> list[str]:
    return members(customer.profile, world.playbooks.in_force().tracked.values(), world.now)


def test_entering_starts_a_journey_and_time_makes_the_next_member_without_any_event() -> None:
    world = fresh()
    world.ingest(world.purchase("c1"))
    world.advance(days=9)
    assert world.line.copies("U1") == ["thanks", "tips"]
    assert names(world) == ["buyers", "everybody"]
    world.advance(days=2)
    assert world.line.copies("U1") == ["thanks", "tips", "care"]
    assert world.line.pushes[-1].at == world.line.pushes[0].at + dt.timedelta(days=10)
    world.ingest(world.purchase("c1"))
    world.advance(days=1)
    assert world.line.copies("U1") == ["thanks", "tips", "care", "welcome"]


def test_a_crash_at_any_call_enters_once_and_loses_no_wake_up() -> None:
    def act(world: World) -> None:
        world.ingest(world.purchase("c1"))
        world.advance(days=11)

    def check(world: World) -> None:
        assert world.line.copies("U1") == ["thanks", "tips", "care"]
        assert world.customer().segments == recomputed(world, world.customer())
        assert world.dead() == []

    assert crash_everywhere(fresh, act, check) > 60


def test_a_duplicate_and_a_wake_up_that_find_nothing_new_write_nothing() -> None:
    world = fresh()
    raw = world.purchase("c1")
    world.ingest(raw)
    world.run()
    version = world.customer().version
    world.ingest(raw)
    world.wake("c1")
    world.run()
    assert world.customer().version == version


def test_linking_makes_one_member_of_two_and_enters_only_what_neither_was_in() -> None:
    book = playbook(
        segments={
            "friends": "line_follow.count >= 1",
            "both": "line_follow.count >= 1 and orders.count >= 1",
        },
        scenarios={
            "hello": from_segment("friends", send("care")),
            "both": from_segment("both", send("thanks")),
        },
    )
    world = World(book)
    world.befriend("U1")
    world.webhook(world.line_event("follow", "U1"))
    world.ingest(world.purchase("c1"))
    world.run()
    assert world.line.copies("U1") == ["care"]
    world.advance(days=1)
    world.ingest(world.linked("c1", "U1"))
    world.run()
    assert world.line.copies("U1") == ["care", "thanks"]
    assert world.customer().segments == recomputed(world, world.customer())
    assert [journey.scenario for journey in world.customer().journeys] == ["hello", "both"]


# --- another dictionary


def with_events(book: Playbook, version: str, **events: str) -> Playbook:
    """The playbook with some events read under other names."""
    words = {name: msgspec.structs.replace(EVENTS[name], alias=alias) for name, alias in events.items()}
    return msgspec.structs.replace(book, version=version, events={**EVENTS, **words})


def test_another_dictionary_folds_the_history_anew_exactly_once_at_the_next_change() -> None:
    world = fresh()
    world.ingest(world.purchase("c1"))
    world.run()
    world.apply(with_events(BOOK, "v2", purchase="sales"))
    assert is_outdated(world.customer(), world.playbooks.in_force())
    reads = []
    world.tap.watch(lambda _number, name, when: reads.append(name) if when == "before" else None)
    world.ingest(world.event("cart_left", "c1"))
    world.run()
    assert reads.count("events.kept_of") == 2  # its own and its friend's
    assert world.customer().profile.tallies["sales"].count == 1
    assert "orders" not in world.customer().profile.tallies
    world.ingest(world.event("cart_left", "c1"))
    world.run()
    assert reads.count("events.kept_of") == 2
    assert world.customer().profile.tallies["carts"].count == 2


@pytest.mark.parametrize("point", range(60))
def test_a_refold_beside_other_workers_counts_every_event_once(point: int) -> None:
    world = fresh()
    world.ingest(world.purchase("c1"))
    world.run()
    world.apply(with_events(BOOK, "v2", purchase="sales"))
    for _ in range(3):
        world.ingest(world.purchase("c1"))
    world.overtaken(point)
    assert world.customer().profile.tallies["sales"].count == 4


def test_the_event_that_brings_the_new_dictionary_in_still_starts_its_journey() -> None:
    world = fresh()
    book = playbook(
        segments={"sold": "orders.count >= 2"}, scenarios={"sold": from_segment("sold", send("thanks"))}
    )
    world.ingest(world.purchase("c1"))
    world.run()
    carts = {"cart_left": msgspec.structs.replace(EVENTS["cart_left"], alias="baskets")}
    world.apply(msgspec.structs.replace(book, version="v2", events={**EVENTS, **carts}))
    world.ingest(world.purchase("c1"))
    world.run()
    assert [journey.scenario for journey in world.customer().journeys][-1] == "sold"


# --- refreshing


def refresh(world: World, customer_id: str = "c1", *starts: str) -> None:
    world.decide.handle(CustomerRefresh(customer_id, world.now, list(starts)))
    world.run()


def test_a_refresh_makes_no_customer_of_somebody_who_is_gone() -> None:
    world = fresh()
    refresh(world, "nobody")
    assert world.customers.load("nobody") is None
    assert world.customers.load_gate("nobody") is None


def test_a_refresh_that_changes_nothing_writes_nothing() -> None:
    world = fresh()
    world.ingest(world.purchase("c1"))
    world.run()
    version = world.customer().version
    refresh(world)
    assert world.customer().version == version


def test_a_refresh_takes_journeys_over_to_the_version_that_asks_for_it() -> None:
    steps = (send("thanks"), days(3), send("tips"), days(1), send("offer"))
    old = playbook(segments=SEGMENTS, scenarios={"path": from_segment("buyers", *steps)})
    new_steps = (send("thanks"), days(5), send("care"), send("offer"))
    new = playbook(
        segments=SEGMENTS,
        scenarios={"path": from_segment("buyers", *new_steps, migrate={"tips": "care"})},
    )
    world = fresh(old)
    world.ingest(world.purchase("c1"))
    world.advance(days=1)
    bought = world.line.pushes[0].at
    world.apply(new)
    refresh(world)
    assert {journey.version for journey in world.customer().journeys} == {new.version}
    world.advance(days=9)
    assert world.line.copies("U1") == ["thanks", "care", "offer"]
    assert world.line.pushes[1].at == bought + dt.timedelta(days=5)


def test_two_refreshes_at_once_start_one_journey() -> None:
    for schedule in schedules(6):
        world = fresh(playbook(segments={"buyers": SEGMENTS["buyers"]}))
        world.ingest(world.purchase("c1"))
        world.run()
        world.apply(BOOK)
        message = CustomerRefresh("c1", world.now, [world.book.segments["buyers"].hash])
        tasks = [lambda: world.decide.handle(message) for _ in range(2)]  # noqa: B023
        assert side_by_side(world.tap, schedule, *tasks) == [None, None]
        world.run()
        assert world.line.copies("U1") == ["thanks"], schedule


def test_a_wake_up_that_was_not_written_is_written_by_the_redelivery_though_a_new_playbook_came_between() -> (
    None
):
    segments = {**SEGMENTS, "quieter": "days_since(orders.last_at) >= 20"}
    world = fresh(playbook(segments=segments))
    world.ingest(world.purchase("c1"))
    world.advance(days=9)
    world.now += dt.timedelta(days=1)

    def no_row(_number: int, name: str, side: str) -> None:
        if (name, side) == ("timers.arm", "before"):
            raise Crash

    world.tap.watch(no_row)
    world.tick()
    world.step()
    world.tap.watch(None)
    assert world.timers.armed == []
    world.apply(playbook(segments={**segments, "shoppers": "carts.count >= 1"}))
    world.run()
    assert world.timers.armed == [(world.customer().armed_at, "c1")]
