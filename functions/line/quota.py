"""LINE's monthly quota: asked once, with a timeout."""

from typing import Any

import urllib3

from functions.domain.money import LineUsage
from functions.line.access import AccessToken
from functions.line.channel import Channel
from functions.ports.errors import MusubiError, Retryable

TIMEOUT_SECONDS = 2.0
"""Messages wait for the answer, and need it less than they need to go."""


class LineMonthlyQuota:
    """The quota of one channel."""

    def __init__(
        self, api_url: str, access_token: AccessToken, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self._api_url = api_url
        self._access_token = access_token
        self._timeout = urllib3.Timeout(total=timeout_seconds)

    def usage(self) -> LineUsage:
        """The limit and the use of this month. Raises Retryable where LINE does not tell: it is asked again later."""
        # A connection of its own: from one question to the next are ten minutes, in which the other end may close it.
        channel = Channel(self._api_url, self._access_token, self._timeout)
        quota, used = _told(channel, ""), _told(channel, "/consumption")
        return LineUsage(_limit(quota), _count(used, "totalUsage"))


def _told(channel: Channel, what: str) -> dict[str, Any]:
    try:
        return channel.ask("GET", f"/v2/bot/message/quota{what}", Retryable).read()
    except MusubiError as error:
        raise Retryable(f"LINE tells no quota: {error}") from None


def _limit(quota: dict[str, Any]) -> int | None:
    """None where LINE says that there is none; where it says nothing, that is not to be taken for it."""
    if quota.get("type") == "none":
        return None
    if quota.get("type") != "limited":
        raise Retryable("LINE tells no quota: type is missing")
    return _count(quota, "value")


def _count(told: dict[str, Any], name: str) -> int:
    value = told.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Retryable(f"LINE tells no quota: {name} is missing")
    return value
