"""A world that loses its tables and gets back those of before, with what the lake has since: as if nothing had been lost."""

import copy
import datetime as dt
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.domain.account import UNTIL_LIFTED, Block
from functions.domain.customers import Customer
from functions.domain.fact_rows import CustomerWritten, EventKept, SendWritten, rows_of
from functions.domain.facts import Click, EventFact, Friendship, JourneyFact, Send
from functions.domain.gate import Gate
from functions.domain.restoring import back, passages, rebuilt_gate, record_of_fact
from functions.domain.retelling import event_of_fact, stops
from functions.ports.messages import EventsReceived
from tests.fakes.encoded import kept, read
from tests.fakes.playbooks import campaign, days, from_segment, playbook, scenario, send
from tests.fakes.queues import FakeInbox
from tests.fakes.world import START, World

HOUR = dt.timedelta(hours=1)
BOOK = playbook(
    scenarios={
        "cart": scenario("cart_left", send("thanks"), days(0.25), send("tips"), days(0.3), send("care")),
        "buyer": from_segment("buyers", send("reminder"), days(0.4), send("offer")),
    },
    campaigns={"news": campaign("news", once=START + 10 * HOUR)},
)


class Tables(NamedTuple):
    """Everything that a wipe takes."""

    customers: dict[str, bytes]
    gates: dict[str, bytes]
    events: Any
    sends: Any
    timers: Any


def tables_of(world: World) -> Tables:
    rows = (world.events._rows, world.sends._rows, world.timers._rows)
    return Tables(*copy.deepcopy((world.customers.customer_bodies, world.customers.gate_bodies, *rows)))


def written_since(then: Tables, lost: Tables, world: World) -> Iterator[Any]:
    """The facts that the tables' streams told between the two."""
    for key, body in lost.sends.items():
        if key not in then.sends:
            record = world.sends.all()[list(lost.sends).index(key)]
            yield from rows_of(SendWritten(record, world.now), world.playbooks.version)
            assert body
    for owner, identity in lost.events:
        if (owner, identity) not in then.events:
            event = next(one for one in world.events.all_of(owner) if one.identity == identity)
            yield from rows_of(EventKept(owner, event, world.now), world.playbooks.version)
    for customer_id, after in lost.customers.items():
        before = read(then.customers.get(customer_id), Customer)
        change = CustomerWritten(before, msgspec.json.decode(after, type=Customer), world.now)
        yield from rows_of(change, world.playbooks.version)


def lose_and_restore(world: World, then: Tables) -> None:
    """What ops/backups does, on the tables of a world. Nothing is sent meanwhile: the queues wait."""
    lost = tables_of(world)
    facts = list(written_since(then, lost, world))
    sends = [one for one in facts if isinstance(one, Send)]
    begun = [one for one in facts if isinstance(one, JourneyFact)]
    happened = [one for one in facts if isinstance(one, EventFact | Click | Friendship)]
    world.events._rows, world.sends._rows = copy.deepcopy(then.events), copy.deepcopy(then.sends)
    world.timers._rows = {
        key: row for key, row in then.timers.items() if not key[1].startswith(("customer#", "link#"))
    }
    for one in sends:
        world.sends.record(record_of_fact(one, one.customer_id, "U1"))
    events = [event for one in happened if (event := event_of_fact(one, one.customer_id, "U1"))]
    world.customers.gate_bodies, world.customers.customer_bodies = {}, {}
    for customer_id, body in then.gates.items():
        gate = msgspec.json.decode(body, type=Gate)
        customer = read(then.customers.get(customer_id), Customer)
        mine = [one for one in sends if one.customer_id == customer_id]
        told = stops(event for event in events if event.customer_id == customer_id)
        known = passages(customer.journeys if customer else [], begun)
        rebuilt = rebuilt_gate(gate, mine, told, known, world.now)
        world.customers.gate_bodies[customer_id] = kept(rebuilt, Gate)
    for customer_id, body in then.customers.items():
        facts_of = [one for one in begun if one.customer_id == customer_id]
        customer = back(msgspec.json.decode(body, type=Customer), facts_of, world.now)
        world.customers.customer_bodies[customer_id] = kept(customer, Customer)
        if customer.armed_at is not None:
            world.timers.arm(customer_id, customer.armed_at, world.now)
    for event in sorted(events, key=lambda one: (one.occurred_at, one.event_id)):
        FakeInbox(world.inbox_queue).put([EventsReceived(event.customer_id, [event])])


