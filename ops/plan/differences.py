"""How one playbook differs from another, item by item."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from functions.domain.playbook import Playbook

SHORT_CHARACTERS = 40
Change = Literal["added", "changed", "removed"]


class Difference(msgspec.Struct, frozen=True):
    """One item that differs. `detail`: for something changed, what of it; old → new where that is short."""

    part: str
    name: str
    change: Change
    detail: str = ""


def differences(old: Playbook, new: Playbook) -> list[Difference]:
    """Every item that was added, changed or removed."""
    found = []
    for part, of_old, of_new in _parts(old, new):
        for name in sorted(of_old.keys() | of_new.keys()):
            if name not in of_old:
                found.append(Difference(part, name, "added"))
            elif name not in of_new:
                found.append(Difference(part, name, "removed"))
            elif _plain(of_old[name]) != _plain(of_new[name]):
                found.append(Difference(part, name, "changed", _detail(of_old[name], of_new[name])))
    return found


def _parts(old: Playbook, new: Playbook) -> list[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    mappings = (
        "events",
        "segments",
        "scenarios",
        "campaigns",
        "messages",
        "experiments",
        "exclusion_rules",
        "sources",
    )
    parts = [(name.rstrip("s"), getattr(old, name), getattr(new, name)) for name in mappings]
    parts.append(("cap", {cap.id: cap for cap in old.caps}, {cap.id: cap for cap in new.caps}))
    rules = ("zone", "quiet_hours", "consent", "exclusions", "holdout", "price", "rich_menus")
    parts.append(
        ("rule", {name: getattr(old, name) for name in rules}, {name: getattr(new, name) for name in rules})
    )
    return parts


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)


def _detail(old: Any, new: Any) -> str:
    """A segment by its source, anything else by the fields that differ."""
    if hasattr(new, "source"):
        return f"{old.source} → {new.source}" if old.source != new.source else "meaning"
    one, other = _fields(old), _fields(new)
    if not isinstance(one, dict) or not isinstance(other, dict):
        return f"{one} → {other}"
    told = []
    for key in sorted(one.keys() | other.keys()):
        before, after = one.get(key), other.get(key)
        if before != after and key != "hash":
            short = _is_short(before) and _is_short(after)
            told.append(f"{key} {_written(before)} → {_written(after)}" if short else key)
    return ", ".join(told)


def _fields(value: Any) -> Any:
    """The fields of a part of a playbook, those that are as usual too: `on` is true unless it is said."""
    if not isinstance(value, msgspec.Struct):
        return _plain(value)
    return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}


def _written(value: Any) -> str:
    """A value as a playbook has it."""
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_short(value: Any) -> bool:
    return not isinstance(value, dict | list) and len(str(value)) <= SHORT_CHARACTERS
