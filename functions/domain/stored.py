"""What is stored outlives the code that wrote it: the number of its format, and what code carries along of a newer one.

The rule. Code reads what code of its own format wrote, and of the one before; and code of the one before reads what it
writes: while a release rolls out both work on the same items, and what was written stays when a release is taken back. So
a field is only ever added, with a default that is right for an item without it, and what code does not know it leaves as
it is. What cannot be done so takes two releases: the first reads it, the second writes it. tests/stored holds the code to
that; how to change what is stored is told in docs/operations.md (Changing what is stored).
"""

from typing import Any

import msgspec

FORMAT = 2
"""Rows bear it as `format`; those without one are of the first. A playbook bears the first format that heeds all of it."""


class Beyond(msgspec.Struct, frozen=True):
    """An item, as JSON, of which this code knows a part only; and the format of who wrote it."""

    format: int
    body: Any


class Carrying(msgspec.Struct, frozen=True, kw_only=True):
    """A stored value that is read, changed and written back whole. `beyond` travels with it, so that what newer code said
    is still there when the value is written; it is no part of what is stored (functions/aws/stored.py)."""

    beyond: Beyond | msgspec.UnsetType = msgspec.UNSET


def says_more(read: Any, understood: Any) -> bool:
    """Whether an item, as JSON, says anything that is not in what was understood of it."""
    if isinstance(read, dict) and isinstance(understood, dict):
        return any(key not in understood or says_more(one, understood[key]) for key, one in read.items())
    if isinstance(read, list) and isinstance(understood, list):
        return len(read) > len(understood) or any(map(says_more, read, understood))
    return False


def carried(read: Any, understood: Any, now: Any) -> Any:
    """The item as it is to be written: `now`, with what `read` says beyond `understood` wherever its place is still there.

    What did not change is as it was read. What another word has replaced, such as a consent, takes nothing over from the
    word before.
    """
    if now == understood:
        return read
    if isinstance(read, dict) and isinstance(now, dict):
        known = understood if isinstance(understood, dict) else {}
        kept = {key: one for key, one in read.items() if key in now or key not in known}
        return now | {
            key: carried(one, known.get(key), now[key]) if key in now else one for key, one in kept.items()
        }
    if isinstance(read, list) and isinstance(understood, list) and isinstance(now, list):
        return _carried_items(read, understood, now) if len(read) == len(understood) else now
    return now


def _carried_items(read: list[Any], understood: list[Any], now: list[Any]) -> list[Any]:
    """Each item with what was read of the same one: the equal one, else the one of the same name."""
    left = list(zip(read, understood, strict=True))
    items = []
    for item in now:
        found = next((pair for pair in left if pair[1] == item), None) or next(
            (pair for pair in left if _name(item) is not None and _name(pair[1]) == _name(item)), None
        )
        if found is not None:
            left.remove(found)
            item = _carried_item(*found, item)  # noqa: PLW2901 — the same item, whole
        items.append(item)
    return items


def _carried_item(read: Any, understood: Any, now: Any) -> Any:
    """An item of a list, which is the same one as before: one that is a list itself (a claim, a contact) keeps its end."""
    if isinstance(now, list) and isinstance(understood, list) and len(read) > len(understood) == len(now):
        return [*now, *read[len(understood) :]]
    return carried(read, understood, now)


def _name(item: Any) -> str | None:
    """Stored structs begin with their own name: `send_id`, `journey_id`, `customer_id`."""
    values = list(item.values()) if isinstance(item, dict) else item
    return values[0] if isinstance(values, list) and values and isinstance(values[0], str) else None
