"""Names that are made by rule and stored: another rule would not find what is stored under the name of before."""

import datetime as dt
import importlib
import uuid
from collections.abc import Callable
from typing import Any

import msgspec

from tests.stored.kinds import AT, shape_of, whole

KEY = "0123456789abcdef0123456789abcdef"  # pragma: allowlist secret
TREE = ["cmp", ">=", ["count", "orders"], ["const", 1]]


def _of(module: str, name: str) -> Any:
    return getattr(importlib.import_module(f"functions.{module}"), name)


def _tokens() -> Any:
    return _of("tokens", "Tokens")(lambda: [KEY], lambda: AT)


def _click() -> str:
    links = whole(_of("domain.playbook", "Links"))
    links = type(links)(track=True, to=["https://shop.example"], expires_seconds=86_400)
    addresses = _of("addresses", "SignedAddresses")(lambda: [KEY], "https://link.example")
    action = {"type": "uri", "label": "見る", "uri": "https://shop.example/new"}
    content = [{"type": "flex", "altText": "x", "contents": {"type": "button", "action": action}}]
    intent = msgspec.structs.replace(whole(shape_of("Intent")), send_id=str(uuid.UUID(int=7)), made_at=AT)
    told = addresses.tracked(intent, links, content)
    return str(told[0]["contents"]["action"]["uri"])


MADE: dict[str, Callable[[], object]] = {
    "send_id": lambda: _of("domain.sends", "send_id_of")("main", "path", "j1", "step", "U1", "1"),
    "content": lambda: _of("domain.sends", "content_hash")([{"type": "text", "text": "花"}]),
    "fingerprint": lambda: _of("domain.journeys", "fingerprint")("e1~provisional"),
    "segment": lambda: _of("domain.segments", "segment_hash")(TREE),
    "friend": lambda: _of("domain.line_events", "anonymous_id")("U1"),
    "provisional": lambda: _of("domain.events", "Event")("e1", "c1", "purchase", AT, "provisional").identity,
    "bucket": lambda: _of("aws.timers", "bucket")(AT, 3),
    "day": lambda: _of("domain.breaker", "day_of")(AT),
    "instant": lambda: _of("domain.instants", "format_instant")(AT.replace(microsecond=0)),
    "moment": lambda: _of("domain.instants", "format_instant")(AT + dt.timedelta(microseconds=5)),
    "secret": lambda: _of("aws.once", "hashed")("ABCD2345"),
    "erased": lambda: _of("domain.erasure", "hashed")("k" * 32, "customer#gone"),
    "stranger": lambda: _of("domain.facts", "person")("anon:U1"),
    "token": lambda: _tokens().sign("preferences", {"u": "U1"}),
    "click": _click,
}


def names() -> dict[str, object]:
    """What this code makes of the same; without what it does not know yet."""
    told = {}
    for name, make in MADE.items():
        try:
            told[name] = make()
        except (ImportError, AttributeError):
            continue
    return told
