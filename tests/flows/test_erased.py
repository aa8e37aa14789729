"""Whoever was erased is not made anew: not by the CRM, not by LINE, not by what was under way."""

import datetime as dt
from typing import Any

import msgspec
import pytest

from functions.domain.erasure import Suppression
from functions.domain.events import Event
from functions.ports.messages import CustomerDue, EventsReceived
from tests.fakes.world import World
from tests.flows.deciding import BOOK


def erased_world(*identities: str, follow_again: Any = "stay_out") -> World:
    world = World(msgspec.structs.replace(BOOK, follow_again=follow_again))
    for identity in identities:
        world.suppressions.put(identity, Suppression("e1", world.now))
    world.now += dt.timedelta(hours=1)
    return world


def is_empty(world: World) -> bool:
    rows = (world.customers.customer_bodies, world.customers.gate_bodies, world.identities._links)
    return not any(rows) and not world.events._rows and not world.timers._rows and not world.rejected.kept


def imported(world: World, customer_id: str) -> EventsReceived:
    event = Event("h1", customer_id, "purchase", world.now, properties={"order_id": "1", "amount": 1})
    return EventsReceived(customer_id, [event], history=True)


@pytest.mark.parametrize("what", ["event", "case", "import", "timer", "link", "rejected"])
def test_what_the_crm_tells_of_an_erased_customer_is_dropped_and_counted(what: str) -> None:
    world = erased_world("customer#c1")
    match what:
        case "event":
            world.ingest(world.purchase("c1"))
        case "case":
            world.ingest(world.event("inquiry_opened", "c1", case_id="7"))
        case "link":
            world.ingest(world.linked("c1", "U1"))
        case "rejected":
            world.ingest(world.event("teleported", "c1", note="jane@example.com"))
        case "import":
            world.inbox_queue.put([msgspec.json.encode(imported(world, "c1")).decode()])
        case _:
            world.inbox_queue.put([msgspec.json.encode(CustomerDue("c1", world.now)).decode()])
    world.run()
    assert is_empty(world)
    assert world.measures.last["ErasedDropped"] == 1


@pytest.mark.parametrize("kind", ["follow", "message", "unfollow", "postback"])
def test_what_line_tells_of_an_erased_user_is_dropped(kind: str) -> None:
    world = erased_world("line#U1")
    world.webhook(world.line_event(kind, "U1"))
    world.run()
    assert is_empty(world)
    assert world.measures.last["ErasedDropped"] == 1


def test_a_living_customer_cannot_be_tied_to_an_erased_user_and_keeps_all_else() -> None:
    world = erased_world("line#U1")
    world.ingest(world.purchase("c2"), world.linked("c2", "U1"), world.purchase("c2"))
    world.run()
    customer = world.customers.load("c2")
    assert customer is not None
    assert customer.line_user_id == ""
    assert len(world.events.all_of("c2")) == 2
    assert world.identities.link_of("U1") is None
    assert world.customers.load("anon:U1") is None


def test_a_follow_begins_a_new_person_where_the_playbook_says_so() -> None:
    world = erased_world("line#U1", "customer#c1", follow_again="new_person")
    world.befriend("U1")
    world.webhook(world.line_event("follow", "U1"))
    world.webhook(world.line_event("message", "U1"))
    world.run()
    friend = world.customers.load("anon:U1")
    assert friend is not None
    assert len(world.events.all_of("anon:U1")) == 2
    world.ingest(world.purchase("c1"))
    world.run()
    assert world.customers.load("c1") is None


def test_a_follow_from_before_the_erasure_and_a_message_after_it_begin_nobody() -> None:
    world = erased_world("line#U1", follow_again="new_person")
    world.webhook(world.line_event("follow", "U1", at=world.now - dt.timedelta(hours=2)))
    world.webhook(world.line_event("message", "U1"))
    world.run()
    assert is_empty(world)


def test_whoever_is_known_costs_no_question() -> None:
    world = erased_world()
    world.befriend("U1")
    world.ingest(world.linked("c1", "U1"), world.purchase("c1"))
    world.run()
    world.tap.watch(lambda _number, _name, _when: None)
    world.ingest(world.purchase("c1"), world.event("inquiry_opened", "c1", case_id="7"))
    world.webhook(world.line_event("message", "U1"))
    world.run()
    assert not [call for call in world.tap.calls if call.startswith("suppressions")]


def test_what_is_on_its_way_to_an_erased_person_is_not_sent() -> None:
    world = erased_world()
    world.befriend("U1")
    world.ingest(world.linked("c1", "U1"), world.purchase("c1"))
    world.run()
    sent = len(world.line.calls)
    for table in (world.customers.customer_bodies, world.customers.gate_bodies):
        table.clear()
    world.suppressions.put("customer#c1", Suppression("e1", world.now))
    world.suppressions.put("line#U1", Suppression("e1", world.now))
    world.advance(days=30)
    assert len(world.line.calls) == sent
    assert not world.customers.customer_bodies
    assert not world.customers.gate_bodies
