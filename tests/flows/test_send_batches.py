"""A whole batch of the send queue at once: each order as if it were alone, in few requests."""

import dataclasses
from collections import Counter
from collections.abc import Sequence

import msgspec
import pytest

from functions.domain.gate import Gate
from functions.domain.money import month_counter
from functions.domain.playbook import Cap
from functions.domain.sends import Intent, MenuOrder, SendRecord
from functions.ports.customers import Written
from functions.ports.errors import Retryable
from tests.fakes.line import Outcome
from tests.fakes.playbooks import DAY_SECONDS
from tests.fakes.tables import FakeCustomers, FakeSends
from tests.fakes.world import World
from tests.flows.sending import BOOK, ends, fresh, withdraw

PEOPLE = [f"c{number}" for number in range(10)]


def crowd() -> World:
    """Ten linked friends."""
    world = World(BOOK)
    for number, customer_id in enumerate(PEOPLE):
        world.customer_with_line(customer_id, f"U{number}")
    world.advance(minutes=1)
    return world


def one_each(world: World, message: str = "offer") -> list[Intent]:
    return [world.intent(message, one, f"U{number}") for number, one in enumerate(PEOPLE)]


def test_ten_messages_take_one_reservation_read_claim_and_record_together() -> None:
    world = crowd()
    world.send(world.intent("tips"))  # LINE's own count of the month is known from now on
    world.tap.watch(None)
    world.send(*one_each(world))
    calls = Counter(name for name in world.tap.calls if not name.startswith("account_state"))
    assert calls == {
        "allowances.reserve": 1,
        "customers.load_many": 1,
        "customers.save_gates": 1,
        "line.push": 10,
        "reactions.count_sent": 1,
        "sends.record_all": 1,
    }
    assert ends(world) == [("sent", "")] * 11


def test_the_same_order_twice_in_a_batch_is_one() -> None:
    world = fresh()
    intent = world.intent()
    assert world.deliver.take_all([intent, intent]) == [None, None]
    assert (len(world.line.calls), ends(world)) == (1, [("sent", "")])


def test_intents_of_one_customer_in_one_batch_see_each_other() -> None:
    """Two promotions under a cap of one: the second is held back by the first."""
    cap = Cap("one", ["promotion"], 1, DAY_SECONDS, 0)
    world = fresh(caps=[cap])
    offers = [world.intent("offer", occurrence="1"), world.intent("coupon", occurrence="2")]
    world.send(*offers)
    assert sorted(ends(world)) == [("sent", ""), ("suppressed", "capped:one")]


def test_ten_intents_of_one_customer_all_end() -> None:
    world = fresh(caps=[])
    intents = [world.intent("tips", step=f"s{number}", occurrence=str(number)) for number in range(10)]
    assert world.deliver.take_all(intents) == [None] * 10
    assert ends(world) == [("sent", "")] * 10


def test_one_refused_silent_or_unrenderable_order_leaves_the_others_alone() -> None:
    world = crowd()
    world.line.script.extend(["400", "timeout", "timeout", "rate"])
    intents = one_each(world)
    assert world.deliver.take_all(intents) == [None] * 10
    assert sorted(ends(world)) == sorted([("failed", "http_400"), *[("sent", "")] * 7])
    world.advance(hours=1)
    assert sorted(ends(world)) == sorted([("failed", "http_400"), *[("sent", "")] * 9])


def test_an_order_of_an_unknown_playbook_version_fails_alone() -> None:
    world = crowd()
    intents = one_each(world)
    intents[3] = msgspec.structs.replace(intents[3], playbook="none")
    failures = world.deliver.take_all(intents)
    assert [number for number, one in enumerate(failures) if one] == [3]
    assert ends(world) == [("sent", "")] * 9


def test_menus_and_messages_share_a_batch() -> None:
    world = crowd()
    failures = world.deliver.take_all([MenuOrder("menu:1", "nobody", "U99", "vip"), *one_each(world)])
    assert failures == [None] * 11
    assert ends(world) == [("sent", "")] * 10


