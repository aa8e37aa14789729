"""What is told as it happens, beside the night's files: facts as events of an EventBridge bus, published as
docs/live.schema.json.

Told at least once: of the same change the `id` is the same however often it comes. A detail-type bears its version, which
changes only where a field goes or means something else; fields only get added.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import msgspec

from functions.domain.facts import TABLE_OF, Click, Fact, Friendship, JourneyFact, Membership, Send
from functions.domain.instants import Instant

SOURCE = "musubi"
KINDS: Mapping[type[msgspec.Struct], str] = {
    Send: "SendEnded.v1",
    Click: "LinkClicked.v1",
    Friendship: "FriendshipChanged.v1",
    Membership: "MembershipChanged.v1",
    JourneyFact: "JourneyChanged.v1",
}
"""Fact → detail-type. Purchases and the like came from the CRM, which knows them; who is whom and which arm somebody was
given are the night's."""

TOLD_FOR = dt.timedelta(hours=1)
"""How long after its change a fact is still told live: a bus that is gone must hold up the lake no longer, whose stream
forgets after a day."""

_ID_DIGITS = 32


class Told(msgspec.Struct, frozen=True):
    """One event for the bus. `detail`: JSON; `at`: when it happened."""

    kind: str
    at: Instant
    detail: str


def is_live(row: Fact, now: Instant) -> bool:
    """Whether the row is of a kind that is told, and its change new enough."""
    return type(row) in KINDS and now - row.seen_at <= TOLD_FOR


def told(row: Fact, account: str) -> Told:
    """The row as an event: all its columns, whose account it is, and an id by which doubles are known."""
    kind = KINDS[type(row)]
    detail = {"id": _id_of(row, account), "account": account, **msgspec.to_builtins(row)}
    return Told(kind, row.at, json.dumps(detail, ensure_ascii=False))


def _id_of(row: Fact, account: str) -> str:
    """Of the row's key and version: a column that is added later changes no id."""
    key = TABLE_OF[type(row)].key
    parts = [account, KINDS[type(row)], *(str(getattr(row, name)) for name in key), row.seen_at.isoformat()]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:_ID_DIGITS]


def live_schema_text() -> str:
    """The JSON schema of every detail, by detail-type."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"What Musubi tells live (source {SOURCE})",
        "description": "The detail of each event, by detail-type. docs/results.md says how to subscribe.",
        "$defs": {kind: _schema_of(row) for row, kind in KINDS.items()},
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _schema_of(row: type[msgspec.Struct]) -> dict[str, Any]:
    table = TABLE_OF[row]
    properties = {
        "id": {"type": "string", "description": "the same however often this is told: drop what you have"},
        "account": {"type": "string", "description": "the account's id, as its deployment names it"},
        **{one.name: _JSON_TYPES[one.type] | {"description": one.meaning} for one in table.columns},
    }
    return {
        "type": "object",
        "description": table.meaning,
        "properties": properties,
        "required": list(properties),
    }


_JSON_TYPES: Mapping[str, dict[str, str]] = {
    "VARCHAR": {"type": "string"},
    "BOOLEAN": {"type": "boolean"},
    "BIGINT": {"type": "integer"},
    "TIMESTAMP": {"type": "string", "format": "date-time"},
}
