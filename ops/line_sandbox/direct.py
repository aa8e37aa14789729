"""The sandbox without HTTP, for simulations and tests: the same answers, from plain calls in virtual time."""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from ops.line_sandbox.answers import Answer, JsonObject
from ops.line_sandbox.calls import Request
from ops.line_sandbox.sandbox import SANDBOX_ACCESS_TOKEN, LineSandbox


class SteppedClock:
    """A virtual clock that stands still until it is moved."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now

    def __call__(self) -> dt.datetime:
        return self.now

    def advance(self, step: dt.timedelta) -> None:
        """Move on by a step."""
        self.now += step


class DirectLine:
    """Calls one sandbox's Messaging API as a client would. The sandbox need not be started."""

    def __init__(self, sandbox: LineSandbox, access_token: str = SANDBOX_ACCESS_TOKEN) -> None:
        self.sandbox = sandbox
        self._headers = {"authorization": f"Bearer {access_token}"}

    def call(self, method: str, path: str, body: object = None, *, key: str = "") -> Answer:
        """Any request; `body` is JSON, or bytes as they stand, and `key` the retry key."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        headers = {**self._headers, "x-line-retry-key": key} if key else self._headers
        return self.sandbox.answer(Request(method, path, headers, raw))

    def push(self, to: str, *messages: JsonObject, key: str = "", **more: Any) -> Answer:
        """Push to one user; `more` are further properties of the body."""
        body = {"to": to, "messages": list(messages), **more}
        return self.call("POST", "/v2/bot/message/push", body, key=key)

    def multicast(self, to: Sequence[str], *messages: JsonObject, key: str = "", **more: Any) -> Answer:
        """The same to up to 500 users."""
        body = {"to": list(to), "messages": list(messages), **more}
        return self.call("POST", "/v2/bot/message/multicast", body, key=key)

    def reply(self, reply_token: str, *messages: JsonObject, key: str = "") -> Answer:
        """Answer an event; a key is there only to be refused."""
        body = {"replyToken": reply_token, "messages": list(messages)}
        return self.call("POST", "/v2/bot/message/reply", body, key=key)


def text(content: str) -> JsonObject:
    """A text message."""
    return {"type": "text", "text": content}
