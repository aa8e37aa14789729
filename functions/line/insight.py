"""LINE's figures of an aggregation unit; over urllib3, a timeout on every call, never repeated here."""

import datetime as dt
import json
from typing import Any
from urllib.parse import urlencode

import urllib3

from functions.domain.insight import Figures
from functions.line.access import AccessToken
from functions.ports.errors import AccountRefused, RateLimited, Rejected, Retryable

CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0
OK, UNAUTHORIZED, FORBIDDEN, TOO_MANY, SERVER_ERROR = 200, 401, 403, 429, 500
PATH = "/v2/bot/insight/message/event/aggregation"


class LineUnitInsight:
    """The insight of one channel."""

    def __init__(self, api_url: str, access_token: AccessToken, read_seconds: float = READ_SECONDS) -> None:
        self._api_url = api_url.rstrip("/")
        self._access_token = access_token
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds)
        self._http = urllib3.PoolManager(timeout=timeout, retries=False)

    def figures(self, unit: str, first: dt.date, last: dt.date) -> Figures:
        """How many people opened and tapped. Raises RateLimited, AccountRefused, Rejected or Retryable."""
        query = urlencode({"customAggregationUnit": unit, "from": f"{first:%Y%m%d}", "to": f"{last:%Y%m%d}"})
        headers = {"Authorization": f"Bearer {self._access_token()}"}
        try:
            answer = self._http.request(
                "GET", f"{self._api_url}{PATH}?{query}", headers=headers, redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise Retryable(f"no answer from LINE: {type(error).__name__}") from None
        self._check(answer.status)
        return _figures(answer.data)

    def _check(self, status: int) -> None:
        if status in (UNAUTHORIZED, FORBIDDEN):
            self._access_token.forget()  # it may have been rotated
            raise AccountRefused(f"http_{status}")
        if status == TOO_MANY:
            raise RateLimited("rate_limit")
        if status >= SERVER_ERROR:
            raise Retryable(f"LINE answered {status}")
        if status != OK:
            raise Rejected(f"http_{status}")


def _figures(body: bytes) -> Figures:
    try:
        overview: Any = json.loads(body)["overview"]
        return Figures(_count(overview.get("uniqueImpression")), _count(overview.get("uniqueClick")))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Retryable("LINE answered without figures") from None


def _count(value: Any) -> int | None:
    """A count; None where LINE tells none, which is no zero."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise TypeError("no count")
    return value
