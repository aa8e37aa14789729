"""decide: a journey starts and goes on exactly once, its outbox included."""

import random

import pytest

from functions.ports.errors import Retryable
from tests.fakes.crashes import crash_everywhere
from tests.fakes.playbooks import playbook, scenario, send
from tests.fakes.world import World, jst
from tests.flows.deciding import BOOK, WHOLE, fresh, orders


def test_a_purchase_sends_each_step_once_at_its_own_time() -> None:
    world = fresh()
    world.ingest(world.purchase("c1"))
    world.advance(days=30)
    assert [(push.texts, push.at) for push in world.line.pushes] == [
        (["thanks"], jst(11, 2, 12)),
        (["tips"], jst(11, 3, 12)),
        (["offer"], jst(11, 9, 19)),
    ]
    assert [record.status for record in world.records()] == ["sent"] * 3
    assert [journey.status for journey in world.customer().journeys] == ["done"]
    assert world.timers.next_due is None


def test_a_duplicated_purchase_starts_one_journey() -> None:
    world = fresh()
    raw = world.purchase("c1")
    for _ in range(5):
        world.ingest(raw, raw)
    world.run()
    world.ingest(raw)
    world.advance(days=3)
    world.ingest(raw)
    world.advance(days=30)
    assert world.line.copies("U1") == WHOLE
    assert orders(world) == 1


@pytest.mark.parametrize("seed", range(10))
def test_a_reordered_and_duplicated_inbox_starts_one_journey(seed: int) -> None:
    world = fresh(random.Random(seed))
    raws = [
        world.purchase("c1"),
        world.event("cart_left", "c1"),
        world.event("inquiry_opened", "c1", case_id="1"),
    ]
    for raw in raws * 3:
        world.ingest(raw)
    world.advance(days=6)
    assert world.line.copies("U1") == ["thanks", "tips"]
    assert orders(world) == 1


def test_a_crash_at_any_call_leaves_one_journey_and_one_push_a_step() -> None:
    raw = fresh().purchase("c1")

    def act(world: World) -> None:
        world.ingest(raw)
        world.advance(days=10)

    def check(world: World) -> None:
        assert world.line.copies("U1") == WHOLE
        assert [end[1] for end in world.ends()] == ["sent"] * 3
        assert world.customer().intended == {"after_purchase": 3}
        assert orders(world) == 1
        assert world.customer().outbox == []
        assert world.dead() == []

    assert crash_everywhere(fresh, act, check) > 80


def test_a_crash_at_any_call_of_a_first_contact_leaves_one_journey() -> None:
    """Nothing is known of the customer: link, consent and purchase come in one request."""
    book = World(BOOK)
    raws = [book.linked("c1", "U1"), book.purchase("c1")]

    def build() -> World:
        world = World(BOOK)
        world.befriend("U1")
        return world

    def act(world: World) -> None:
        world.ingest(*raws)
        world.advance(days=10)

    def check(world: World) -> None:
        assert world.line.copies("U1") == WHOLE
        assert orders(world) == 1
        assert world.gate().reaches("U1")
        assert world.dead() == []

    assert crash_everywhere(build, act, check) > 80


def test_an_intent_that_was_written_but_not_enqueued_is_enqueued_by_the_redelivery() -> None:
    world = fresh()
    world.ingest(world.purchase("c1"))
    names = []

    def stop_before_enqueueing(_number: int, name: str, side: str) -> None:
        names.append(name)
        if name == "send_queue.put" and side == "before":
            world.tap.watch(None)
            raise Retryable("the worker was stopped")

    world.tap.watch(stop_before_enqueueing)
    world.step()
    assert "customers.save" in names
    assert len(world.customer().outbox) == 1
    world.run()
    assert world.customer().outbox == []
    assert world.line.copies("U1") == ["thanks"]


def test_intents_that_the_queue_refuses_stay_in_the_outbox_until_it_takes_them() -> None:
    book = playbook(scenarios={name: scenario("purchase", send(name)) for name in ("thanks", "care", "tips")})
    world = World(book)
    world.customer_with_line()
    world.ingest(world.purchase("c1"))
    world.send_queue.refuses = lambda position: position != 1
    world.step()
    assert [intent.message for intent in world.customer().outbox] == ["care", "tips"]
    world.run()
    assert sorted(world.line.copies("U1")) == ["care", "thanks", "tips"]
    assert world.customer().outbox == []


def test_an_outbox_that_was_left_behind_is_emptied_by_the_next_event() -> None:
    world = fresh()
    raw = world.purchase("c1")
    world.ingest(raw)
    for _ in range(20):
        world.send_queue.refuses = lambda _position: True
        if not world.step():
            break
    assert len(world.inbox_queue.dead) == 1
    assert len(world.customer().outbox) == 1
    world.send_queue.refuses = None
    world.ingest(world.event("cart_left", "c1"))
    world.run()
    assert world.line.copies("U1") == ["thanks"]
