"""What LINE says of the channel itself: whose token it is, and where its webhooks go. For people; no message needs it."""

from dataclasses import dataclass
from typing import Any, TypeVar

import urllib3

from functions.line.access import AccessToken
from functions.line.channel import Channel
from functions.line.http import NOT_FOUND
from functions.ports.errors import Retryable

TIMEOUT_SECONDS = 5.0
_Value = TypeVar("_Value", str, bool)


@dataclass(frozen=True, slots=True)
class Bot:
    """The Official Account that a token belongs to."""

    name: str
    basic_id: str


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """Where LINE posts webhooks, and whether it does ("Use webhook" in its console)."""

    url: str
    is_active: bool


class LineBot:
    """One channel. AccountRefused where LINE does not take the token, Rejected where it takes no such question, Retryable where
    it does not answer as it should."""

    def __init__(self, api_url: str, access_token: AccessToken) -> None:
        self._channel = Channel(api_url, access_token, urllib3.Timeout(total=TIMEOUT_SECONDS))

    def info(self) -> Bot:
        """The account."""
        found = self._channel.ask("GET", "/v2/bot/info", Retryable).read()
        return Bot(_field(found, "displayName", str), _field(found, "basicId", str))

    def webhook(self) -> WebhookEndpoint | None:
        """The endpoint; None where none was ever set."""
        answer = self._channel.ask("GET", "/v2/bot/channel/webhook/endpoint", Retryable, also=(NOT_FOUND,))
        if answer.status == NOT_FOUND:
            return None
        found = answer.read()
        return WebhookEndpoint(_field(found, "endpoint", str), _field(found, "active", bool))


def _field(found: dict[str, Any], name: str, kind: type[_Value]) -> _Value:
    value = found.get(name)
    if not isinstance(value, kind):
        raise Retryable(f"LINE answered without {name}")
    return value
