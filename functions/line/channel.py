"""The Messaging API of one channel: its token on every request, and what LINE's answers mean.

Not over line-bot-sdk, whose models strip messages given as dicts to `{"type": "text"}`, and whose import alone was most of a
sender's cold start (docs/decisions.md).
"""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
import urllib3

from functions.line.access import AccessToken
from functions.line.http import (
    FORBIDDEN,
    NOTHING,
    SUCCESSES,
    TOO_MANY,
    UNAUTHORIZED,
    Answer,
    Server,
)
from functions.ports.errors import AccountRefused, MusubiError, OverQuota, RateLimited, Rejected

_JSON = {"Accept": "application/json", "Content-Type": "application/json"}
_MONTHLY = "You have reached your monthly limit."
_SAME_USER = "same user"


class Channel:
    """One channel. The token is fetched at the first call, and anew after LINE has refused it: it may have been rotated."""

    def __init__(
        self, api_url: str, access_token: AccessToken, timeout: urllib3.Timeout, connections: int = 1
    ) -> None:
        self._server = Server(api_url, timeout, connections=connections)
        self._access_token = access_token

    def ask(
        self,
        method: str,
        path: str,
        unanswered: type[MusubiError],
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] = NOTHING,
        also: Collection[int] = (),
    ) -> Answer:
        """What LINE answers, where that is a success or a status of `also`.

        Raises `unanswered` where no answer came or LINE failed, AccountRefused (401, 403), OverQuota or RateLimited (429), and
        Rejected for all else.
        """
        content = None if body is None else _encoded(body)
        answer = self._server.ask(method, path, unanswered, content, {**_JSON, **self._bearer(), **headers})
        if answer.status in SUCCESSES or answer.status in also:
            return answer
        raise self._refusal(answer)

    def _bearer(self) -> dict[str, str]:
        """AccountRefused for what is no token: nothing would come of asking."""
        token = self._access_token()
        if not is_token(token):
            self._access_token.forget()
            raise AccountRefused("no_token")
        return {"Authorization": f"Bearer {token}"}

    def _refusal(self, answer: Answer) -> MusubiError:
        if answer.status in (UNAUTHORIZED, FORBIDDEN):
            self._access_token.forget()
            return AccountRefused(f"http_{answer.status}")
        if answer.status == TOO_MANY:
            return _too_many(str(answer.read().get("message", "")))
        return Rejected(f"http_{answer.status}")


def _encoded(body: Mapping[str, Any]) -> bytes:
    """UTF-8: of Japanese half as many bytes as in escapes. Rejected for what is no Unicode text, as LINE would."""
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:
        raise Rejected("no_unicode_text") from None


def _too_many(message: str) -> MusubiError:
    """429 has several meanings, told apart by the text alone; an unknown text is taken for the rate limit."""
    if message == _MONTHLY:
        return OverQuota("monthly_limit")
    if _SAME_USER in message:
        return Rejected("same_user_limit")
    return RateLimited("rate_limit")


def is_token(token: str) -> bool:
    """Whether a header can bear it: not where it was pasted with a space or the end of its line."""
    return bool(token) and token.isascii() and token.isprintable() and " " not in token
