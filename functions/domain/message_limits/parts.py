"""What LINE's limits have in common: how it counts, and what a text, an address or an action must be."""

import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

URL_CHARACTERS_MAX = 2_000
URI_CHARACTERS_MAX = 1_000
DATA_UNITS_MAX = 300
CLIPBOARD_UNITS_MAX = 1_000
URI_SCHEMES = ("https://", "http://", "line:", "tel:")
_JOINER = "\u200d"

Path = tuple[str | int, ...]
Part = dict[str, Any]


class LimitFault(msgspec.Struct, frozen=True):
    """What LINE would refuse, and where: `(0, "quickReply", "items")` within the list of message objects."""

    path: Path
    message: str


Faults = Iterator[LimitFault]


def utf16_units(text: str) -> int:
    """How LINE counts texts: signs beyond the basic plane (most emoji) count twice."""
    return len(text) + sum(sign > "\uffff" for sign in text)


def graphemes(text: str) -> int:
    """What people see as one sign: combining marks, joined emoji, skin tones and flags count with their base."""
    count, before, regionals = 0, "", 0
    for sign in text:
        regional = "\U0001f1e6" <= sign <= "\U0001f1ff"
        joined = before == _JOINER or _extends(sign) or (before == "\r" and sign == "\n")
        if not joined and not (regional and regionals % 2):
            count += 1
        regionals = regionals + 1 if regional else 0
        before = sign
    return max(count, 1) if text else 0


def _extends(sign: str) -> bool:
    return (
        sign in (_JOINER, "\u200c")
        or "\U0001f3fb" <= sign <= "\U0001f3ff"
        or "\U000e0020" <= sign <= "\U000e007f"
        or unicodedata.category(sign) in ("Mn", "Me", "Mc")
    )


def text_faults(
    part: Part,
    key: str,
    path: Path,
    longest: int,
    count: Callable[[str], int] = utf16_units,
    *,
    needed: bool = True,
) -> Faults:
    """A text that is there and not too long."""
    value = part.get(key)
    if value is None and not needed:
        return
    if not isinstance(value, str) or not value.strip():
        yield LimitFault((*path, key), f"{key!r} must be a text that is not empty; write it out")
    elif count(value) > longest:
        yield LimitFault(
            (*path, key), f"{key!r} has {count(value)} characters, LINE takes {longest}; shorten it"
        )


def url_faults(part: Part, key: str, path: Path, *, needed: bool = True) -> Faults:
    """An address that LINE will fetch."""
    value = part.get(key)
    if value is None and not needed:
        return
    if not isinstance(value, str) or not value.startswith("https://") or len(value) > URL_CHARACTERS_MAX:
        yield LimitFault(
            (*path, key), f"{key!r} must be an https:// address of at most {URL_CHARACTERS_MAX} characters"
        )


def number_faults(part: Part, key: str, path: Path) -> Faults:
    """A number that is there."""
    if not isinstance(part.get(key), int | float) or isinstance(part.get(key), bool):
        yield LimitFault((*path, key), f"{key!r} must be a number")


def children_of(
    part: Part, key: str, path: Path, least: int, most: int
) -> tuple[list[Part], list[LimitFault]]:
    """The objects of a list, and what is wrong with the list itself."""
    value = part.get(key)
    items = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    if not isinstance(value, list) or len(items) != len(value) or not least <= len(items) <= most:
        return items, [
            LimitFault(
                (*path, key), f"{key!r} must be a list of {least} to {most} objects, this has {len(items)}"
            )
        ]
    return items, []


def action_faults(part: Any, path: Path, longest: int, *, labelled: bool = True) -> Faults:
    """What a tap does; `labelled` where people must read what that is, in at most `longest` graphemes."""
    if not isinstance(part, dict) or str(part.get("type")) not in _ACTIONS:
        yield LimitFault(path, f"an action is needed here, of a type LINE knows: {', '.join(_ACTIONS)}")
        return
    yield from text_faults(part, "label", path, longest, graphemes, needed=labelled)
    key, limit = _ACTIONS[part["type"]]
    if key == "uri":
        yield from uri_faults(part, key, path)
    elif key:
        yield from text_faults(part, key, path, limit)
    yield from text_faults(part, "displayText", path, DATA_UNITS_MAX, needed=False)


def uri_faults(part: Part, key: str, path: Path) -> Faults:
    """An address that a tap opens."""
    value = part.get(key)
    if not isinstance(value, str) or not value.startswith(URI_SCHEMES) or len(value) > URI_CHARACTERS_MAX:
        yield LimitFault(
            (*path, key),
            f"{key!r} must begin with {', '.join(URI_SCHEMES)} and have at most {URI_CHARACTERS_MAX} characters",
        )


_ACTIONS: dict[str, tuple[str, int]] = {
    "uri": ("uri", URI_CHARACTERS_MAX),
    "message": ("text", DATA_UNITS_MAX),
    "postback": ("data", DATA_UNITS_MAX),
    "datetimepicker": ("data", DATA_UNITS_MAX),
    "richmenuswitch": ("data", DATA_UNITS_MAX),
    "clipboard": ("clipboardText", CLIPBOARD_UNITS_MAX),
    "camera": ("", 0),
    "cameraRoll": ("", 0),
    "location": ("", 0),
}
"""Action type → the property it must have, and how long that may be."""
