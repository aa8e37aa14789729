"""Every proof that a request may bear, and every way in which one may be wrong."""

import base64
import datetime as dt
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

from functions.domain.tracked_links import Click, payload_of
from functions.ports.tokens import Purpose
from functions.tokens import Tokens
from tests.fuzz.deployment import (
    CUSTOMER,
    LOOSE_CUSTOMER,
    LOOSE_USER,
    OTHERS_KEY,
    SHOP,
    USER,
)
from tests.fuzz.front_door import Asked, answer
from tests.fuzz.proofs import Keys, Proofs

Proof = Literal[
    "right",
    "as drawn",
    "none",
    "cut off",
    "flipped",
    "another purpose's",
    "expired",
    "another account's",
    "alg none",
    "twice",
    "not ASCII",
    "huge",
]
PROOFS: tuple[Proof, ...] = get_args(Proof)
TICKET_SECONDS = 120.0
SEND_ID = "0b6f3c1e-3b0a-5d7e-9f00-3d2f6c1a9b11"
LONG_AGO = dt.timedelta(days=5_000)


class Wallet:
    """Tokens of one deployment. Those that work once are new each time. `attempt`: the id of one that the shop began."""

    def __init__(self, keys: Keys, poster: str = "", attempt: Callable[[], str] = lambda: "none") -> None:
        self._keys = keys
        self._poster = poster
        self._attempt_id = attempt
        self._proofs = Proofs(keys)
        self._numbers = itertools.count(1)

    def token(self, purpose: Purpose, proof: Proof, drawn: str) -> str:
        """A signed text for a purpose, damaged as `proof` says. `drawn` stands for it where nothing is to be signed."""
        if proof == "as drawn":
            return drawn
        if proof == "none":
            return ""
        payload = self._payload(purpose)
        if proof == "alg none":
            return _jwt(payload)
        if proof == "huge":
            return "A" * 5_000 + "." + "B" * 20_000
        good = self._signed(purpose, payload, proof)
        return _damaged(good, proof)

    def _signed(self, purpose: Purpose, payload: Mapping[str, Any], proof: Proof) -> str:
        now = dt.datetime.now(dt.UTC)
        at = now - LONG_AGO if proof == "expired" else now
        keys = [OTHERS_KEY] if proof == "another account's" else list(self._keys.link)
        if proof == "another purpose's":
            purpose = "state" if purpose != "state" else "ticket"
        if purpose == "inflow" and proof == "right" and self._poster:
            return self._poster
        if purpose == "click" and proof == "expired":
            payload = {**payload, "x": int(at.timestamp())}
        return Tokens(lambda: keys, lambda: at).sign(purpose, payload)

    def _payload(self, purpose: Purpose) -> dict[str, Any]:
        """What the code itself would sign for this purpose."""
        number = f"n{next(self._numbers)}"
        if purpose == "click":
            later = dt.datetime.now(dt.UTC) + dt.timedelta(days=30)
            return payload_of(Click(f"{SHOP}/offer", SEND_ID, CUSTOMER, "1 見る", later))
        if purpose in ("ticket", "state"):
            ticket = {"a": self._attempt_id(), "c": []}
            login = {"s": number, "n": "nonce", "v": "verifier", "l": "ja"}
            return ticket if purpose == "ticket" else login | ticket
        made: dict[Purpose, dict[str, Any]] = {
            "friend": {"u": USER},
            "preferences": {"u": USER},
            "choice": {"u": USER, "n": number},
            "unlink": {"u": USER, "c": CUSTOMER, "n": number},
            "inflow": {"n": "till"},
            "return": {"u": LOOSE_USER, "k": "link-token"},
        }
        return made[purpose]

    def said(self, purpose: Purpose, token: str) -> dict[str, Any] | None:
        """What a token of ours says."""
        return self._proofs.said(purpose, token)

    def bearer(self, proof: Proof, drawn: str) -> str:
        """An Authorization header for the servers' doors."""
        key = self._keys.ingest
        made: dict[Proof, str] = {
            "right": f"Bearer {key}",
            "as drawn": drawn,
            "none": "",
            "cut off": f"Bearer {key[:-1]}",
            "flipped": f"Bearer {_flipped(key)}",
            "another purpose's": f"Basic {base64.b64encode(key.encode()).decode()}",
            "expired": f"Bearer {key[::-1]}",
            "another account's": f"Bearer {OTHERS_KEY}",
            "alg none": f"Bearer {_jwt({'sub': 'crm'})}",
            "twice": f"Bearer {key},Bearer {key}",
            "not ASCII": f"Bearer {key}é鍵",
            "huge": "Bearer " + "k" * 20_000,
        }
        return made[proof]

    def signature(self, proof: Proof, body: bytes, drawn: str) -> str:
        """LINE's signature of a body."""
        right = _line_signature(self._keys.channel_secret, body)
        made: dict[Proof, str] = {
            "right": right,
            "as drawn": drawn,
            "none": "",
            "cut off": right[:-3],
            "flipped": _flipped(right),
            "another purpose's": _line_signature(self._keys.ingest, body),
            "expired": _line_signature(self._keys.channel_secret, body + b" "),
            "another account's": _line_signature(OTHERS_KEY, body),
            "alg none": _jwt({}),
            "twice": f"{right},{right}",
            "not ASCII": f"{right}é",
            "huge": right * 500,
        }
        return made[proof]


class Begun:
    """Attempts that the shop begins by POST /links, anew every two minutes: they are good for ten."""

    def __init__(self, keys: Keys) -> None:
        body = json.dumps({"customer_id": LOOSE_CUSTOMER}).encode()
        self._asked = Asked(
            "POST", "/links", headers=(("authorization", f"Bearer {keys.ingest}"),), body=body
        )
        self._proofs = Proofs(keys)
        self._attempt_id = ""
        self._until = float("-inf")

    def __call__(self) -> str:
        """The id of one that is open; empty where the door does not work."""
        if time.monotonic() > self._until:
            got = answer(self._asked, 0)
            said = self._proofs.said("ticket", json.loads(got.body)["ticket"]) if got.status == 201 else None
            self._attempt_id = str(said["a"]) if said else ""
            self._until = time.monotonic() + TICKET_SECONDS
        return self._attempt_id


def _line_signature(secret: str, body: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def _damaged(good: str, proof: Proof) -> str:
    if proof == "cut off":
        return good[: len(good) // 2]
    if proof == "flipped":
        return _flipped(good)
    if proof == "twice":
        return good + good
    return f"{good}é鍵" if proof == "not ASCII" else good


def _flipped(text: str) -> str:
    """One bit of the middle is another one, within the alphabet."""
    middle = len(text) // 2
    return text[:middle] + ("A" if text[middle] != "A" else "B") + text[middle + 1 :]


def _jwt(claims: Mapping[str, Any]) -> str:
    """A JSON Web Token that says of itself that it is not signed."""
    parts = [json.dumps(one).encode() for one in ({"alg": "none", "typ": "JWT"}, claims)]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."
