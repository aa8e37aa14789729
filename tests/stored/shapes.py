"""What may differ between what code of two formats reads and writes."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

HOW = """
How to do it right (docs/operations.md, "Changing what is stored"):
- a new field has a default that is right for an item without it, and stands last: then `make stored`, and commit the fixtures;
- a field goes, changes its name or type, or a closed list gets a word more: in two releases, the first of which reads both, and
  the second writes the new one. Raise FORMAT in functions/domain/stored.py, `make stored`, and say in tests/stored/agreed.py what
  the first release has made harmless."""

_NOTHING: dict[str, Any] = {}


@cache
def _read(format_number: int, name: str) -> Any:
    path = Path(__file__).parent / "fixtures" / str(format_number) / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def recorded(format_number: int, name: str = "schema") -> Any:
    """A file of a format's fixtures."""
    return _read(format_number, name)


def faults_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What of a later schema code of the one before cannot read, or the other way round; one line each, sorted."""
    return sorted(_faults(before, after))


def _faults(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for kind in before["kinds"]:
        if kind not in after["kinds"]:
            yield f"{kind} is stored no more"
    for name, old in before["$defs"].items():
        new = after["$defs"].get(name)
        if new is not None:
            yield from _struct_faults(name, old, new)


def _struct_faults(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if old.get("type") != new.get("type"):
        yield f"{name} was an {old.get('type')} and is an {new.get('type')}"
        return
    if "prefixItems" in old:
        yield from _array_faults(name, old, new)
        return
    fields, now = old.get("properties", _NOTHING), new.get("properties", _NOTHING)
    needed, needs = set(old.get("required", ())), set(new.get("required", ()))
    for field, shape in fields.items():
        if field not in now:
            yield f"{name}.{field} is gone"
        else:
            yield from _field_faults(f"{name}.{field}", shape, now[field])
    for field in sorted(needs - needed):
        yield f"{name}.{field} has no default, and items of before lack it"
    for field in sorted((needed - needs) & now.keys()):
        yield f"{name}.{field} need not be there, and code of before needs it"


def _array_faults(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    fields, now = old["prefixItems"], new.get("prefixItems", [])
    if len(now) < len(fields):
        yield f"{name}[{len(now)}] is gone"
    for place, (shape, other) in enumerate(zip(fields, now, strict=False)):
        yield from _field_faults(f"{name}[{place}]", shape, other)
    if new.get("minItems", 0) > old.get("minItems", 0):
        yield f"{name}[{old.get('minItems', 0)}] has no default, and items of before lack it"


def _field_faults(field: str, old: Any, new: Any) -> Iterator[str]:
    """Any difference but that of the fields within, which are told of where they are."""
    if old == new:
        return
    if "enum" in old and "enum" in new:
        for word in new["enum"]:
            if word not in old["enum"]:
                yield f"{field} may say {word!r}, which code of before does not read"
        for word in old["enum"]:
            if word not in new["enum"]:
                yield f"{field} may have said {word!r}, which this code does not read"
        if old.get("default") != new.get("default"):
            yield f"{field}: what is not written means {new.get('default')!r}, and meant {old.get('default')!r}"
        return
    if old.get("default") != new.get("default"):
        yield f"{field}: what is not written means {new.get('default')!r}, and meant {old.get('default')!r}"
    if _type(old) != _type(new):
        yield f"{field} was {_told(old)} and is {_told(new)}"


def _type(shape: Mapping[str, Any]) -> dict[str, Any]:
    return {key: one for key, one in shape.items() if key not in ("default", "discriminator")}


def _told(shape: Mapping[str, Any]) -> str:
    return json.dumps(_type(shape), ensure_ascii=False, sort_keys=True)
