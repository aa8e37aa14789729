"""Taking in sends: push, multicast, broadcast, narrowcast and reply."""

import itertools
import secrets
from collections.abc import Sequence
from typing import Any

from ops.line_sandbox.answers import (
    FAILED_TO_SEND,
    INVALID_REPLY_TOKEN,
    MONTHLY_LIMIT_REACHED,
    RETRY_KEY_ACCEPTED,
    Answer,
    JsonObject,
    RefusedError,
    refused,
)
from ops.line_sandbox.bodies import (
    Order,
    read_for_everybody,
    read_messages,
    read_multicast,
    read_push,
    read_reply,
)
from ops.line_sandbox.calls import Call
from ops.line_sandbox.friends import Friend
from ops.line_sandbox.ledger import Send
from ops.line_sandbox.retry_keys import AcceptedRequest, is_retry_key
from ops.line_sandbox.world import World

QUOTABLE = frozenset({"text", "textV2", "sticker", "image", "video", "template", "flex", "imagemap"})
_message_numbers = itertools.count(461_230_966_842_064_897)


def push(world: World, call: Call) -> Answer:
    """200 with the sent messages; the recipient may have blocked the account and get nothing all the same."""
    _check_retry_key(call)
    order = read_push(call.body)
    sent = sent_messages(order.messages)
    _accept(world, call, "push", order, sent)
    return Answer(200, {"sentMessages": list(sent)}, accepted=True)


def multicast(world: World, call: Call) -> Answer:
    """200 with `{}`; one retry key covers all recipients, and one unknown recipient refuses them all."""
    _check_retry_key(call)
    _accept(world, call, "multicast", read_multicast(call.body))
    return Answer(200, accepted=True)


def broadcast(world: World, call: Call) -> Answer:
    """200 with `{}`: everybody who is a friend now."""
    _check_retry_key(call)
    _accept(world, call, "broadcast", read_for_everybody(call.body), everybody=True)
    return Answer(200, accepted=True)


def narrowcast(world: World, call: Call) -> Answer:
    """202 with `{}`. LINE filters and sends later; the sandbox sends to every friend at once."""
    _check_retry_key(call)
    _accept(world, call, "narrowcast", read_for_everybody(call.body), everybody=True)
    return Answer(202, accepted=True)


def reply(world: World, call: Call) -> Answer:
    """200 with the sent messages, free of charge; the token works once. A retry key is an error here."""
    refuse_retry_key(call)
    token, messages = read_reply(call.body)
    with world.lock:
        user_id = world.reply_tokens.redeem(token, call.now)
        if user_id is None:
            raise refused(400, INVALID_REPLY_TOKEN)
        friend = world.friends.find(user_id)
        reached = friend is not None and friend.state == "friend"
        send = Send("reply", messages, call.request_id, "", "", call.now)
        world.ledger.record(send, [(user_id, reached)], world.content_window)
    return Answer(200, {"sentMessages": list(sent_messages(messages))}, accepted=True)


def validate(_world: World, call: Call) -> Answer:
    """200 with `{}` where the message objects are valid; nothing is sent."""
    refuse_retry_key(call)
    read_messages(call.body)
    return Answer(200)


def refuse_retry_key(call: Call) -> None:
    """Endpoints that know no retry key answer 400 to it."""
    if call.retry_key:
        raise refused(400, "The X-Line-Retry-Key header is not supported by this API")


def sent_messages(messages: Sequence[JsonObject]) -> tuple[dict[str, Any], ...]:
    """An id for each message, and a quote token where the message can be quoted."""
    return tuple(
        {"id": str(next(_message_numbers))}
        | ({"quoteToken": secrets.token_urlsafe(24)} if message["type"] in QUOTABLE else {})
        for message in messages
    )


def _check_retry_key(call: Call) -> None:
    if call.retry_key and not is_retry_key(call.retry_key):
        raise refused(400, "The value of the X-Line-Retry-Key header must be a UUID in hexadecimal")


def _accept(
    world: World,
    call: Call,
    endpoint: str,
    order: Order,
    sent: tuple[dict[str, Any], ...] = (),
    *,
    everybody: bool = False,
) -> None:
    """Take the send in, once: key, recipients and quota are judged and written under one lock."""
    with world.lock:
        earlier = world.retry_keys.accepted(call.retry_key, call.now)
        if earlier:
            raise _already_accepted(earlier)
        friends = world.friends.in_state("friend") if everybody else _known(world, order.recipients)
        recipients = [(friend.user_id, friend.state == "friend") for friend in friends]
        _charge(world, call, sum(reached for _, reached in recipients))
        unit = world.units.assign(order.unit, call.now)
        send = Send(endpoint, order.messages, call.request_id, call.retry_key, unit, call.now)
        world.ledger.record(send, recipients, world.content_window)
        world.retry_keys.record(call.retry_key, AcceptedRequest(call.request_id, call.now, sent))


def _already_accepted(earlier: AcceptedRequest) -> RefusedError:
    """409 naming the first request, and for push repeating what it sent."""
    body: JsonObject = {"message": RETRY_KEY_ACCEPTED}
    if earlier.sent_messages:
        body["sentMessages"] = list(earlier.sent_messages)
    return RefusedError(Answer(409, body, {"x-line-accepted-request-id": earlier.request_id}))


def _known(world: World, user_ids: Sequence[str]) -> list[Friend]:
    """The recipients; 400 where one is of another provider or made up."""
    if world.settings.accept_any_user:
        return [world.friends.befriend_if_unknown(user_id) for user_id in user_ids]
    friends = [world.friends.find(user_id) for user_id in user_ids]
    known = [friend for friend in friends if friend is not None]
    if len(known) < len(friends):
        raise refused(400, FAILED_TO_SEND)
    return known


def _charge(world: World, call: Call, recipients: int) -> None:
    """Count those reached against the month; 429 where they no longer fit."""
    if not world.quota.leaves_room(call.now, recipients, world.settings.monthly_limit):
        raise refused(429, MONTHLY_LIMIT_REACHED)
    world.quota.count(call.now, recipients)
