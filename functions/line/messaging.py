"""What LINE's Messaging API does to people: messages and menus. One pool of connections a process, a timeout on every call."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import urllib3

from functions.line.access import AccessToken
from functions.line.channel import Channel
from functions.line.http import CONFLICT
from functions.line.pacing import Pace
from functions.ports.errors import Unknown
from functions.ports.line import Accepted

CONNECTIONS_MAX = 32
"""More than the threads of a worker: none of them opens a connection for one call alone."""


class LineMessaging:
    """The messages and menus of one channel. `timeout_seconds`: of a whole call. The paces: how fast this worker may call;
    None: as fast as it is asked to."""

    def __init__(
        self,
        api_url: str,
        access_token: AccessToken,
        timeout_seconds: float,
        push_pace: Pace | None = None,
        multicast_pace: Pace | None = None,
    ) -> None:
        self._multicast_pace = multicast_pace
        self._push_pace = push_pace
        self._channel = Channel(
            api_url, access_token, urllib3.Timeout(total=timeout_seconds), CONNECTIONS_MAX
        )

    def push(
        self, to: str, messages: Sequence[Mapping[str, Any]], retry_key: str, unit: str = ""
    ) -> Accepted:
        """Push 1–5 message objects. `unit`: what LINE counts them under. Raises Rejected, AccountRefused, OverQuota, RateLimited or Unknown."""
        if self._push_pace is not None:
            self._push_pace.wait()
        return self._say("/v2/bot/message/push", to, messages, retry_key, unit)

    def multicast(
        self, to: Sequence[str], messages: Sequence[Mapping[str, Any]], retry_key: str, unit: str = ""
    ) -> Accepted:
        """Send the same 1–5 message objects to up to 500 users. Raises as `push` does."""
        if self._multicast_pace is not None:
            self._multicast_pace.wait()
        return self._say("/v2/bot/message/multicast", list(to), messages, retry_key, unit)

    def link_menu(self, user: str, rich_menu_id: str) -> None:
        """Show one user this rich menu; any number of times. Raises as `push` does."""
        self._channel.ask("POST", f"/v2/bot/user/{quote(user)}/richmenu/{quote(rich_menu_id)}", Unknown)

    def unlink_menu(self, user: str) -> None:
        """Show one user the account's default again; any number of times. Raises as `push` does."""
        self._channel.ask("DELETE", f"/v2/bot/user/{quote(user)}/richmenu", Unknown)

    def _say(
        self,
        path: str,
        to: str | list[str],
        messages: Sequence[Mapping[str, Any]],
        retry_key: str,
        unit: str,
    ) -> Accepted:
        body = {"to": to, "messages": list(messages)}
        if unit:
            body["customAggregationUnits"] = [unit]
        answer = self._channel.ask(
            "POST", path, Unknown, body, {"X-Line-Retry-Key": retry_key}, also=(CONFLICT,)
        )
        # 409 says that an earlier attempt was accepted, and which.
        name = "x-line-accepted-request-id" if answer.status == CONFLICT else "x-line-request-id"
        return Accepted(answer.headers.get(name, ""))
