"""Replies in the chat: a reply token works once, for about a minute, and costs no message of the month."""

from collections.abc import Mapping, Sequence
from typing import Any

import urllib3

from functions.line.access import AccessToken
from functions.line.channel import Channel
from functions.ports.errors import RateLimited, Rejected, Unknown

CONNECT_SECONDS = 1.0
READ_SECONDS = 2.0
"""Other people's events wait behind a reply, and matter more."""


class LineReplies:
    """The Messaging API's reply."""

    def __init__(self, api_url: str, access_token: AccessToken, read_seconds: float = READ_SECONDS) -> None:
        self._channel = Channel(
            api_url, access_token, urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds)
        )

    def reply(self, reply_token: str, messages: Sequence[Mapping[str, Any]]) -> None:
        """Say this, once. Raises Rejected, AccountRefused or Unknown; it is never repeated: nobody waits for a token's minute."""
        body = {"replyToken": reply_token, "messages": list(messages)}
        try:
            self._channel.ask("POST", "/v2/bot/message/reply", Unknown, body)
        except RateLimited as error:
            raise Rejected(str(error)) from None
