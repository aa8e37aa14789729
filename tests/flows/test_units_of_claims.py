"""A unit of the month belongs to the claim that it was taken for, from the moment at which that may stand in the gate."""

import datetime as dt
from collections.abc import Callable, Sequence

import pytest

from functions.aws.queues import decode_order
from functions.domain.account import UNTIL_LIFTED, Block
from functions.domain.batches import Sealed
from functions.domain.gate import Gate
from functions.domain.instants import MINUTE, Instant
from functions.domain.money import month_counter
from functions.domain.sends import BatchOrder
from functions.ports.customers import Written
from tests.fakes.line import Outcome
from tests.fakes.playbooks import campaign, playbook
from tests.fakes.taps import Crash
from tests.fakes.world import World
from tests.flows.sending import ends, fresh
from tests.flows.test_multicast import AT, crowd

LIMIT = 50
SECOND = dt.timedelta(seconds=1)


def limited(world: World) -> World:
    world.line_quota.limit = LIMIT
    return world


def used(world: World) -> int:
    return world.allowances.count(month_counter(world.now)).used


def on_the_next_claim(world: World, deed: Callable[[Callable[[], list[Written]]], list[Written]]) -> None:
    """The next write of gates is what the deed makes of it."""
    save_gates = world.customers.save_gates

    def once(gates: Sequence[Gate]) -> list[Written]:
        world.customers.save_gates = save_gates  # type: ignore[method-assign]
        return deed(lambda: save_gates(gates))

    world.customers.save_gates = once  # type: ignore[method-assign]


def unanswered_and_then(world: World, meanwhile: Callable[[], object]) -> None:
    """The next claim is written and the answer lost, so that the driver's own repeat finds somebody to have been first:
    itself. Before the worker looks again, something else happens."""

    def deed(save: Callable[[], list[Written]]) -> list[Written]:
        answers = save()
        meanwhile()
        return ["overtaken" for _ in answers]

    on_the_next_claim(world, deed)


def overtaken_by(world: World, another: Callable[[], object]) -> None:
    """Before the next claim is written, somebody else writes the gate."""

    def deed(save: Callable[[], list[Written]]) -> list[Written]:
        another()
        return save()

    on_the_next_claim(world, deed)


def test_a_claim_that_another_worker_took_up_and_ended_keeps_its_unit() -> None:
    world = limited(fresh())
    intent = world.intent("tips")
    unanswered_and_then(world, lambda: world.send(intent))
    world.send(intent)
    assert (ends(world), used(world)) == ([("sent", "")], 1)


def test_a_claim_that_has_to_wait_keeps_its_unit_and_is_pushed_with_it() -> None:
    world = limited(fresh())
    stop = Block("stopped", UNTIL_LIFTED)
    unanswered_and_then(world, lambda: world.account_state.block(stop))
    world.send(world.intent("tips"))
    assert (world.line.pushes, used(world)) == ([], 1)
    world.account_state.lift(stop)
    world.advance(hours=1)
    assert (ends(world), used(world)) == ([("sent", "")], 1)


@pytest.mark.parametrize("answers", [["ok"], ["accept_then_timeout", "timeout"]])
def test_a_claim_that_came_to_nothing_because_another_was_first_gives_its_unit_back(
    answers: list[Outcome],
) -> None:
    world = limited(fresh())
    intent = world.intent("tips")
    world.line.script.extend(answers)

    def another() -> None:
        world.now += SECOND
        world.send(intent)

    overtaken_by(world, another)
    world.send(intent)
    assert (ends(world), used(world)) == ([("sent", "")], 1)


def test_a_claim_that_is_made_again_after_a_lost_race_takes_no_second_unit() -> None:
    world = limited(fresh())
    overtaken_by(world, lambda: world.customers.save_gate(world.gate()))
    world.send(world.intent("tips"))
    assert (ends(world), used(world)) == ([("sent", "")], 1)


def batch_of(world: World, at: Instant = AT) -> BatchOrder:
    """The campaign's batch, taken off the queue."""
    world.now = at
    for name, occurrence in world.schedules.take_due(world.now):
        world.evaluation.run(name, occurrence, world.time_left)
    (message,) = world.send_queue.waiting
    world.send_queue.waiting = []
    order = decode_order(message.body)
    assert isinstance(order, BatchOrder)
    return order


def claim_and_vanish(world: World, order: BatchOrder) -> None:
    """The worker is gone when everybody is claimed, and before the batch is sealed."""

    def hook(_number: int, name: str, _side: str) -> None:
        if name == "batches.seal":
            raise Crash

    world.tap.watch(hook)
    with pytest.raises(Crash):
        world.send(order)
    world.tap.watch(None)


def test_what_was_claimed_for_a_batch_and_left_out_of_it_gives_its_unit_back_once() -> None:
    world = limited(crowd())
    order = batch_of(world)

    def opt_out() -> None:
        world.ingest(world.event("consent_withdrawn", "c1", purpose="marketing"))
        world.decide_all()

    unanswered_and_then(world, opt_out)
    world.send(order)
    world.run()
    assert (len(world.line.pushes), used(world)) == (3, 3)


def test_what_another_worker_took_out_of_a_batch_gives_its_unit_back_once() -> None:
    """The batch was sealed without these members; whoever finds their claims lets them go, and each is told alone."""
    world = limited(crowd(2))
    order = batch_of(world)

    def seal_without_them() -> None:
        world.batches.seal(order.send_id, Sealed([], [], world.now))
        world.send(order)
        world.run()

    unanswered_and_then(world, seal_without_them)
    world.send(order)
    world.run()
    assert (len(world.line.pushes), used(world)) == (2, 2)


def test_a_unit_of_last_month_is_not_given_back_to_this_one() -> None:
    at = dt.datetime(2026, 11, 30, 14, 59, tzinfo=dt.UTC)
    mail = campaign("offer", segment="everybody", once=at)
    world = limited(crowd(2, playbook(campaigns={"mail": mail})))
    order = batch_of(world, at)
    world.allowances.reserve(month_counter(at + 2 * MINUTE), 5, None, None, at)
    claim_and_vanish(world, order)
    assert used(world) == 2
    world.now = at + 2 * MINUTE
    world.batches.seal(order.send_id, Sealed([], [], world.now))
    world.send(order)
    assert used(world) == 5
