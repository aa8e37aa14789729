"""Replies in the chat, over urllib3: a reply token works once, for about a minute, and costs no message of the month."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import urllib3

from functions.line.access import AccessToken
from functions.ports.errors import AccountRefused, Rejected, Unknown

CONNECT_SECONDS = 1.0
READ_SECONDS = 2.0
"""Other people's events wait behind a reply, and matter more."""
OK, UNAUTHORIZED, FORBIDDEN, SERVER_ERROR = 200, 401, 403, 500


class LineReplies:
    """The Messaging API's reply."""

    def __init__(self, api_url: str, access_token: AccessToken, read_seconds: float = READ_SECONDS) -> None:
        self._url = f"{api_url.rstrip('/')}/v2/bot/message/reply"
        self._access_token = access_token
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds)
        self._http = urllib3.PoolManager(timeout=timeout, retries=False)

    def reply(self, reply_token: str, messages: Sequence[Mapping[str, Any]]) -> None:
        """Say this, once. Raises Rejected, AccountRefused or Unknown; it is never repeated: the token is used up."""
        headers = {"Authorization": f"Bearer {self._access_token()}", "Content-Type": "application/json"}
        body = json.dumps({"replyToken": reply_token, "messages": list(messages)})
        try:
            status = self._http.request("POST", self._url, body=body, headers=headers, redirect=False).status
        except urllib3.exceptions.HTTPError as error:
            raise Unknown(f"no answer from LINE: {type(error).__name__}") from None
        if status in (UNAUTHORIZED, FORBIDDEN):
            self._access_token.forget()  # it may have been rotated
            raise AccountRefused(f"http_{status}")
        if status >= SERVER_ERROR:
            raise Unknown(f"LINE answered {status}")
        if status != OK:
            raise Rejected(f"http_{status}")
