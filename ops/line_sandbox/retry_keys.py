"""Retry keys: an accepted key answers 409 for 24 hours; after that the same key is a new send."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

VALIDITY = dt.timedelta(hours=24)
HEX_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AcceptedRequest:
    """The first request that was accepted under a key. `sent_messages` is empty for all but push."""

    request_id: str
    at: dt.datetime
    sent_messages: tuple[dict[str, Any], ...] = ()


class RetryKeys:
    """Accepted keys of one channel, across its endpoints. Callers hold the world's lock."""

    def __init__(self) -> None:
        self._accepted: dict[str, AcceptedRequest] = {}

    def accepted(self, key: str, now: dt.datetime) -> AcceptedRequest | None:
        """The request that took the key less than 24 virtual hours ago; None without a key."""
        request = self._accepted.get(key.lower())
        return request if request and now - request.at < VALIDITY else None

    def record(self, key: str, request: AcceptedRequest) -> None:
        """Remember an accepted request; an empty key is no key."""
        if key:
            self._accepted[key.lower()] = request

    def clear(self) -> None:
        """Forget all keys."""
        self._accepted.clear()


def is_retry_key(text: str) -> bool:
    """Whether it is a UUID in hexadecimal, such as 123e4567-e89b-12d3-a456-426614174000."""
    return HEX_UUID.fullmatch(text) is not None
