"""decide: corrections take back and lessen what is folded, whatever comes first and wherever a worker stops."""

import datetime as dt
from typing import Any

import msgspec

from functions.domain.amendments import Amended
from functions.domain.customers import SEEN_KEPT
from functions.domain.events import Amendment, EventType, PropertyType
from functions.domain.profiles import JOURNEY, Profile, Register
from tests.fakes.crashes import crash_everywhere
from tests.fakes.playbooks import EVENTS, days, playbook, scenario, send
from tests.fakes.world import World
from tests.flows.deciding import AFTER_PURCHASE, orders

_CANCELLED = EventType(
    "never happened",
    properties={"order_id": PropertyType("string", required=True)},
    amends=Amendment("purchase", "order_id"),
)
BOOK = msgspec.structs.replace(playbook(), events={**EVENTS, "order_cancelled": _CANCELLED})


def fresh() -> World:
    world = World(BOOK)
    world.befriend("U1")
    return world


def bought(world: World, order_id: str) -> dict[str, Any]:
    return world.event("purchase", "c1", event_id=f"e-{order_id}", order_id=order_id, amount=4800)


def test_a_cancellation_takes_its_order_back_and_no_other() -> None:
    world = fresh()
    first, second = (bought(world, name) for name in ("o1", "o2"))
    world.ingest(first, second)
    world.run()
    assert orders(world) == 2
    world.ingest(world.event("order_cancelled", "c1", order_id="o1"))
    world.run()
    assert orders(world) == 1
    world.ingest(first)
    world.run()
    assert orders(world) == 1


def test_a_crash_at_any_call_leaves_what_is_cancelled_cancelled() -> None:
    template = fresh()
    order = bought(template, "o1")
    cancelled = template.event("order_cancelled", "c1", event_id="x1", order_id="o1")

    def act(world: World) -> None:
        world.ingest(order)
        world.run()
        world.ingest(cancelled)
        world.run()

    def check(world: World) -> None:
        assert orders(world) == 0
        assert world.dead() == []

    assert crash_everywhere(fresh, act, check) > 10


def test_a_correction_starts_no_journey_from_what_a_customer_of_many_events_did_before() -> None:
    carts = scenario("cart_left", send("thanks"), days(0.1), reentry_seconds=3600)
    world = World(msgspec.structs.replace(BOOK, scenarios={"carts": carts}))
    world.customer_with_line()
    world.ingest(bought(world, "o1"), world.event("cart_left", "c1"))
    world.advance(hours=2)
    world.ingest(world.event("cart_left", "c1"))  # starts nothing, for a journey is running
    world.advance(hours=3)
    for _ in range(SEEN_KEPT):
        world.ingest(world.event("tag_added", "c1", tag="x"))
    world.ingest(world.event("order_cancelled", "c1", order_id="o1"))
    world.advance(days=1)
    assert orders(world) == 0
    assert world.line.copies("U1") == ["thanks"]


def test_a_link_of_two_sides_that_correct_each_other_is_folded_anew_from_both_histories() -> None:
    world = fresh()
    world.webhook(world.line_event("follow", "U1"))
    world.run()
    friend = world.customer("anon:U1")
    known = msgspec.structs.replace(
        friend.profile, amended={"orders": {"order_id=o1": Amended(taken_back=True)}}
    )
    world.customers.save(msgspec.structs.replace(friend, profile=known))
    world.ingest(bought(world, "o1"))
    world.run()
    world.ingest(world.linked("c1", "U1"))
    world.run()
    assert world.customer("c1").refold is False
    assert orders(world) == 1  # the history, in which nobody cancelled, is what counts
    assert world.customer("c1").profile.linked


def test_what_journeys_set_outlives_a_cancellation() -> None:
    world = fresh()
    world.ingest(bought(world, "o1"))
    world.run()
    customer = world.customer("c1")
    own = {"vip_since": Register("2026", world.now, f"{JOURNEY}j1:0001")}
    profile = msgspec.structs.replace(customer.profile, attributes=own)
    world.customers.save(msgspec.structs.replace(customer, profile=profile))
    world.ingest(world.event("order_cancelled", "c1", at=world.now + dt.timedelta(minutes=1), order_id="o1"))
    world.run()
    assert (orders(world), world.customer("c1").profile.attribute("vip_since")) == (0, "2026")


def test_a_profile_that_waits_to_be_folded_anew_is_so_when_time_moves_it_too() -> None:
    world = World(playbook(scenarios={"after_purchase": AFTER_PURCHASE}))
    world.customer_with_line()
    world.ingest(bought(world, "o1"))
    world.run()
    world.customers.save(msgspec.structs.replace(world.customer("c1"), profile=Profile(), refold=True))
    world.advance(days=2)
    assert (orders(world), world.customer("c1").refold) == (1, False)
