"""LINE's link tokens, and where the account is added as a friend."""

from urllib.parse import quote

import urllib3

from functions.line.access import AccessToken
from functions.line.channel import Channel
from functions.line.http import CONNECT_SECONDS
from functions.ports.errors import Retryable

READ_SECONDS = 4.0


class LineLinkTokens:
    """The Messaging API's part in linking. `friend_pages`: the address under which accounts are added."""

    def __init__(
        self,
        api_url: str,
        friend_pages: str,
        access_token: AccessToken,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self._friend_pages = friend_pages.rstrip("/")
        self._channel = Channel(
            api_url, access_token, urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds)
        )
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
        found = self._channel.ask(method, path, Retryable).read().get(name)
        if not isinstance(found, str) or not found:
            raise Retryable(f"LINE answered without {name}")
        return found
