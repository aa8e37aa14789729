"""Every accepted delivery, and how many of them are copies that a person would see twice."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

Repeat = Literal["", "key", "content"]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One accepted message set for one recipient. `repeat` says why it is a copy, if it is one."""

    user_id: str
    endpoint: str
    messages: list[dict[str, Any]]
    request_id: str
    retry_key: str
    unit: str
    at: dt.datetime
    delivered: bool
    repeat: Repeat = ""


class UserCount(msgspec.Struct, kw_only=True):
    """How much one user got."""

    user_id: str
    accepted: int = 0
    delivered: int = 0
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class Send:
    """An accepted request, before it is split by recipient."""

    endpoint: str
    messages: list[dict[str, Any]]
    request_id: str
    retry_key: str
    unit: str
    at: dt.datetime


class Ledger:
    """Deliveries by user, in the order of acceptance. Callers hold the world's lock."""

    def __init__(self) -> None:
        self._by_user: dict[str, list[Delivery]] = {}
        self._counts: dict[str, UserCount] = {}
        self._keys_seen: set[tuple[str, str]] = set()
        self._content_seen: dict[tuple[str, bytes], dt.datetime] = {}
        self.requests = 0
        self.key_repeats = 0
        self.content_repeats = 0

    def record(
        self, send: Send, recipients: Iterable[tuple[str, bool]], content_window: dt.timedelta
    ) -> None:
        """Note the send for each `(user, delivered)`."""
        self.requests += 1
        digest = content_digest(send.messages)
        for user_id, delivered in recipients:
            repeat = self._repeat_of(send, user_id, digest, content_window) if delivered else ""
            self._append(send, user_id, repeat, delivered=delivered)

    def of_user(self, user_id: str) -> list[Delivery]:
        """The user's deliveries, oldest first."""
        return list(self._by_user.get(user_id, ()))

    def all(self) -> list[Delivery]:
        """All deliveries, user by user."""
        return [delivery for deliveries in self._by_user.values() for delivery in deliveries]

    def counts(self) -> list[UserCount]:
        """One count a user, in the order of the first acceptance."""
        return list(self._counts.values())

    def _repeat_of(self, send: Send, user_id: str, digest: bytes, content_window: dt.timedelta) -> Repeat:
        """A copy by key or else by content, never both. A reply answers a token of its own and is no copy."""
        if send.endpoint == "reply":
            return ""
        by_key = self._saw_key(send.retry_key.lower(), user_id)
        by_content = self._saw_content(digest, user_id, send.at, content_window)
        self.key_repeats += by_key
        self.content_repeats += by_content and not by_key
        return "key" if by_key else "content" if by_content else ""

    def _saw_key(self, key: str, user_id: str) -> bool:
        """Whether the user got this key before: possible once the key is older than 24 hours."""
        if not key:
            return False
        seen = (user_id, key) in self._keys_seen
        self._keys_seen.add((user_id, key))
        return seen

    def _saw_content(
        self, digest: bytes, user_id: str, now: dt.datetime, content_window: dt.timedelta
    ) -> bool:
        last = self._content_seen.get((user_id, digest))
        self._content_seen[user_id, digest] = now
        return last is not None and abs(now - last) <= content_window

    def _append(self, send: Send, user_id: str, repeat: Repeat, *, delivered: bool) -> None:
        delivery = Delivery(
            user_id=user_id,
            endpoint=send.endpoint,
            messages=send.messages,
            request_id=send.request_id,
            retry_key=send.retry_key,
            unit=send.unit,
            at=send.at,
            delivered=delivered,
            repeat=repeat,
        )
        self._by_user.setdefault(user_id, []).append(delivery)
        count = self._counts.setdefault(user_id, UserCount(user_id=user_id))
        count.accepted += 1
        count.delivered += delivered
        count.duplicates += repeat != ""


def content_digest(messages: list[dict[str, Any]]) -> bytes:
    """SHA-256 of the canonical JSON: the order of properties does not matter."""
    text = json.dumps(messages, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()
