"""LINE webhooks in: verified, counted once, and nothing lost."""

import itertools
import json
from typing import Any

import pytest

from functions.domain.json_bodies import DEPTH_MAX
from functions.ports.errors import Retryable
from functions.webhook.flow import signature_of
from tests.fakes.crashes import crash_everywhere
from tests.fakes.payloads import payload, webhook_events
from tests.fakes.playbooks import playbook
from tests.fakes.world import SECRET, World

USER = "U4af4980629a1e5cf5a3d3a9e7b3d1c01"
FRIEND = f"anon:{USER}"


def fresh() -> World:
    return World(playbook())


def count(world: World, alias: str, customer_id: str = FRIEND) -> int:
    tally = world.customer(customer_id).profile.tallies.get(alias)
    return tally.count if tally else 0


def redelivered(raw: dict[str, Any]) -> dict[str, Any]:
    return {**raw, "deliveryContext": {"isRedelivery": True}, "replyToken": "another"}


def test_a_signed_body_is_taken_in_byte_for_byte() -> None:
    world = fresh()
    body = json.dumps(payload("webhook/message"), ensure_ascii=False, indent=1).encode()
    assert world.receive.receive(body, signature_of(SECRET, body)).status == 200
    world.run()
    assert count(world, "line_message") == 1


@pytest.mark.parametrize("signature", ["", "wrong", "é", signature_of("another secret", b"{}")])
def test_a_wrong_signature_is_refused_and_nothing_is_taken_in(signature: str) -> None:
    world = fresh()
    assert world.receive.receive(b'{"events": []}', signature).status == 401
    assert world.inbox_queue.total == 0


def test_a_signature_is_of_the_raw_bytes_not_of_what_they_mean() -> None:
    world = fresh()
    signature = signature_of(SECRET, b'{"events":[]}')
    assert world.receive.receive(b'{"events": []}', signature).status == 401


def test_a_body_over_one_megabyte_is_refused() -> None:
    body = b'{"events": [' + b" " * 1024 * 1024 + b"]}"
    assert fresh().receive.receive(body, signature_of(SECRET, body)).status == 413


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"events": 1}', b"{}", b"\xff", b"null", b'{"events": ' + b"[" * 100_000]
)
def test_a_signed_body_that_is_no_webhook_is_answered_with_400(body: bytes) -> None:
    world = fresh()
    assert world.receive.receive(body, signature_of(SECRET, body)).status == 400
    assert world.inbox_queue.total == 0


