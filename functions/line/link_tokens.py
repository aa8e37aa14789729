"""LINE's link tokens, and where the account is added as a friend; over urllib3, a timeout on every call."""

import json
from typing import Any
from urllib.parse import quote

import urllib3

from functions.line.access import AccessToken
from functions.ports.errors import AccountRefused, RateLimited, Rejected, Retryable

CONNECT_SECONDS = 2.0
READ_SECONDS = 4.0
OK, UNAUTHORIZED, FORBIDDEN, TOO_MANY, SERVER_ERROR = 200, 401, 403, 429, 500


class LineLinkTokens:
    """The Messaging API's part in linking. `friend_pages`: the address under which accounts are added."""

    def __init__(
        self,
        api_url: str,
        friend_pages: str,
        access_token: AccessToken,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self._api_url = api_url.rstrip("/")
        self._friend_pages = friend_pages.rstrip("/")
        self._access_token = access_token
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds)
        self._http = urllib3.PoolManager(timeout=timeout, retries=False)
        self._basic_id = ""

    def issue(self, line_user_id: str) -> str:
        """A fresh link token of this LINE user: ten minutes, once. One more than needed does no harm."""
        return self._text("POST", f"/v2/bot/user/{quote(line_user_id, safe='')}/linkToken", "linkToken")

    def add_friend_url(self) -> str:
        """Where somebody adds the account; LINE is asked for its name once a process."""
        if not self._basic_id:
            self._basic_id = self._text("GET", "/v2/bot/info", "basicId")
        return f"{self._friend_pages}/{quote(self._basic_id)}"

    def _text(self, method: str, path: str, name: str) -> str:
        headers = {"Authorization": f"Bearer {self._access_token()}"}
        try:
            answer = self._http.request(method, f"{self._api_url}{path}", headers=headers, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            raise Retryable(f"no answer from LINE: {type(error).__name__}") from None
        self._check(answer.status)
        try:
            found: Any = json.loads(answer.data)[name]
        except (ValueError, KeyError, TypeError):
            found = None
        if not isinstance(found, str) or not found:
            raise Retryable(f"LINE answered without {name}")
        return found

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