class _Throttled(FakeCustomers):
    """Does not take every gate of a batch."""

    def __init__(self, customers: FakeCustomers, *throttled: str) -> None:
        super().__init__()
        self.customer_bodies, self.gate_bodies = customers.customer_bodies, customers.gate_bodies
        self._throttled = throttled

    def _saved(self, gate: Gate) -> Written:
        return "undone" if gate.customer_id in self._throttled else super()._saved(gate)


def test_who_was_throttled_comes_again_and_nobody_else() -> None:
    world = crowd()
    throttled = dataclasses.replace(world.deliver, customers=_Throttled(world.customers, "c3", "c7"))
    intents = one_each(world)
    failures = throttled.take_all(intents)
    assert [number for number, one in enumerate(failures) if one] == [3, 7]
    assert all(isinstance(one, Retryable) for one in failures if one)
    assert ends(world) == [("sent", "")] * 8
    world.send(*intents)
    assert ends(world) == [("sent", "")] * 10
    assert all(len(world.line.copies(f"U{number}")) == 1 for number in range(10))


class _Forgetful(FakeSends):
    """Writes nothing, and says so."""

    def record_all(self, records: Sequence[SendRecord]) -> list[Written]:
        return ["undone" for _ in records]


@pytest.mark.parametrize("size", [1, 10])
def test_a_record_that_was_not_written_brings_its_order_again_and_not_its_message(size: int) -> None:
    world = crowd()
    intents = one_each(world)[:size]
    forgetful = dataclasses.replace(world.deliver, sends=_Forgetful())
    assert all(isinstance(one, Retryable) for one in forgetful.take_all(intents))
    world.send(*intents)
    assert ends(world) == [("sent", "")] * size
    assert len(world.line.pushes) == size


def quota(limit: int) -> World:
    """Ten linked friends, and a month of so few messages."""
    world = crowd()
    world.line_quota.limit = limit
    return world


def used(world: World) -> int:
    return world.allowances.count(month_counter(world.now)).used


def test_more_than_the_month_holds_is_never_pushed_and_waits() -> None:
    world = quota(4)
    world.send(*one_each(world, "tips"))
    assert (len(world.line.pushes), used(world)) == (4, 4)
    assert [intent.holds[-1].reason for _, intent in world.timers.held] == ["over_quota"] * 6


def test_a_definite_failure_gives_its_unit_back_and_the_next_one_takes_it() -> None:
    world = quota(2)
    world.line.script.extend(["400", "ok"])
    world.send(*one_each(world, "tips")[:2])
    assert used(world) == 1
    world.send(one_each(world, "tips")[2])
    assert sorted(ends(world)) == [("failed", "http_400"), ("sent", ""), ("sent", "")]


@pytest.mark.parametrize("outcome", ["rate", "401"])
def test_what_line_refuses_for_now_gives_its_unit_back_until_it_comes_again(outcome: Outcome) -> None:
    world = quota(100)
    world.line.script.append(outcome)
    world.send(world.intent("tips"))
    assert used(world) == 0
    world.advance(hours=1)
    assert (ends(world), used(world)) == ([("sent", "")], 1)


def test_what_may_have_arrived_keeps_its_unit_and_its_resume_takes_no_other() -> None:
    world = quota(100)
    world.line.script.extend(["accept_then_timeout", "timeout"])
    world.send(world.intent("tips"))
    assert used(world) == 1
    world.advance(hours=1)
    assert (ends(world), used(world)) == ([("sent", "")], 1)


def test_what_is_held_back_takes_no_unit() -> None:
    world = quota(100)
    withdraw(world)
    world.send(world.intent("offer"))
    assert (ends(world), used(world)) == ([("suppressed", "no_consent")], 0)


def test_when_little_is_left_a_notification_goes_and_a_promotion_waits() -> None:
    world = quota(20)  # the last two are kept for what matters more
    offers = [world.intent("offer", one, f"U{n}") for n, one in enumerate(PEOPLE)]
    tips = [world.intent("tips", one, f"U{n}") for n, one in enumerate(PEOPLE)]
    world.send(*tips)
    world.send(*offers)
    assert used(world) == 19
    world.send(world.intent("thanks"))
    assert used(world) == 20
    assert len(world.line.pushes) == 20
    assert [intent.kind for _, intent in world.timers.held] == ["promotion"]
