"""webhook: verify the raw bytes, enqueue each event, answer. What an event means is decided elsewhere."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from functions.domain.instants import Instant
from functions.domain.json_bodies import parsed
from functions.ports.messages import LineReceived
from functions.ports.queues import Inbox

BODY_BYTES_MAX = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and the message that goes with it."""

    status: int
    message: str


def signature_of(secret: str, body: bytes) -> str:
    """base64(HMAC-SHA256(channel secret, raw body)), as LINE signs its webhooks."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def _is_signed(secret: str, body: bytes, signature: str) -> bool:
    return hmac.compare_digest(signature_of(secret, body).encode(), signature.encode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class Receive:
    """The ports of this flow."""

    channel_secrets: Callable[[], Sequence[str]]
    inbox: Inbox
    now: Callable[[], Instant]

    def receive(self, body: bytes, signature: str) -> Answer:
        """200 taken in · 400 no webhook body · 401 wrong signature · 413 too long. Raises Retryable: LINE redelivers."""
        if len(body) > BODY_BYTES_MAX:
            return Answer(413, "the body is over 1 MB")
        if not any(_is_signed(secret, body, signature) for secret in self.channel_secrets() if secret):
            return Answer(401, "the signature does not match the body")
        events = _events_of(body)
        if events is None:
            return Answer(400, "the body is no JSON object with a list of events")
        received_at = self.now()
        self.inbox.put([LineReceived(raw, received_at) for raw in events])
        return Answer(200, "taken in")


def _events_of(body: bytes) -> list[Any] | None:
    try:
        told = parsed(body)
    except ValueError:
        return None
    events = told.get("events") if isinstance(told, dict) else None
    return [_writable(event) for event in events] if isinstance(events, list) else None


def _writable(value: Any) -> Any:
    """The value with half surrogate pairs, which JSON may bring and UTF-8 cannot say, replaced."""
    if isinstance(value, str):
        return (
            value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            if not value.isascii()
            else value
        )
    if isinstance(value, list):
        return [_writable(item) for item in value]
    if isinstance(value, dict):
        return {_writable(key): _writable(item) for key, item in value.items()}
    return value
