"""LINE's three kinds of 429, from the sandbox's own buckets and quota, through the real adapter and the real flow."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

from functions.domain.instants import Instant
from functions.line.messaging import LineMessaging
from functions.settings import LINE_PUSH_PER_SECOND
from ops.line_sandbox import FaultRule, Friend, LineSandbox, Settings
from tests.fakes.world import START, World, jst
from tests.flows.sending import BOOK, ends
from tests.line.test_rate import Token

ANNE, BERT = "U" + "1" * 32, "U" + "2" * 32
PEOPLE = {"anne": ANNE, "bert": BERT}
MONTHS_LAST_DAYS = jst(11, 28, 12)


@contextmanager
def sending_to(settings: Settings, start: Instant = START) -> Iterator[tuple[World, LineSandbox]]:
    """Two linked friends, and a sender that calls the sandbox over HTTP. LINE's time is the world's."""
    world = World(BOOK, start=start)
    for customer, user in PEOPLE.items():
        world.customer_with_line(customer, user)

    def monotonic() -> float:
        return world.now.timestamp()

    with LineSandbox(clock=world.clock, settings=settings, monotonic=monotonic) as sandbox:
        sandbox.world.friends.register([Friend(user_id=user) for user in PEOPLE.values()])
        line = LineMessaging(sandbox.url, Token(), 5.0)
        world.deliver = dataclasses.replace(world.deliver, line=line)
        yield world, sandbox


def both(world: World) -> None:
    """A promotion for each, enqueued at one instant."""
    world.enqueue(*(world.intent("offer", customer, user) for customer, user in PEOPLE.items()))


def answers(sandbox: LineSandbox) -> dict[str, int]:
    return sandbox.world.report(with_users=False).answers["push"]


def contacts(world: World, customer: str) -> list[str]:
    return [contact.kind for contact in world.gate(customer).contacts]


def test_above_the_rate_it_comes_again_in_two_seconds_and_burns_no_receive() -> None:
    one_in_two_seconds = Settings(rate_scale=0.5 / LINE_PUSH_PER_SECOND)
    with sending_to(one_in_two_seconds) as (world, sandbox):
        both(world)
        world.run()
        assert answers(sandbox) == {"200": 1, "429": 1}
        assert (ends(world), contacts(world, "bert")) == ([("sent", "")], [])
        (waiting,) = world.send_queue.waiting
        assert (waiting.receives, (waiting.visible_at - world.now).total_seconds()) == (0, 2)
        assert world.account_state.read().blocks == []
        world.advance(seconds=2)
        assert answers(sandbox) == {"200": 2, "429": 1}
        assert (ends(world), world.dead()) == ([("sent", ""), ("sent", "")], [])


def test_at_the_monthly_limit_the_account_waits_for_the_next_month() -> None:
    with sending_to(Settings(monthly_limit=1), MONTHS_LAST_DAYS) as (world, sandbox):
        both(world)
        world.run()
        assert answers(sandbox) == {"200": 1, "429": 1}
        assert (ends(world), contacts(world, "bert"), world.gate("bert").claims) == ([("sent", "")], [], [])
        (block,) = world.account_state.read().blocks
        assert (block.reason, block.until) == ("over_quota", jst(12, 1))
        world.advance(to=jst(11, 30, 23, 59))
        assert answers(sandbox) == {"200": 1, "429": 1}
        world.advance(to=jst(12, 1, 1))
        assert answers(sandbox) == {"200": 2, "429": 1}
        assert ends(world) == [("sent", ""), ("sent", "")]


def test_too_many_to_one_user_fails_for_that_user_alone() -> None:
    with sending_to(Settings()) as (world, sandbox):
        sandbox.world.faults.replace([FaultRule(kind="user_429", user=BERT)])
        both(world)
        world.run()
        assert answers(sandbox) == {"200": 1, "429": 1}
        assert sorted(ends(world)) == [("failed", "same_user_limit"), ("sent", "")]
        assert (contacts(world, "anne"), contacts(world, "bert")) == (["promotion"], [])
        world.advance(days=1)
        assert answers(sandbox) == {"200": 1, "429": 1}
