"""The send protocol with several workers at one intent."""

import functools

import msgspec
import pytest

from tests.fakes.line import Outcome
from tests.fakes.lockstep import schedules, side_by_side
from tests.flows.sending import KINDS, SCHEDULES, contacts, ends, fresh


@pytest.mark.parametrize("outcome", ["ok", "accept_then_timeout", "timeout", "rate", "401"])
@pytest.mark.parametrize("message", KINDS)
def test_two_workers_with_one_intent_make_one_copy_whatever_their_order(
    message: str, outcome: Outcome
) -> None:
    for schedule in SCHEDULES[:: 3 if outcome == "ok" else 7]:
        world = fresh()
        world.line.script.append(outcome)
        task = functools.partial(world.send, world.intent(message))
        assert side_by_side(world.tap, schedule, task, task) == [None, None]
        world.advance(hours=2)
        assert world.line.copies("U1") == [message], schedule
        assert ends(world) == [("sent", "")]
        assert len(world.gate().contacts) == 1


def test_a_worker_paused_at_any_call_while_another_goes_through_makes_one_copy() -> None:
    intent = fresh().intent()
    for point in range(14):
        world = fresh()
        world.enqueue(intent)
        world.tap.once(point, functools.partial(world.send, intent))
        world.run()
        assert (world.line.copies("U1"), ends(world)) == (["offer"], [("sent", "")]), f"paused at {point}"


@pytest.mark.parametrize("refusal", ["401", "400"])
def test_a_refusal_of_one_worker_does_not_undo_what_another_worker_had_accepted(refusal: Outcome) -> None:
    """Both push the same intent; LINE refuses one of them and takes the other. Whatever comes later, there is one copy."""
    for schedule in schedules(7):
        world = fresh()
        intent = world.intent()
        world.line.script.extend([refusal, "ok"])
        task = functools.partial(world.send, intent)
        assert side_by_side(world.tap, schedule, task, task) == [None, None]
        world.line.always = "401"  # the account stays refused for more than a day
        world.advance(hours=30)
        world.line.always = "ok"
        world.enqueue(intent)
        world.advance(days=3)
        assert len(world.line.copies("U1")) <= 1, schedule
        if world.line.copies("U1"):
            assert ends(world)[0][0] in ("sent", "unknown"), schedule
            assert contacts(world) == ["promotion"], schedule


def test_two_workers_with_two_promotions_send_one_of_them() -> None:
    for schedule in SCHEDULES[::3]:
        world = fresh()
        tasks = [functools.partial(world.send, world.intent(name)) for name in ("offer", "coupon")]
        assert side_by_side(world.tap, schedule, *tasks) == [None, None]
        assert len(world.line.copies("U1")) == 1
        assert sorted(ends(world)) == [("sent", ""), ("suppressed", "capped:promotion_weekly")]


def test_a_contended_gate_is_tried_again_by_redelivery_and_loses_nothing() -> None:
    world = fresh()
    world.enqueue(world.intent())
    left = [20]

    def disturb(_number: int, name: str, side: str) -> None:
        if (name, side) == ("customers.load_both", "after") and left[0]:
            left[0] -= 1
            gate = world.gate()
            world.customers.save_gate(msgspec.structs.replace(gate, holds=gate.holds))

    world.tap.watch(disturb)
    world.run()
    assert (world.line.copies("U1"), ends(world), world.dead()) == (["offer"], [("sent", "")], [])
