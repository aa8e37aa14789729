"""The send protocol: what each answer of LINE comes to."""

import datetime as dt

import pytest

from functions.domain.account import Block
from tests.fakes.crashes import crash_everywhere
from tests.fakes.line import Outcome
from tests.fakes.world import World
from tests.flows.sending import (
    contacts,
    cut_off_after_claim,
    ends,
    fresh,
    withdraw,
)


def test_a_409_is_an_acceptance() -> None:
    world = fresh()
    world.line.script.append("accept_then_timeout")
    world.enqueue(world.intent())
    world.run()
    assert len(world.line.calls) == 2
    assert (ends(world), world.line.copies("U1")) == ([("sent", "")], ["offer"])
    assert world.records()[0].request_id == "request-1"


def test_timeouts_for_a_whole_day_end_as_unknown_and_never_push_with_an_old_key() -> None:
    world = fresh()
    world.line.always = "timeout"
    intent = world.intent()
    world.enqueue(intent)
    world.advance(hours=23, minutes=59)
    calls = len(world.line.calls)
    assert calls < 70
    world.line.always = "ok"
    world.advance(days=20)
    assert len(world.line.calls) == calls
    assert ends(world) == [("unknown", "key_expired")]
    assert contacts(world) == ["promotion"]


def test_what_may_have_arrived_keeps_its_place_in_the_window() -> None:
    world = fresh()
    world.line.always = "timeout"
    world.enqueue(world.intent())
    world.advance(days=2)
    world.line.always = "ok"
    world.enqueue(world.intent("coupon"))
    world.run()
    assert ends(world) == [("unknown", "key_expired"), ("suppressed", "capped:promotion_weekly")]


def test_a_definite_400_at_first_is_failed_and_gives_the_slot_back() -> None:
    world = fresh()
    world.line.script.append("400")
    world.enqueue(world.intent())
    world.run()
    assert ends(world) == [("failed", "http_400")]
    assert world.gate().contacts == []
    world.enqueue(world.intent("coupon"))
    world.run()
    assert world.line.copies("U1") == ["coupon"]


def test_a_failed_intent_that_comes_again_is_not_pushed() -> None:
    world = fresh()
    world.line.script.append("400")
    intent = world.intent()
    world.enqueue(intent, intent)
    world.run()
    assert len(world.line.calls) == 1
    assert ends(world) == [("failed", "http_400")]


@pytest.mark.parametrize("earlier", ["timeout", "500", "accept_then_timeout"])
def test_a_400_after_an_unanswered_attempt_is_unknown(earlier: Outcome) -> None:
    world = fresh()
    world.line.script.extend([earlier, "400"])
    world.enqueue(world.intent())
    world.run()
    assert ends(world) == [("unknown", "http_400")]
    assert contacts(world) == ["promotion"]


def test_a_400_after_a_crash_between_claim_and_push_is_unknown() -> None:
    world = fresh()
    cut_off_after_claim(world, world.intent())
    world.line.script.append("400")
    world.run()
    assert ends(world) == [("unknown", "http_400")]


def test_a_crash_at_any_call_of_a_definite_failure_ends_once_and_sends_nothing() -> None:
    intent = fresh().intent()

    def act(world: World) -> None:
        world.line.always = "400"
        world.enqueue(intent)
        world.run()

    def check(world: World) -> None:
        assert [status for status, _ in ends(world)] in (["failed"], ["unknown"])
        assert len(world.gate().contacts) == (0 if ends(world)[0][0] == "failed" else 1)
        assert world.line.pushes == []

    assert crash_everywhere(fresh, act, check) >= 12


@pytest.mark.parametrize("outcome", ["401", "403"])
def test_a_refusal_of_the_account_stops_it_and_what_was_refused_is_sent_later(outcome: Outcome) -> None:
    world = fresh()
    world.line.script.append(outcome)
    first = world.intent()
    world.enqueue(first, world.intent("thanks"))
    world.run()
    assert world.account_state.read().blocks == [Block("stopped", world.now + dt.timedelta(minutes=15))]
    assert len(world.line.calls) == 1
    assert (world.gate().claims, world.gate().contacts, world.records()) == ([], [], [])
    assert len(world.timers.held) == 2
    world.advance(minutes=15)
    assert sorted(world.line.copies("U1")) == ["offer", "thanks"]
    assert [status for status, _ in ends(world)] == ["sent", "sent"]


def test_an_account_that_stays_refused_for_days_sends_once_when_it_is_back() -> None:
    world = fresh()
    world.line.always = "403"
    world.enqueue(world.intent())
    world.advance(days=3)
    assert world.records() == []
    world.line.always = "ok"
    world.advance(hours=1)
    assert (world.line.copies("U1"), ends(world)) == (["offer"], [("sent", "")])


def test_a_refused_account_after_an_unanswered_attempt_keeps_the_claim() -> None:
    world = fresh()
    world.line.script.extend(["accept_then_timeout", "401"])
    world.enqueue(world.intent())
    world.run()
    assert contacts(world) == ["promotion"]
    world.advance(hours=1)
    assert (world.line.copies("U1"), ends(world)) == (["offer"], [("sent", "")])


def test_a_crash_at_any_call_of_an_account_refusal_sends_once_in_the_end() -> None:
    intent = fresh().intent()

    def act(world: World) -> None:
        world.line.script.extend(["401"])
        world.enqueue(intent)
        world.advance(hours=3)

    def check(world: World) -> None:
        assert (world.line.copies("U1"), ends(world)) == (["offer"], [("sent", "")])
        assert contacts(world) == ["promotion"]

    assert crash_everywhere(fresh, act, check) >= 14


def test_the_rate_limit_makes_a_delayed_copy_and_burns_no_receive() -> None:
    world = fresh()
    world.line.script.append("rate")
    world.enqueue(world.intent())
    world.step()
    (waiting,) = world.send_queue.waiting
    assert waiting.receives == 0
    assert waiting.visible_at == world.now + dt.timedelta(seconds=2)
    assert world.records() == []
    world.advance(seconds=2)
    assert (world.line.copies("U1"), ends(world)) == (["offer"], [("sent", "")])


def test_a_long_rate_limit_ends_in_one_copy() -> None:
    world = fresh()
    world.line.script.extend(["rate"] * 50)
    world.enqueue(world.intent())
    world.advance(minutes=5)
    assert (world.line.copies("U1"), ends(world), world.dead()) == (["offer"], [("sent", "")], [])


def test_a_400_after_the_rate_limit_is_definite() -> None:
    """Every attempt was answered: nothing can have arrived."""
    world = fresh()
    world.line.script.extend(["rate", "400"])
    world.enqueue(world.intent())
    world.advance(minutes=1)
    assert ends(world) == [("failed", "http_400")]
    assert world.gate().contacts == []


def test_an_opt_out_after_the_rate_limit_is_a_suppression() -> None:
    world = fresh()
    world.line.script.append("rate")
    world.enqueue(world.intent())
    world.run()
    withdraw(world)
    world.advance(minutes=1)
    assert ends(world) == [("suppressed", "no_consent")]


def test_too_many_to_the_same_user_is_a_failure() -> None:
    world = fresh()
    world.line.script.append("same_user")
    world.enqueue(world.intent())
    world.run()
    assert ends(world) == [("failed", "same_user_limit")]
    assert world.gate().contacts == []
