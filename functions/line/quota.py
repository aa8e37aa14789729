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
        self._channel = Channel(api_url, access_token, urllib3.Timeout(total=timeout_seconds))

    def usage(self) -> LineUsage:
        """The limit and the use of this month. Raises Retryable where LINE does not tell: it is asked again later."""
        quota, used = self._told(""), self._told("/consumption")
        limit = _count(quota, "value") if quota.get("type") == "limited" else None
        return LineUsage(limit, _count(used, "totalUsage"))

    def _told(self, what: str) -> dict[str, Any]:
        try:
            return self._channel.ask("GET", f"/v2/bot/message/quota{what}", Retryable).read()
        except MusubiError as error:
            raise Retryable(f"LINE tells no quota: {error}") from None


def _count(told: dict[str, Any], name: str) -> int:
    value = told.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Retryable(f"LINE tells no quota: {name} is missing")
    return value
