"""Whether a request bears a proof of who it is from: worked out anew from the standards, with nothing of the code's own.

HMAC-SHA256 for LINE's signature, RFC 6750 for bearers, and for signed texts what itsdangerous describes: `payload.time.mac`
under a key that derives from the purpose. Base64 is read as laxly as anybody does: the code must not be laxer.
"""

import base64
import binascii
import hashlib
import hmac
import re
import time
import zlib
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, unquote

import msgspec

from tests.fuzz.front_door import Asked

MINUTE, DAY = 60, 86_400
_FORM = "application/x-www-form-urlencoded"
TOKENS: dict[tuple[str, str], tuple[str, str, str, float]] = {
    ("GET", "/link/start"): ("query", "t", "ticket", 10 * MINUTE),
    ("POST", "/link/login"): ("form", "t", "ticket", 10 * MINUTE),
    ("GET", "/link/callback"): ("cookie", "__Host-musubi_link", "state", 10 * MINUTE),
    ("GET", "/link/in"): ("query", "s", "inflow", 3650 * DAY),
    ("GET", "/link/dialog"): ("query", "f", "friend", 14 * DAY),
    ("GET", "/link/liff"): ("query", "t", "ticket", 10 * MINUTE),
    ("POST", "/link/liff"): ("form", "t", "ticket", 10 * MINUTE),
    ("GET", "/link/manage"): ("query", "f", "friend", 14 * DAY),
    ("POST", "/link/unlink"): ("form", "t", "unlink", 15 * MINUTE),
    ("GET", "/link/preferences"): ("query", "p", "preferences", 400 * DAY),
    ("POST", "/link/preferences"): ("form", "t", "choice", 60 * MINUTE),
}
"""Route → where its proof is, its name, its purpose, and for how many seconds it is good."""


@dataclass(frozen=True)
class Keys:
    """What proofs of one deployment are made with; the last of `link` signs."""

    channel_secret: str
    ingest: str
    link: tuple[str, ...]


class Proofs:
    """The secrets of one deployment, with which requests are looked at."""

    def __init__(self, keys: Keys) -> None:
        self._channel_secret = keys.channel_secret
        self._ingest_key = keys.ingest
        self._link_keys = keys.link

    def of(self, asked: Asked) -> bool:
        """Whether the request proves what its route asks for."""
        if asked.path == "/webhook":
            signed = hmac.new(self._channel_secret.encode(), asked.body, hashlib.sha256).digest()
            right = base64.b64encode(signed).decode()
            return asked.flag != "broken" and asked.header("x-line-signature") == right
        if asked.path in ("/events", "/links"):
            right = rf"(?i:bearer) \s*{re.escape(self._ingest_key)}\s*"
            return re.fullmatch(right, asked.header("authorization")) is not None
        if asked.path.startswith("/c/"):
            token = unquote(asked.path).rpartition("/")[2]
            return self._is_click(token)
        place = TOKENS.get((asked.method, asked.path))
        return place is not None and self._is_good(_found(asked, *place[:2]), *place[2:])

    def _is_click(self, token: str) -> bool:
        said = self.said("click", token)
        return said is not None and isinstance(said.get("x"), int) and time.time() <= said["x"]

    def _is_good(self, tokens: list[str], purpose: str, seconds: float) -> bool:
        return any(self.said(purpose, token, seconds) is not None for token in tokens)

    def said(self, purpose: str, token: str, seconds: float = 395 * DAY) -> dict[str, Any] | None:
        """What one of our keys signed for this purpose within this time; None where none did."""
        signed, _, mac = token.rpartition(".")
        payload, _, at = signed.rpartition(".")
        given = _decoded(mac)
        if (
            not payload
            or given is None
            or not any(hmac.compare_digest(_mac(key, purpose, signed), given) for key in self._link_keys)
        ):
            return None
        made = int.from_bytes(_decoded(at) or b"", "big")
        if time.time() - made > seconds + 1:
            return None
        raw = zlib.decompress(_decoded(payload[1:]) or b"") if payload[0] == "." else _decoded(payload)
        said: dict[str, Any] = msgspec.json.decode(raw or b"{}")
        return said


def _mac(key: str, purpose: str, signed: str) -> bytes:
    derived = hmac.new(key.encode(), f"musubi:{purpose}".encode(), hashlib.sha256).digest()
    return hmac.new(derived, signed.encode("utf-8", "replace"), hashlib.sha256).digest()


def _decoded(text: str) -> bytes | None:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None


def _found(asked: Asked, where: str, name: str) -> list[str]:
    """All values of this name: more than a page may look at."""
    if where == "query":
        nested = parse_qs(asked.query).get("liff.state", [])
        return parse_qs(asked.query).get(name, []) + [t for one in nested for t in _nested(one, name)]
    if where == "form":
        return parse_qs(asked.body.decode("utf-8", "replace")).get(name, [])
    try:
        cookies = [SimpleCookie(part) for part in asked.header("cookie").split(";")]
    except CookieError:
        return []
    return [one[name].value for one in cookies if name in one]


def _nested(state: str, name: str) -> list[str]:
    return parse_qs(state.partition("?")[2]).get(name, [])
