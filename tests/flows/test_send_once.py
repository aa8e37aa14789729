"""The send protocol: at most one copy and exactly one end on record, whatever is cut off."""

import itertools

import pytest

from functions.domain.playbook import Message
from tests.fakes.crashes import crash_everywhere
from tests.fakes.line import Outcome
from tests.fakes.playbooks import (
    playbook,
    scenario,
    send,
)
from tests.fakes.world import World
from tests.flows.sending import BOOK, KINDS, ends, fresh


@pytest.mark.parametrize("message", KINDS)
def test_a_crash_at_any_call_of_a_delivery_makes_one_copy_and_one_record(message: str) -> None:
    intent = fresh().intent(message)

    def act(world: World) -> None:
        world.enqueue(intent)
        world.run()

    def check(world: World) -> None:
        assert world.line.copies("U1") == [message]
        assert ends(world) == [("sent", "")]
        assert len(world.gate().contacts) == 1
        assert world.send_queue.waiting == []

    assert crash_everywhere(fresh, act, check) >= 8


@pytest.mark.parametrize("message", KINDS)
@pytest.mark.parametrize("outcome", ["accept_then_timeout", "accept_then_500", "timeout", "500"])
def test_a_crash_at_any_call_with_an_unanswered_push_makes_one_copy(message: str, outcome: Outcome) -> None:
    intent = fresh().intent(message)

    def act(world: World) -> None:
        world.line.script.extend([outcome, outcome, outcome])
        world.enqueue(intent)
        world.run()
        world.advance(hours=12)

    def check(world: World) -> None:
        assert world.line.copies("U1") == [message]
        assert ends(world) == [("sent", "")]
        assert {key for _, key in world.line.calls} == {intent.send_id}

    assert crash_everywhere(fresh, act, check) >= 14


def test_a_crash_at_any_two_calls_makes_one_copy_and_one_record() -> None:
    intent = fresh().intent()
    for first, second in itertools.product(range(14), repeat=2):
        world = fresh()
        world.enqueue(intent)
        world.tap.crash_once(first)
        world.step()
        world.tap.crash_once(second)
        world.run()
        assert world.line.copies("U1") == ["offer"], f"crashes at {first} and {second}"
        assert ends(world) == [("sent", "")]


def test_the_same_intent_again_sends_nothing_and_changes_no_record() -> None:
    world = fresh()
    intent = world.intent()
    for _ in range(3):
        world.enqueue(intent, intent)
        world.run()
    (record,) = world.records()
    (contact,) = world.gate().contacts
    world.advance(days=7, hours=23)
    world.enqueue(intent)
    world.run()
    assert len(world.line.calls) == 1
    assert world.records() == [record]
    assert world.gate().contacts == [contact]


def test_a_late_duplicate_after_the_claim_was_pruned_sends_nothing_and_changes_no_record() -> None:
    world = fresh()
    intent = world.intent(expires_seconds=3600)
    world.enqueue(intent)
    world.run()
    world.advance(days=40)
    world.enqueue(world.intent("thanks"))  # whatever is decided next prunes the gate
    world.run()
    world.enqueue(intent)
    world.run()
    assert world.line.copies("U1") == ["offer", "thanks"]
    assert ends(world) == [("sent", ""), ("sent", "")]


def test_a_record_tells_what_was_sent_and_where_line_keeps_it() -> None:
    world = fresh()
    intent = world.intent()
    world.enqueue(intent)
    world.run()
    (record,) = world.records()
    told = (record.send_id, record.customer_id, record.line_user_id, record.message, record.message_hash)
    assert told == (intent.send_id, "c1", "U1", "offer", "hash-offer")
    assert (record.kind, record.scenario, record.step, record.playbook) == (
        "promotion",
        "path",
        "offer",
        BOOK.version,
    )
    assert record.request_id == "request-1"


def test_the_retry_key_is_the_send_id_at_every_attempt() -> None:
    world = fresh()
    world.line.script.extend(["timeout"] * 5)
    intent = world.intent()
    world.enqueue(intent)
    world.run()
    world.advance(hours=6)
    assert len(world.line.calls) == 6
    assert set(world.line.calls) == {("U1", intent.send_id)}


def test_every_attempt_says_the_same_although_the_profile_has_changed() -> None:
    greeting = Message(
        "support", "h", [{"type": "text", "text": "Hello {{ first_name }}"}], {"first_name": "you"}
    )
    book = playbook(scenarios={"path": scenario("purchase", send("hello"))}, messages={"hello": greeting})
    world = World(book)
    world.customer_with_line()
    world.ingest(world.event("profile_updated", "c1", first_name="Hana"))
    world.run()
    world.line.script.append("timeout")
    world.line.always = "timeout"
    world.ingest(world.purchase("c1"))
    world.run()
    world.ingest(world.event("profile_updated", "c1", first_name="Yuki"))
    world.line.always = "ok"
    world.advance(hours=2)
    assert world.line.copies("U1") == ["Hello Hana"]
