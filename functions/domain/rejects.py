"""Rejected events: grouped by what is wrong with them, mended as somebody declares, and checked again."""

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from functions.domain.events import Event, Fault
from functions.domain.instants import Instant

_PROPERTY = re.compile(r"property '([^']{1,128})'")
NAME_CHARACTERS_MAX = 64
NOT_MENDED = "not_mended"
"""The code of an event that a mend cannot be applied to."""
Type = Literal["string", "number", "boolean"]


class Rejection(msgspec.Struct, frozen=True):
    """One event that was not taken in: where it is kept, when it came, what is wrong, and what came (`raw`)."""

    key: str
    place: int
    received_at: Instant
    code: str
    message: str
    raw: Any

    @property
    def name(self) -> str:
        """The event's name as it came, as far as it has one that can be shown."""
        name = self.raw.get("name") if isinstance(self.raw, Mapping) else None
        return name[:NAME_CHARACTERS_MAX] if isinstance(name, str) else ""

    @property
    def at_fault(self) -> str:
        """The property at fault, where it is one."""
        found = _PROPERTY.search(self.message)
        return found.group(1) if found else ""

    @property
    def cause(self) -> str:
        """What is wrong in a word: `wrong_type purchase.amount`."""
        place = f"{self.name}.{self.at_fault}" if self.at_fault else self.name
        return f"{self.code} {place}".rstrip()

    @property
    def event_id(self) -> str:
        """The event's own id; empty where it has none."""
        found = self.raw.get("event_id") if isinstance(self.raw, Mapping) else None
        return found if isinstance(found, str) else ""


class Wanted(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which rejections are meant; empty: all. `cause` is a part of its text."""

    cause: str = ""
    code: str = ""
    name: str = ""
    property: str = ""
    since: Instant | None = None
    until: Instant | None = None

    def meets(self, one: Rejection) -> bool:
        """Whether this one is meant."""
        return (
            self.cause.casefold() in one.cause.casefold()
            and self.code in ("", one.code)
            and self.name in ("", one.name)
            and self.property in ("", one.at_fault)
            and (self.since is None or one.received_at >= self.since)
            and (self.until is None or one.received_at <= self.until)
        )


class Group(msgspec.Struct, frozen=True):
    """All that has one cause, the oldest first."""

    cause: str
    members: list[Rejection]

    @property
    def example(self) -> dict[str, Any]:
        """The newest of them without what is personal: the kinds of its values, not the values."""
        return shape_of(self.members[-1].raw)


def grouped(rejections: Iterable[Rejection]) -> list[Group]:
    """By cause, the largest group first."""
    groups: dict[str, list[Rejection]] = {}
    for one in rejections:
        groups.setdefault(one.cause, []).append(one)
    found = [
        Group(cause, sorted(members, key=lambda one: (one.received_at, one.key, one.place)))
        for cause, members in groups.items()
    ]
    return sorted(found, key=lambda group: (-len(group.members), group.cause))


def shape_of(raw: Any) -> dict[str, Any]:
    """An event as it came: its name, and of everything else only of which type it is."""
    if not isinstance(raw, Mapping):
        return {"event": _kind(raw)}
    properties = raw.get("properties")
    shown = {str(key): _kind(value) for key, value in raw.items() if key != "properties"}
    if isinstance(raw.get("name"), str):
        shown["name"] = raw["name"][:NAME_CHARACTERS_MAX]
    if isinstance(properties, Mapping):
        return {**shown, "properties": {str(key): _kind(value) for key, value in properties.items()}}
    return {**shown, **({"properties": _kind(properties)} if "properties" in raw else {})}


def _kind(value: Any) -> str:
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "list", dict: "object"}
    return names.get(type(value), "nothing")


class Mend(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A declared repair, applied in this order: `rename` (another event name), `rename_property` (old → new), `values`
    (property → what it was → what it becomes), `convert` (property → type), `set` (property → value), `drop` (properties).

    An event's id, customer and instant are facts of the source, and are not mended."""

    rename: str = ""
    rename_property: dict[str, str] = {}
    values: dict[str, dict[str, Any]] = {}
    convert: dict[str, Type] = {}
    set: dict[str, Any] = {}
    drop: list[str] = []


class MendError(ValueError):
    """A value that cannot become what the mend says; the message names no value."""


def mended(raw: Any, mend: Mend) -> Any:
    """The event as the mend makes it. Raises MendError. To mend it twice is to mend it once, but for values that map to
    others that are mapped too."""
    if not isinstance(raw, Mapping):
        raise MendError("it is no object")
    given = raw.get("properties") or {}
    if not isinstance(given, Mapping):
        raise MendError("its properties are no object")
    properties = dict(given)
    for old, new in mend.rename_property.items():
        if old in properties:
            if new in properties:
                raise MendError(f"it has both {old!r} and {new!r}")
            properties[new] = properties.pop(old)
    for name, values in mend.values.items():
        if name in properties and (known := _written(properties[name])) in values:
            properties[name] = values[known]
    for name, kind in mend.convert.items():
        if properties.get(name) is not None:
            properties[name] = _converted(name, properties[name], kind)
    properties |= mend.set
    kept = {key: value for key, value in properties.items() if key not in mend.drop}
    return {**raw, **({"name": mend.rename} if mend.rename else {}), "properties": kept}


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _converted(name: str, value: Any, kind: Type) -> Any:
    if kind == "string":
        if isinstance(value, list | dict):
            raise MendError(f"the property {name!r} is no single value")
        return _written(value)
    if kind == "boolean":
        known = _BOOLEANS.get(_written(value).strip().lower())
        if known is None:
            raise MendError(f"the property {name!r} is neither true nor false")
        return known
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    # A comma parts thousands, and digits may be of full width: the source is Japanese.
    text = unicodedata.normalize("NFKC", _written(value)).strip().replace(",", "").strip("¥円 ")
    try:
        number = float(text)
    except ValueError:
        raise MendError(f"the property {name!r} is no number") from None
    if not math.isfinite(number):
        raise MendError(f"the property {name!r} is no number")
    return int(number) if number.is_integer() and "." not in text and "e" not in text.lower() else number


class Checked(msgspec.Struct, frozen=True):
    """A rejection looked at again: the event that it makes now, or why it still makes none."""

    rejection: Rejection
    outcome: Event | Fault

    @property
    def event(self) -> Event | None:
        """The event, where it is one."""
        return self.outcome if isinstance(self.outcome, Event) else None

    @property
    def again(self) -> Rejection:
        """The rejection with what is wrong now."""
        if isinstance(self.outcome, Event):
            return self.rejection
        return msgspec.structs.replace(self.rejection, code=self.outcome.code, message=self.outcome.message)


def still_wrong(checked: Sequence[Checked]) -> dict[str, int]:
    """Why how many stay, the most first."""
    counts: dict[str, int] = {}
    for one in checked:
        if one.event is None:
            cause = one.again.cause
            counts[cause] = counts.get(cause, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
