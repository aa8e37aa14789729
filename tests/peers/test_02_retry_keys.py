"""2. 409 treated as a failure; no retry key at all."""

import dataclasses
from collections.abc import Iterator

import pytest

from functions.line.messaging import LineMessaging
from functions.ports.errors import Unknown
from functions.ports.line import Accepted
from ops.line_sandbox import SANDBOX_ACCESS_TOKEN, FaultRule, Friend, LineSandbox
from tests.fakes.world import World
from tests.flows.sending import BOOK, ends, fresh

ANNE = "U" + "1" * 32
KEY = "123e4567-e89b-12d3-a456-426614174000"
HELLO = [{"type": "text", "text": "Hello"}]


class Token:
    """A channel access token that stays as it is."""

    def __call__(self) -> str:
        return SANDBOX_ACCESS_TOKEN

    def forget(self) -> None:
        """Nothing to fetch anew."""


@pytest.fixture
def sandbox() -> Iterator[LineSandbox]:
    """A LINE with one friend."""
    with LineSandbox() as running:
        running.world.friends.register([Friend(user_id=ANNE)])
        yield running


def over(sandbox: LineSandbox) -> World:
    """The flows over the real client of LINE, and a LINE that answers over HTTP."""
    world = World(BOOK)
    world.customer_with_line("c1", ANNE)
    line = LineMessaging(sandbox.url, Token(), 5.0)
    world.deliver = dataclasses.replace(world.deliver, line=line)
    return world


def test_a_409_is_an_acceptance(sandbox: LineSandbox) -> None:
    """409 says that LINE has the message already; others count it as failed, and send again under another key."""
    line = LineMessaging(sandbox.url, Token(), 5.0)
    first = line.push(ANNE, HELLO, KEY)
    assert line.push(ANNE, HELLO, KEY) == first
    assert isinstance(first, Accepted)


def test_an_answer_that_was_lost_ends_as_sent_under_the_first_requests_id(sandbox: LineSandbox) -> None:
    """The 409 to the second try is taken for a failure, although the first try arrived."""
    world = over(sandbox)
    sandbox.world.faults.replace([FaultRule(kind="accept_then_drop", times=1)])
    intent = world.intent("thanks", user=ANNE)
    world.enqueue(intent)
    world.run()
    world.advance(hours=1)
    answers = sandbox.world.report().answers["push"]
    assert (answers["dropped"], answers["409"]) == (1, 1)
    (delivery,) = sandbox.world.ledger.of_user(ANNE)
    (record,) = world.records()
    assert (record.status, record.request_id) == ("sent", delivery.request_id)


def test_every_push_bears_a_retry_key_from_its_first_try_on(sandbox: LineSandbox) -> None:
    """No retry key at all: after a time-out there is nothing that LINE could know the message by."""
    world = over(sandbox)
    sandbox.world.faults.replace([FaultRule(kind="accept_then_500", times=1)])
    intent = world.intent("thanks", user=ANNE)
    world.enqueue(intent)
    world.advance(hours=1)
    (delivery,) = sandbox.world.ledger.of_user(ANNE)
    assert delivery.retry_key == intent.send_id
    assert sandbox.world.report().duplicates == 0


def test_the_client_repeats_no_push_by_itself(sandbox: LineSandbox) -> None:
    """A connection pool that repeats a POST of its own accord would do so without anybody's decision."""
    sandbox.world.faults.replace([FaultRule(kind="accept_then_drop")])
    with pytest.raises(Unknown):
        LineMessaging(sandbox.url, Token(), 5.0).push(ANNE, HELLO, KEY)
    assert sum(sandbox.world.report().answers["push"].values()) == 1


def test_every_try_bears_the_same_key() -> None:
    """A key made anew for each try makes each try a send of its own."""
    world = fresh()
    world.line.script.extend(["accept_then_timeout", "accept_then_500", "timeout", "accept_then_timeout"])
    intent = world.intent()
    world.enqueue(intent)
    world.advance(hours=6)
    assert len(world.line.calls) > 3
    assert {key for _, key in world.line.calls} == {intent.send_id}
    assert (world.line.copies("U1"), ends(world)) == (["offer"], [("sent", "")])
