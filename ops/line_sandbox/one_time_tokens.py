"""Tokens that work once and not for long: reply tokens (about a minute) and link tokens (ten minutes)."""

import datetime as dt
import secrets
from dataclasses import dataclass

REPLY_TOKEN_VALIDITY = dt.timedelta(minutes=1)
LINK_TOKEN_VALIDITY = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _Issued:
    user_id: str
    at: dt.datetime


class OneTimeTokens:
    """Tokens of one sort by their text. Callers hold the world's lock."""

    def __init__(self, validity: dt.timedelta) -> None:
        self._validity = validity
        self._issued: dict[str, _Issued] = {}

    def issue(self, user_id: str, now: dt.datetime) -> str:
        """A new token for the user: 32 hexadecimal digits."""
        token = secrets.token_hex(16)
        self._issued[token] = _Issued(user_id, now)
        return token

    def owner(self, token: str, now: dt.datetime) -> str | None:
        """The user that `redeem` would return; the token stays."""
        issued = self._issued.get(token)
        return issued.user_id if issued and now - issued.at <= self._validity else None

    def redeem(self, token: str, now: dt.datetime) -> str | None:
        """The user the token was issued for; None where it is unknown, used or expired. It is used up now."""
        user_id = self.owner(token, now)
        self._issued.pop(token, None)
        return user_id

    def clear(self) -> None:
        """Forget all tokens."""
        self._issued.clear()
