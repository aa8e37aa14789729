"""LINE's webhook events, read tolerantly one by one: nothing that LINE may send loses its neighbours."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import msgspec

from functions.domain.events import AHEAD_MAX, ANONYMOUS_IDS, Dictionary, Event, EventType
from functions.domain.instants import Instant, from_milliseconds

ANONYMOUS = ANONYMOUS_IDS
TIMESTAMP_MAX = 1e14  # milliseconds; the year 5138

LINE_EVENTS: Dictionary = {
    "line_follow": EventType("added the account as a friend, or unblocked it"),
    "line_unfollow": EventType("blocked the account"),
    "line_message": EventType("wrote in the chat"),
    "line_postback": EventType("tapped a button or a rich menu"),
    "line_accountLink": EventType("came back from the account-link dialog"),
}
"""The webhook events that profiles count. Every other type is kept as it came, under `line_<type>`."""


class LineEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One webhook event: whose it is (empty where LINE names nobody) and what happened."""

    line_user_id: str
    event: Event


def anonymous_id(line_user_id: str) -> str:
    """The customer id of a friend who is not linked."""
    return f"{ANONYMOUS}{line_user_id}"


def is_anonymous(customer_id: str) -> bool:
    """Whether the id is a friend's who is not linked."""
    return customer_id.startswith(ANONYMOUS)


def event_id_of(raw: Mapping[str, Any]) -> str:
    """LINE's `webhookEventId`; for payloads older than it, a digest of what a redelivery repeats."""
    given = raw.get("webhookEventId")
    if isinstance(given, str) and given:
        return f"line:{given}"
    repeated = {key: value for key, value in raw.items() if key not in ("deliveryContext", "replyToken")}
    digest = hashlib.sha256(json.dumps(repeated, sort_keys=True).encode()).hexdigest()
    return f"line:~{digest[:32]}"


def _occurred_at(raw: Mapping[str, Any], received_at: Instant) -> Instant:
    timestamp = raw.get("timestamp")
    if (
        isinstance(timestamp, bool)
        or not isinstance(timestamp, int | float)
        or not 0 < timestamp < TIMESTAMP_MAX
    ):
        return received_at
    occurred_at = from_milliseconds(timestamp)
    return occurred_at if occurred_at <= received_at + AHEAD_MAX else received_at


def read_line_event(raw: Any, received_at: Instant) -> LineEvent:
    """A raw webhook event as a value; what cannot be made out stays in its `raw` property."""
    if not isinstance(raw, Mapping):
        raw = {"type": "unreadable", "value": raw}
    source = raw.get("source")
    user = source.get("userId") if isinstance(source, Mapping) else None
    user = user if isinstance(user, str) else ""
    kind = raw.get("type")
    name = f"line_{kind}" if isinstance(kind, str) and kind else "line_unknown"
    return LineEvent(
        line_user_id=user,
        event=Event(
            event_id=event_id_of(raw),
            customer_id="",
            name=name[:64],
            occurred_at=_occurred_at(raw, received_at),
            source="line",
            properties={"line_user_id": user, "raw": dict(raw)},
        ),
    )
