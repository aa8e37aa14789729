"""What the tests of decide share."""

import datetime as dt
import functools
import random
from typing import Any

from functions.domain.events import Event
from functions.domain.profiles import Profile
from functions.ports.messages import EventsReceived
from tests.fakes.lockstep import schedules, side_by_side
from tests.fakes.playbooks import days, evening_of_day, playbook, scenario, send
from tests.fakes.world import World

AFTER_PURCHASE = scenario("purchase", send("thanks"), days(1), send("tips"), evening_of_day(7), send("offer"))
BOOK = playbook(scenarios={"after_purchase": AFTER_PURCHASE})
WHOLE = ["thanks", "tips", "offer"]


def fresh(shuffle: random.Random | None = None) -> World:
    """A linked friend, about whom nothing else is known."""
    world = World(BOOK, shuffle=shuffle)
    world.customer_with_line()
    return world


def orders(world: World, customer_id: str = "c1") -> int:
    tally = world.customer(customer_id).profile.tallies.get("orders")
    return tally.count if tally else 0


def event(raw: dict[str, Any], status: str | None = None) -> dict[str, Any]:
    return raw if status is None else {**raw, "status": status}


def pair(world: World, later: str) -> list[dict[str, Any]]:
    """An order as provisional and as confirmed; one of the two says that it happened a minute later."""
    raw = world.purchase("c1", event_id="order-1", status="provisional")
    other = world.purchase("c1", event_id="order-1", at=world.now + dt.timedelta(minutes=1))
    first, second = (
        {**raw, "occurred_at": one["occurred_at"]}
        for one in ((raw, other) if later == "confirmed" else (other, raw))
    )
    return [first, {**second, "status": "confirmed"}]


def checked(raw: dict[str, Any]) -> Event:
    return Event(
        raw["event_id"],
        raw["customer_id"],
        raw["name"],
        dt.datetime.fromisoformat(raw["occurred_at"]),
        raw.get("status", "confirmed"),
        raw.get("source", ""),
        raw["properties"],
    )


def some_events(world: World) -> list[dict[str, Any]]:
    at, minute = world.now, dt.timedelta(minutes=1)
    return [
        world.purchase("c1", at=at),
        world.purchase("c1", at=at + minute, event_id="p", status="provisional"),
        world.purchase("c1", at=at + minute, event_id="p"),
        world.purchase("c1", at=at + 2 * minute, event_id="q", status="provisional"),
        world.event("tag_added", "c1", at=at + minute, tag="vip"),
        world.event("tag_removed", "c1", at=at + 2 * minute, tag="vip"),
        world.event("profile_updated", "c1", at=at + 3 * minute, rank="gold"),
        world.event("profile_updated", "c1", at=at, rank="silver", city="Kyoto"),
    ]


def folded(batches: list[list[dict[str, Any]]], *, history: bool = False) -> Profile:
    world = World(playbook())
    for batch in batches:
        if history:
            world.import_history(EventsReceived("c1", [checked(raw) for raw in batch], history=True))
        else:
            world.ingest(*batch)
        world.run()
    assert world.dead() == []
    return world.customer().profile


EXPECTED = folded([[raw] for raw in some_events(World(playbook()))])


def overtaken_by_a_duplicate_and_80_others(point: int) -> World:
    """While one worker is stopped, so much goes by that the customer's item no longer knows the event."""
    world = World(playbook())
    raw = world.purchase("c1")
    world.ingest(raw)
    world.ingest(raw)
    for _ in range(8):
        world.ingest(*(world.purchase("c1") for _ in range(10)))
    world.overtaken(point)
    return world


def together(
    world: World, schedule: tuple[int, ...], *messages: EventsReceived
) -> list[BaseException | None]:
    """One worker a message, side by side."""
    tasks = [functools.partial(world.decide.handle, message) for message in messages]
    return side_by_side(world.tap, schedule, *tasks)


SCHEDULES = schedules(8)