Happening = tuple[int, str]
HAPPENINGS: list[Happening] = [(1, "cart_left"), (4, "purchase"), (9, "inquiry_opened"), (20, "purchase")]


def lived(
    backup_at: int | None = None, lost_at: int | None = None, more: tuple[Happening, ...] = ()
) -> World:
    """Three days, hour by hour, of one linked customer; the tables are kept after one hour and lost after another."""
    world = World(BOOK)
    world.customer_with_line()
    then: Tables | None = None
    happenings = sorted([*HAPPENINGS, *more])
    for hour in range(80):
        world.advance(to=START + hour * HOUR)
        for number, (at, name) in enumerate(happenings):
            if at == hour:
                one = (
                    world.purchase("c1", event_id=f"p{number}")
                    if name == "purchase"
                    else world.event(name, "c1", event_id=f"e{number}", **_told(name))
                )
                world.ingest(one)
                world.run()
        if hour == backup_at:
            then = tables_of(world)
        if hour == lost_at and then is not None:
            lose_and_restore(world, then)
    return world


def _told(name: str) -> dict[str, Any]:
    return (
        {"purpose": "all"} if name == "consent_withdrawn" else {"case_id": "a"} if "inquiry" in name else {}
    )


def said(world: World) -> Counter[str]:
    return Counter(world.line.copies("U1"))


UNDISTURBED = said(lived())


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 24), st.integers(1, 22))
def test_whenever_it_is_lost_everybody_hears_what_they_would_have_heard_and_nothing_twice(
    backup_at: int, later: int
) -> None:
    world = lived(backup_at, backup_at + later)
    assert max(said(world).values()) == 1
    assert said(world) == UNDISTURBED
    ended = Counter(record.send_id for record in world.records())
    assert max(ended.values()) == 1, "each message has one end"


@pytest.mark.parametrize("lost_at", [8, 12, 20])
def test_who_has_had_enough_since_the_backup_hears_nothing_more(lost_at: int) -> None:
    more = ((7, "consent_withdrawn"),)
    assert said(lived(2, lost_at, more)) == said(lived(more=more))


def test_what_line_has_taken_and_not_answered_at_the_loss_arrives_once() -> None:
    world = World(BOOK)
    world.customer_with_line()
    then = tables_of(world)
    world.line.always = "accept_then_timeout"
    world.ingest(world.event("cart_left", "c1"))
    world.run()
    assert said(world)["thanks"] == 1
    assert [record.message for record in world.records() if record.message == "thanks"] == []
    lose_and_restore(world, then)
    world.line.always = "ok"
    world.advance(hours=5)
    assert said(world)["thanks"] == 1
    assert [record.status for record in world.records() if record.message == "thanks"] == ["sent"]


def test_while_all_is_stopped_a_missing_gate_ends_nothing() -> None:
    world = World(BOOK)
    world.customer_with_line()
    gates = dict(world.customers.gate_bodies)
    world.account_state.block(Block("stopped", UNTIL_LIFTED))
    world.customers.gate_bodies.clear()
    intent = world.intent("thanks", source="cart")
    world.enqueue(intent)
    world.run()
    assert [record for record in world.records() if record.send_id == intent.send_id] == []
    world.customers.gate_bodies.update(gates)
    world.account_state.lift(Block("stopped", UNTIL_LIFTED))
    world.advance(hours=1)
    assert said(world)["thanks"] == 1
