"""What a part of a message may be, as values: `faults_of` holds a part against its rule, a schema can be read off it."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from functions.domain.message_limits.counting import utf16_units

Path = tuple[str | int, ...]
Part = dict[str, Any]


class LimitFault(msgspec.Struct, frozen=True):
    """What LINE would refuse, and where: `(0, "quickReply", "items")` within the list of message objects."""

    path: Path
    message: str


Faults = Iterator[LimitFault]
More = Callable[[Part, Path], Iterable[LimitFault]]
"""What no single property can be told by: how they go together."""


class Text(msgspec.Struct, frozen=True):
    """A text that is not empty, at most so long in the unit that LINE counts here."""

    longest: int
    count: Callable[[str], int] = utf16_units


class Address(msgspec.Struct, frozen=True):
    """A URL that begins with one of the schemes."""

    longest: int
    schemes: tuple[str, ...] = ("https://",)


class Matching(msgspec.Struct, frozen=True):
    """A text of a form; `told` says of which, as in "a colour such as #1A2B3C"."""

    pattern: str
    told: str


class OneOf(msgspec.Struct, frozen=True):
    """One of a few words."""

    words: tuple[str, ...]


class Number(msgspec.Struct, frozen=True):
    """A number between two bounds, both included; `whole` where fractions are refused."""

    least: float | None = None
    most: float | None = None
    whole: bool = False


class Flag(msgspec.Struct, frozen=True):
    """true or false."""


class Items(msgspec.Struct, frozen=True):
    """A list of so many of one kind."""

    of: "Rule"
    least: int
    most: int


class Named(msgspec.Struct, frozen=True):
    """A mapping of names of one form to parts of one kind."""

    names: Matching
    of: "Rule"
    most: int


class Object(msgspec.Struct, frozen=True):
    """An object of known properties, some of which must be there; `more` says how they go together."""

    fields: Mapping[str, "Rule"]
    needed: tuple[str, ...] = ()
    more: tuple[More, ...] = ()


class Typed(msgspec.Struct, frozen=True):
    """An object whose `type` says which it is; `what` names them all: message, action.

    `elsewhere`: types that LINE knows and does not take here, and where it does.
    """

    types: Mapping[str, Object]
    what: str
    elsewhere: Mapping[str, str] = {}


Rule = Text | Address | Matching | OneOf | Number | Flag | Items | Named | Object | Typed


def faults_of(rule: Rule, value: Any, path: Path) -> Faults:
    """Everything in a part that LINE would refuse. A property that is null counts as left out."""
    return _CHECKS[type(rule)](rule, value, path)


def _text(rule: Text, value: Any, path: Path) -> Faults:
    if not isinstance(value, str) or not value.strip():
        yield LimitFault(path, f"{path[-1]!r} must be a text that is not empty; write it out")
    elif rule.count(value) > rule.longest:
        yield LimitFault(
            path, f"{path[-1]!r} has {rule.count(value)} characters, LINE takes {rule.longest}; shorten it"
        )


def _address(rule: Address, value: Any, path: Path) -> Faults:
    begins = isinstance(value, str) and value.lower().startswith(rule.schemes)
    if not begins or len(value) > rule.longest:
        yield LimitFault(
            path,
            f"{path[-1]!r} must begin with {', '.join(rule.schemes)} and have at most {rule.longest} characters",
        )


def _matching(rule: Matching, value: Any, path: Path) -> Faults:
    if not isinstance(value, str) or not re.fullmatch(rule.pattern, value):
        yield LimitFault(path, f"{path[-1]!r} must be {rule.told}")


def _one_of(rule: OneOf, value: Any, path: Path) -> Faults:
    if value not in rule.words:
        yield LimitFault(path, f"{path[-1]!r} must be {_listed(rule.words)}{_hint(value, rule.words)}")


def _number(rule: Number, value: Any, path: Path) -> Faults:
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield LimitFault(path, f"{path[-1]!r} must be a number")
    elif rule.whole and value != int(value):
        yield LimitFault(path, f"{path[-1]!r} must be a whole number")
    elif rule.least is not None and value < rule.least:
        yield LimitFault(path, f"{path[-1]!r} must be at least {rule.least:g}")
    elif rule.most is not None and value > rule.most:
        yield LimitFault(path, f"{path[-1]!r} must be at most {rule.most:g}")


def _flag(_: Flag, value: Any, path: Path) -> Faults:
    if not isinstance(value, bool):
        yield LimitFault(path, f"{path[-1]!r} must be true or false")


def _items(rule: Items, value: Any, path: Path) -> Faults:
    if not isinstance(value, list) or not rule.least <= len(value) <= rule.most:
        count = f", this has {len(value)}" if isinstance(value, list) else ""
        allowed = f"{rule.least} to {rule.most}" if rule.least != rule.most else str(rule.most)
        yield LimitFault(path, f"{path[-1]!r} must be a list of {allowed}{count}")
    for number, item in enumerate(value if isinstance(value, list) else ()):
        yield from faults_of(rule.of, item, (*path, number))


def _named(rule: Named, value: Any, path: Path) -> Faults:
    if not isinstance(value, dict) or len(value) > rule.most:
        yield LimitFault(path, f"{path[-1]!r} must hold names with values (name: value), at most {rule.most}")
        return
    for name, item in value.items():
        yield from _matching(rule.names, name, (*path, name))
        yield from faults_of(rule.of, item, (*path, name))


def _object(rule: Object, value: Any, path: Path) -> Faults:
    if not isinstance(value, dict):
        yield LimitFault(path, f"{path[-1]!r} must hold names with values (name: value)")
        return
    given = {key: item for key, item in value.items() if item is not None}
    missing = [key for key in rule.needed if key not in given]
    for key in (key for key in given if key not in rule.fields):
        hint = _hint(key, missing) or _hint(key, rule.fields) or "; take it out"
        yield LimitFault((*path, key), f"{key!r} is not known here{hint}")
    for key in missing:
        yield LimitFault((*path, key), f"{key!r} is missing; add it")
    for key in (key for key in given if key in rule.fields):
        yield from faults_of(rule.fields[key], given[key], (*path, key))
    for more in rule.more:
        yield from more(given, path)


def _typed(rule: Typed, value: Any, path: Path) -> Faults:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind is None:
        yield LimitFault(
            (*path, "type"), f"'type' must say which {rule.what} this is: {', '.join(rule.types)}"
        )
    elif kind in rule.types:
        yield from _object(rule.types[kind], value, path)
    else:
        instead = rule.elsewhere.get(str(kind))
        told = instead or f"is no {rule.what} type; known: {', '.join(rule.types)}"
        hint = "" if instead else _hint(kind, rule.types)
        yield LimitFault((*path, "type"), f"{kind!r} {told}{hint}")


def _listed(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def _hint(word: Any, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(str(word), list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


_CHECKS: dict[type, Callable[[Any, Any, Path], Faults]] = {
    Text: _text,
    Address: _address,
    Matching: _matching,
    OneOf: _one_of,
    Number: _number,
    Flag: _flag,
    Items: _items,
    Named: _named,
    Object: _object,
    Typed: _typed,
}
