"""Signed tokens: what an address or a form may carry, and nobody but us can have said.

Signed, not encrypted: whoever holds a token can read it. A purpose is the salt of its signature, so that a token for one
thing never passes for another. Two keys may be valid at once, the last of which signs: that is how they are rotated.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from itsdangerous import BadData, SignatureExpired, TimestampSigner, URLSafeTimedSerializer

from functions.domain.instants import Instant
from functions.ports.errors import TokenExpired, TokenInvalid
from functions.ports.tokens import Purpose

__all__ = ["KeysError", "Purpose", "TokenExpired", "TokenInvalid", "Tokens", "checked_keys"]
KEYS_MAX = 2
KEY_CHARACTERS_MIN = 32
TOKEN_CHARACTERS_MAX = 2_000
"""Longer than any token of ours, and short enough for an address: what is longer is not even looked at."""


class KeysError(RuntimeError):
    """The secret holds no keys that tokens may be signed with."""


class _Signer(TimestampSigner):
    """Tells the time by our clock."""

    def __init__(self, *args: Any, now: Callable[[], Instant], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._now = now

    def get_timestamp(self) -> int:
        return int(self._now().timestamp())


class Tokens:
    """Tokens under the keys of one deployment; `keys` are asked for each time, oldest first."""

    def __init__(self, keys: Callable[[], Sequence[str]], now: Callable[[], Instant]) -> None:
        self._keys = keys
        self._now = now

    def sign(self, purpose: Purpose, payload: Mapping[str, Any]) -> str:
        """The payload as a token: URL-safe, and as old as it is from now on."""
        token = self._serializer(purpose).dumps(dict(payload))
        if len(token) > TOKEN_CHARACTERS_MAX:
            raise ValueError(f"a token of {len(token)} characters fits into no address")
        return str(token)

    def read(self, purpose: Purpose, token: str, max_age: dt.timedelta) -> dict[str, Any]:
        """What a token says. Raises TokenExpired, or TokenInvalid for anything that is no token for this purpose."""
        if not token or len(token) > TOKEN_CHARACTERS_MAX or not token.isascii():
            raise TokenInvalid("no token")
        try:
            payload = self._serializer(purpose).loads(token, max_age=int(max_age.total_seconds()))
        except SignatureExpired:
            raise TokenExpired(f"a {purpose} token is too old") from None
        except (BadData, ValueError, RecursionError):
            raise TokenInvalid(f"no {purpose} token") from None
        if not isinstance(payload, dict):
            raise TokenInvalid(f"no {purpose} token")
        return payload

    def _serializer(self, purpose: Purpose) -> Any:
        return URLSafeTimedSerializer(
            checked_keys(self._keys()),
            salt=f"musubi:{purpose}",
            serializer=json,
            serializer_kwargs={"separators": (",", ":")},
            signer=_Signer,
            signer_kwargs={"now": self._now, "key_derivation": "hmac", "digest_method": hashlib.sha256},
        )


def checked_keys(keys: Sequence[str]) -> list[str]:
    """The keys; KeysError where there are none, too many, or one is too short to keep anybody out."""
    if not 1 <= len(keys) <= KEYS_MAX or any(len(key) < KEY_CHARACTERS_MIN for key in keys):
        raise KeysError(
            f"the link secret must hold one or two keys of at least {KEY_CHARACTERS_MIN} characters each: "
            '{"keys": ["…"]}'
        )
    return list(keys)
