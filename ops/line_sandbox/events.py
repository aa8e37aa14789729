"""Webhook events as LINE shapes them, from a short description of what a user did."""

import datetime as dt
import secrets
import threading
from collections.abc import Callable
from typing import Any

from ops.line_sandbox.answers import JsonObject
from ops.line_sandbox.world import World

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ULID_LENGTH = 26
REPLYABLE = frozenset(
    {"message", "follow", "postback", "join", "memberJoined", "videoPlayComplete", "beacon", "accountLink"}
)
SHORTHANDS = frozenset({"user_id", "at", "text", "data", "params", "result", "nonce", "is_unblocked"})


class EventError(ValueError):
    """A description from which no event can be made."""


def build_event(world: World, description: JsonObject) -> JsonObject:
    """The whole event, with a reply token where LINE gives one.

    `description` has `type` and `user_id`; `at` (an ISO instant; the clock's otherwise); what the type needs, in
    short (`text`; `data` and `params`; `result` and `nonce`; `is_unblocked`); and any property of LINE's own event,
    which is taken as it stands. A whole event of before passes unchanged, so that it can be delivered again.
    """
    kind = description.get("type")
    if not isinstance(kind, str) or not kind:
        raise EventError("An event needs a type.")
    now = world.clock()
    milliseconds = _milliseconds(description, now)
    event: JsonObject = {
        "type": kind,
        "webhookEventId": ulid(milliseconds),
        "timestamp": milliseconds,
        "mode": "active",
        "deliveryContext": {"isRedelivery": False},
        **_source(kind, description),
        **_payload(kind, description),
    }
    event.update((name, value) for name, value in description.items() if name not in SHORTHANDS)
    _give_reply_token(world, event, now)
    return event


class _Ulids:
    """ULIDs that rise within a millisecond: where time stands still, what came later still sorts later."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def number(self, milliseconds: int) -> int:
        """48 bits of time and 80 random ones, or the next after the last of the same millisecond."""
        with self._lock:
            same = self._last >> 80 == milliseconds
            self._last = self._last + 1 if same else (milliseconds << 80) | secrets.randbits(79)
            return self._last


_ulids = _Ulids()


def ulid(milliseconds: int) -> str:
    """A ULID in Crockford's base 32, 26 characters; those of one millisecond rise."""
    number = _ulids.number(milliseconds)
    return "".join(CROCKFORD[number >> 5 * place & 31] for place in reversed(range(ULID_LENGTH)))


def redelivered(event: JsonObject) -> JsonObject:
    """The same event, identical but for `deliveryContext.isRedelivery`."""
    return {**event, "deliveryContext": {**event.get("deliveryContext", {}), "isRedelivery": True}}


def _milliseconds(description: JsonObject, now: dt.datetime) -> int:
    at = description.get("at")
    try:
        instant = dt.datetime.fromisoformat(at) if at else now
    except (TypeError, ValueError):
        raise EventError(f"`at` must be an ISO instant, but is {at!r}.") from None
    if instant.tzinfo is None:
        raise EventError(f"`at` must name its offset, but is {at!r}.")
    return round(instant.timestamp() * 1000)


def _source(kind: str, description: JsonObject) -> JsonObject:
    """A failed account link and a delivery have no source."""
    failed_link = kind == "accountLink" and description.get("result") == "failed"
    user_id = description.get("user_id")
    if failed_link or kind == "delivery" or not user_id:
        return {}
    return {"source": {"type": "user", "userId": user_id}}


def _payload(kind: str, description: JsonObject) -> JsonObject:
    build = PAYLOADS.get(kind)
    return {} if build is None or kind in description else build(description)


def _message(description: JsonObject) -> JsonObject:
    message: dict[str, Any] = {
        "id": str(secrets.randbits(58)),
        "type": "text",
        "text": description.get("text", ""),
        "quoteToken": secrets.token_urlsafe(24),
    }
    return {"message": message}


def _follow(description: JsonObject) -> JsonObject:
    return {"follow": {"isUnblocked": bool(description.get("is_unblocked", False))}}


def _postback(description: JsonObject) -> JsonObject:
    postback: JsonObject = {"data": description.get("data", "")}
    if "params" in description:
        postback["params"] = description["params"]
    return {"postback": postback}


def _account_link(description: JsonObject) -> JsonObject:
    return {"link": {"result": description.get("result", "ok"), "nonce": description.get("nonce", "")}}


def _give_reply_token(world: World, event: JsonObject, now: dt.datetime) -> None:
    """Only an active channel gets one, only for events of a user, and an event of before keeps its own."""
    user_id = event.get("source", {}).get("userId")
    if event["type"] in REPLYABLE and event["mode"] == "active" and user_id and "replyToken" not in event:
        with world.lock:
            event["replyToken"] = world.reply_tokens.issue(user_id, now)


PAYLOADS: dict[str, Callable[[JsonObject], JsonObject]] = {
    "message": _message,
    "follow": _follow,
    "postback": _postback,
    "accountLink": _account_link,
}
