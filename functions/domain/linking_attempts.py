"""Attempts to link: what a shop asked for, whoever may take it up, and the events that follow once somebody has."""

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from functions.domain.events import Event
from functions.domain.instants import Instant
from functions.domain.line_events import anonymous_id

Way = Literal["login", "dialog", "liff", "code"]
WAY_MAX = dt.timedelta(minutes=10)
"""An attempt is open for as long as LINE's own link tokens and codes are."""
LAPSE_NOTICED = dt.timedelta(minutes=11)
"""LINE sends no webhook where its link token expired: so long after the beginning somebody looks."""

CODE_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without I, L, O, 0 and 1, which people mistake for each other."""
CODE_CHARACTERS = 8
CODE_TRIES_MAX = 5
CODE_TRIES_WINDOW = dt.timedelta(hours=1)
_CODE = re.compile(rf"[{CODE_ALPHABET}]{{{CODE_CHARACTERS}}}")
_CODE_MIXED_MIN = 2
"""At least so many letters and so many digits: no word and no number is taken for a code."""
_TYPED_MAX = 32

_PLAIN_ADDRESS = re.compile(r"https?://[!#-\[\]_a-z~]+", re.IGNORECASE)
"""Printable ASCII without quotes, backslashes, spaces, braces: what every reader of addresses reads alike."""
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?", re.IGNORECASE)
_LOOPBACK = ("localhost", "127.0.0.1")
_PORTS = {"http": 80, "https": 443}


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the shop's server asked for. Who the customer is stands here, never in anything that a browser carries.

    `consent`: purposes the customer agreed to at the shop, in the words of `consent_version`; `for_user`: where set, the
    one LINE user who may take it up.
    """

    attempt_id: str
    customer_id: str
    expires_at: Instant
    consent: list[str] = []
    consent_version: str = ""
    reward: bool = False
    return_url: str = ""
    for_user: str = ""


class Taken(msgspec.Struct, frozen=True):
    """An attempt, and the LINE user who took it up first; the same for as often as that one comes."""

    attempt: Attempt
    line_user_id: str
    at: Instant
    way: Way


class Agreed(msgspec.Struct, frozen=True):
    """A purpose that somebody agreed to on our page, in the words of a version."""

    purpose: str
    version: str


def may_take(attempt: Attempt, user: str, at: Instant) -> bool:
    """Whether it is open at this instant, and to this LINE user."""
    return at < attempt.expires_at and attempt.for_user in ("", user)


def link_events(taken: Taken, agreed: Sequence[Agreed] = ()) -> list[Event]:
    """The link, and the consents beside it. Their ids derive from the attempt: told again, they are the same events."""
    attempt = taken.attempt
    properties: dict[str, object] = {
        "line_user_id": taken.line_user_id,
        "method": taken.way,
        "consent": attempt.consent,
    }
    if attempt.consent_version:
        properties["consent_version"] = attempt.consent_version
    if attempt.reward:
        properties["reward"] = True
    return [
        _event(taken, "", "line_linked", properties),
        *(
            _event(
                taken, f":{one.purpose}", "consent_given", {"purpose": one.purpose, "version": one.version}
            )
            for one in agreed
            if one.purpose not in attempt.consent
        ),
    ]


def _event(taken: Taken, suffix: str, name: str, properties: dict[str, object]) -> Event:
    return Event(
        event_id=f"link:{taken.attempt.attempt_id}{suffix}",
        customer_id=taken.attempt.customer_id,
        name=name,
        occurred_at=taken.at,
        source="link",
        properties=properties,
    )


def lapsed_event(attempt: Attempt, at: Instant) -> Event:
    """That nobody took it up, told to the friend for whom it was."""
    return Event(
        event_id=f"link:{attempt.attempt_id}:expired",
        customer_id=anonymous_id(attempt.for_user),
        name="link_attempt_expired",
        occurred_at=at,
        source="link",
        properties={"method": "dialog", "line_user_id": attempt.for_user},
    )


def unlink_event(customer_id: str, line_user_id: str, name: str, at: Instant) -> Event:
    """That somebody ended the tie on our page; `name`: the single-use name of the form."""
    return Event(
        event_id=f"link:unlink:{name}",
        customer_id=customer_id,
        name="line_unlinked",
        occurred_at=at,
        source="link",
        properties={"line_user_id": line_user_id, "method": "page"},
    )


def is_code(code: str) -> bool:
    """Whether a text is of the shape of a code: eight characters, at least two of them letters and two digits."""
    digits = sum(character.isdigit() for character in code)
    mixed = _CODE_MIXED_MIN <= digits <= CODE_CHARACTERS - _CODE_MIXED_MIN
    return mixed and _CODE.fullmatch(code) is not None


def code_in(text: str) -> str | None:
    """The code that somebody typed, whatever the case, width and grouping; None where the text is none."""
    if len(text) > _TYPED_MAX:
        return None
    typed = unicodedata.normalize("NFKC", text).upper()
    code = re.sub(r"[\s‐-―ー-]", "", typed)
    return code if is_code(code) else None


def origin_of(url: str) -> str | None:
    """`https://host[:port]` of an absolute address, the standard port left out; None for anything that two readers could
    read differently, bears a name or password, or is not HTTPS (HTTP only on this very machine)."""
    if len(url) > 2_000 or not _PLAIN_ADDRESS.fullmatch(url):  # noqa: PLR2004 — an address that browsers take
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    if "@" in parts.netloc or not _HOST.fullmatch(host) or (parts.netloc.endswith(":")):
        return None
    if scheme == "http" and host not in _LOOPBACK:
        return None
    return f"{scheme}://{host}" + (f":{port}" if port not in (None, _PORTS[scheme]) else "")


def may_return_to(url: str, origins: Sequence[str]) -> bool:
    """Whether an address lies under one of these origins."""
    origin = origin_of(url)
    return origin is not None and origin in {origin_of(one) for one in origins}


def masked(customer_id: str) -> str:
    """Enough of a customer id to know one's own by, too little to use: the first two signs and the last."""
    return f"{customer_id[:2]}{'•' * 6}{customer_id[-1:]}" if len(customer_id) > 3 else "•" * 6  # noqa: PLR2004
