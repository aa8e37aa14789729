"""LINE's figures of an aggregation unit."""

import datetime as dt
from typing import Any
from urllib.parse import urlencode

import urllib3

from functions.domain.insight import Figures
from functions.line.access import AccessToken
from functions.line.channel import Channel
from functions.line.http import CONNECT_SECONDS
from functions.ports.errors import Retryable

READ_SECONDS = 5.0
PATH = "/v2/bot/insight/message/event/aggregation"


class LineUnitInsight:
    """The insight of one channel."""

    def __init__(self, api_url: str, access_token: AccessToken, read_seconds: float = READ_SECONDS) -> None:
        self._channel = Channel(
            api_url, access_token, urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds)
        )

    def figures(self, unit: str, first: dt.date, last: dt.date) -> Figures:
        """How many people opened and tapped. Raises RateLimited, AccountRefused, Rejected or Retryable."""
        query = urlencode({"customAggregationUnit": unit, "from": f"{first:%Y%m%d}", "to": f"{last:%Y%m%d}"})
        overview = self._channel.ask("GET", f"{PATH}?{query}", Retryable).read().get("overview")
        if not isinstance(overview, dict):
            raise Retryable("LINE answered without figures")
        return Figures(_count(overview.get("uniqueImpression")), _count(overview.get("uniqueClick")))


def _count(value: Any) -> int | None:
    """A count; None where LINE tells none, which is no zero."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise Retryable("LINE answered without figures")
    return value