@pytest.mark.parametrize("depth", [DEPTH_MAX, 480, 980])
@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"a":', "}"), ('[{"k":', "}]")])
def test_a_signed_body_that_nests_too_deep_is_answered_with_400(depth: int, begin: str, end: str) -> None:
    """What Python reads it may not be able to walk or to write again."""
    world = fresh()
    body = f'{{"events": [{begin * depth}1{end * depth}]}}'.encode()
    assert world.receive.receive(body, signature_of(SECRET, body)).status == 400
    assert world.inbox_queue.total == 0


def test_the_consoles_verification_is_answered_with_200_and_leaves_nothing() -> None:
    world = fresh()
    assert world.webhook(*webhook_events("verify")).status == 200
    assert world.inbox_queue.total == 0


def test_a_redelivered_event_counts_once_by_its_webhook_event_id() -> None:
    world = fresh()
    (raw,) = webhook_events("follow")
    for _ in range(3):
        world.webhook(raw, redelivered(raw))
        world.run()
    assert count(world, "line_follow") == 1


def test_an_old_payload_without_event_id_counts_once_whatever_its_reply_token() -> None:
    world = fresh()
    (raw,) = webhook_events("old_without_event_id")
    for _ in range(3):
        world.webhook(raw, redelivered(raw))
        world.run()
    assert count(world, "line_follow") == 1


def test_two_old_payloads_at_different_instants_count_twice() -> None:
    world = fresh()
    (raw,) = webhook_events("old_without_event_id")
    world.webhook(raw, {**raw, "timestamp": raw["timestamp"] + 1})
    world.run()
    assert count(world, "line_follow") == 2


STRANGE: list[Any] = [
    *webhook_events("unknown_type", "standby", "group_join", "account_link_failed"),
    {},
    {"type": None, "source": None, "timestamp": "yesterday"},
    {"type": 7, "source": {"type": "user", "userId": 7}, "timestamp": True},
    None,
    [],
    "text",
    17,
    {"type": "message", "source": {"type": "user", "userId": USER}, "timestamp": 10**30},
    {"type": "message", "source": {"userId": USER}, "timestamp": -1, "webhookEventId": 5},
]


@pytest.mark.parametrize("strange", STRANGE, ids=range(len(STRANGE)))
def test_a_strange_event_loses_none_of_its_neighbours(strange: Any) -> None:
    world = fresh()
    follow, postback = webhook_events("follow", "postback")
    assert world.webhook(follow, strange, postback).status == 200
    world.run()
    assert (count(world, "line_follow"), count(world, "line_postback")) == (1, 1)
    assert world.dead() == []


def test_half_a_surrogate_pair_loses_none_of_its_neighbours() -> None:
    world = fresh()
    follow, message, postback = webhook_events("follow", "message", "postback")
    message["message"]["text"] = "half an emoji: \ud83d"
    assert world.webhook(follow, message, postback).status == 200
    world.run()
    assert (count(world, "line_follow"), count(world, "line_postback")) == (1, 1)
    assert count(world, "line_message") == 1


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("follow", "line_follow"),
        ("unfollow", "line_unfollow"),
        ("message", "line_message"),
        ("postback", "line_postback"),
        ("account_link_ok", "line_accountLink"),
        ("standby", "line_message"),
        ("unknown_type", "line_aFutureType"),
    ],
)
def test_every_event_of_a_user_is_kept_whole(file: str, name: str) -> None:
    world = fresh()
    (raw,) = webhook_events(file)
    world.webhook(raw)
    world.run()
    (kept,) = world.events.all_of(FRIEND)
    assert (kept.name, kept.source, kept.properties["raw"]) == (name, "line", raw)


@pytest.mark.parametrize("file", ["account_link_failed", "group_join"])
def test_an_event_that_names_nobody_is_kept_as_well(file: str) -> None:
    world = fresh()
    (raw,) = webhook_events(file)
    world.webhook(raw)
    world.run()
    (kept,) = world.events.unattributed
    assert kept.properties["raw"] == raw


def test_what_the_queue_refuses_comes_again_with_lines_redelivery() -> None:
    world = fresh()
    events = webhook_events("follow", "message", "postback")
    world.inbox_queue.refuses = lambda position: position == 1
    with pytest.raises(Retryable):
        world.webhook(*events)
    world.webhook(*map(redelivered, events))
    world.run()
    assert [count(world, name) for name in ("line_follow", "line_message", "line_postback")] == [1, 1, 1]


def test_a_crash_at_any_call_loses_and_doubles_nothing() -> None:
    def act(world: World) -> None:
        world.webhook(*webhook_events("follow", "message", "postback", "account_link_failed"))
        world.run()

    def check(world: World) -> None:
        assert [count(world, name) for name in ("line_follow", "line_message", "line_postback")] == [1, 1, 1]
        assert len(world.events.unattributed) == 1
        assert world.gate(FRIEND).reaches(USER)
        assert world.dead() == []

    assert crash_everywhere(fresh, act, check) > 30


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_latest_of_follow_and_block_holds_whatever_the_order(order: tuple[int, ...]) -> None:
    world = fresh()
    follow, unfollow = webhook_events("follow", "unfollow")
    back = {**follow, "timestamp": unfollow["timestamp"] + 1000, "webhookEventId": "back"}
    events = [follow, unfollow, back]
    for number in order:
        world.webhook(events[number])
        world.run()
    assert world.gate(FRIEND).reaches(USER)


def test_a_friend_who_blocks_is_not_reachable() -> None:
    world = fresh()
    world.webhook(*webhook_events("follow", "unfollow"))
    world.run()
    assert not world.gate(FRIEND).reaches(USER)
