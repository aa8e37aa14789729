"""Rows of a file → raw events of the ingest contract. What a column says of a customer, and nothing of where it is read."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from functions.domain.events import Dictionary, Fault, PropertyKind, is_date
from functions.domain.instants import Instant, format_instant

COLUMNS = ("customer_id", "name", "occurred_at")
OPTIONAL_COLUMNS = ("event_id", "status", "source")
_OWN = frozenset((*COLUMNS, *OPTIONAL_COLUMNS))
AS_OF = "as_of"
_SNAPSHOT_OWN = frozenset(("customer_id", AS_OF))
_INTEGER = re.compile(r"[-+]?[0-9]{1,15}")
# A number as a program writes it: a telephone number or a postal code begins with 0 and stays a text.
_PLAIN_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?")
_KINDS: frozenset[str] = frozenset(("string", "number", "boolean", "instant", "date", "list"))

Cells = Any
"""A row: a mapping of column → cell, a text in CSV and a value elsewhere. What JSON brings may be anything."""
ToEvent = Callable[[Cells, str], "dict[str, Any] | Fault"]
"""A row and the id that its event gets where it names none → the raw event."""


def missing_columns(columns: Sequence[str], *, snapshot: bool) -> list[str]:
    """The columns that a file of this kind must have and this one lacks."""
    needed = ("customer_id",) if snapshot else COLUMNS
    return [column for column in needed if column not in columns]


def value_of(cell: str, kind: PropertyKind) -> Any:
    """A cell as its property's type; as it stands where it does not fit, for the check to say so."""
    if kind == "number":
        return number_of(cell)
    if kind == "boolean":
        return {"true": True, "false": False}.get(cell.lower(), cell)
    return [item.strip() for item in cell.split(";")] if kind == "list" else cell


def number_of(cell: str) -> int | float | str:
    """The number that a cell writes; the cell where it is none."""
    if _INTEGER.fullmatch(cell):
        return int(cell)
    try:
        return float(cell)
    except ValueError:
        return cell


class EventCells:
    """CSV cells → a raw event, each property as the dictionary says; empty cells are absent."""

    def __init__(self, dictionary: Dictionary, source: str = "") -> None:
        self._source = source
        self._kinds: dict[str, dict[str, PropertyKind]] = {
            name: {key: kind.type for key, kind in event.properties.items()}
            for name, event in dictionary.items()
        }

    def __call__(self, cells: Cells, event_id: str) -> dict[str, Any] | Fault:
        """The raw event of one row."""
        kinds = self._kinds.get(cells.get("name", ""), {})
        properties: dict[str, Any] = {}
        event: dict[str, Any] = {"event_id": event_id, "source": self._source}
        for key, cell in cells.items():
            if cell == "":
                continue
            if key in _OWN:
                event[key] = cell
            else:
                properties[key] = value_of(cell, kinds.get(key, "string"))
        event["properties"] = properties
        return event


class EventObject:
    """A JSON object, or a Parquet row with the same columns as CSV → a raw event."""

    def __init__(self, source: str = "") -> None:
        self._source = source

    def __call__(self, cells: Cells, event_id: str) -> dict[str, Any] | Fault:
        """The raw event; what is no object is left for the check to refuse."""
        if not isinstance(cells, Mapping):
            return Fault("malformed", "an event must be an object.")
        event: dict[str, Any] = {"event_id": event_id, "source": self._source}
        event |= {key: value for key, value in cells.items() if key in _OWN and value is not None}
        if "properties" in cells:
            event["properties"] = cells["properties"]
        else:
            event["properties"] = {k: v for k, v in cells.items() if k not in _OWN and v is not None}
        return event


class SnapshotRow:
    """A row of attributes → `profile_updated` at the instant that the snapshot is of.

    A header may tell a column's type (`score:number`); else a CSV cell is what an attribute of that name is in the
    dictionary, or what it looks like. `full`: an empty cell says that the customer has no such attribute any more;
    `gone` are columns that the snapshot before had and this one lacks.
    """

    def __init__(
        self,
        dictionary: Dictionary,
        source: str,
        as_of: Instant | None,
        *,
        full: bool,
        gone: Sequence[str] = (),
    ) -> None:
        self._source = source
        self._as_of = format_instant(as_of) if as_of else ""
        self._full = full
        self._gone = dict.fromkeys(gone)
        self._declared: dict[str, PropertyKind] = {
            key: kind.type
            for event in dictionary.values()
            for key, kind in event.properties.items()
            if kind.attribute
        }

    def __call__(self, cells: Cells, event_id: str) -> dict[str, Any] | Fault:
        """The raw event of one customer's row."""
        if not isinstance(cells, Mapping):
            return Fault("malformed", "a row must be an object.")
        properties: dict[str, Any] = dict(self._gone) if self._full else {}
        for column, cell in cells.items():
            name, typed = typed_column(column)
            if name in _SNAPSHOT_OWN:
                continue
            if cell is None or cell == "":
                if self._full:
                    properties[name] = None
            else:
                properties[name] = self._value(name, typed, cell) if isinstance(cell, str) else cell
        return {
            "event_id": event_id,
            "customer_id": cells.get("customer_id"),
            "name": "profile_updated",
            "occurred_at": _instant_text(cells.get(AS_OF)) or self._as_of,
            "source": self._source,
            "properties": properties,
        }

    def _value(self, name: str, typed: str, cell: str) -> Any:
        kind = typed or self._declared.get(name, "")
        if kind:
            return value_of(cell, kind)  # type: ignore[arg-type]
        if _PLAIN_NUMBER.fullmatch(cell):
            return number_of(cell)
        return {"true": True, "false": False}.get(cell, cell)


def typed_column(column: str) -> tuple[str, str]:
    """`score:number` → its name and its type; no type where none is told."""
    name, _, kind = column.rpartition(":")
    return (name, kind) if name and kind in _KINDS else (column, "")


def attributes_of(columns: Sequence[str]) -> list[str]:
    """The attributes that a snapshot with these columns tells, sorted."""
    return sorted({typed_column(column)[0] for column in columns} - _SNAPSHOT_OWN)


def _instant_text(value: Any) -> str:
    """A day is meant as its beginning in UTC."""
    return f"{value}T00:00:00Z" if isinstance(value, str) and is_date(value) else str(value or "")
