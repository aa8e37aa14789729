"""Windows of rows: what of them is an event, what is not and why, and whose they are."""

from collections.abc import Iterator
from typing import Any

import msgspec

from functions.domain.events import Event, Fault, check_event
from functions.domain.instants import Instant
from functions.domain.loads import Load
from functions.domain.playbook import Playbook
from functions.domain.rows import ToEvent
from functions.load.reading import Row


class ErrorLine(msgspec.Struct, frozen=True):
    """One line of the error file."""

    row: int
    column: str
    code: str
    reason: str


def windows_of(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    """So many rows at a time; the last may be fewer."""
    window: list[Row] = []
    for row in rows:
        window.append(row)
        if len(window) == size:
            yield window
            window = []
    if window:
        yield window


def checked(
    window: list[Row], to_event: ToEvent, load: Load, playbook: Playbook, now: Instant
) -> tuple[list[Event], list[dict[str, Any]]]:
    """The events of a window, and the rows that are none with their faults."""
    good: list[Event] = []
    bad: list[dict[str, Any]] = []
    for line, cells, place in window:
        raw = cells if isinstance(cells, Fault) else to_event(cells, load.event_id(place.row))
        event = (
            raw
            if isinstance(raw, Fault)
            else check_event(raw, playbook.events, now, playbook.retention.events)
        )
        if isinstance(event, Fault):
            bad.append(_rejected(line, raw if isinstance(raw, dict) else None, event, load))
        else:
            good.append(event)
    return good, bad


def _rejected(line: int, raw: dict[str, Any] | None, fault: Fault, load: Load) -> dict[str, Any]:
    """As the HTTP edge keeps them, with where it stands."""
    event_id = raw.get("event_id") if raw else None
    return {
        "index": line,
        "event_id": event_id if isinstance(event_id, str) else None,
        "code": fault.code,
        "message": fault.message,
        "column": fault.column,
        "load": load.load_id,
        "key": load.key,
        "event": raw,
    }


def error_lines(bad: list[dict[str, Any]]) -> list[ErrorLine]:
    """What the error file says of rows that were not taken in."""
    return [ErrorLine(one["index"], one["column"], one["code"], one["message"]) for one in bad]


def by_customer(events: list[Event]) -> dict[str, list[Event]]:
    """Customer id → its events, in their order."""
    groups: dict[str, list[Event]] = {}
    for event in events:
        groups.setdefault(event.customer_id, []).append(event)
    return groups


def whose_row(rejected: dict[str, Any]) -> str:
    """Whose row it is that was not taken in, as far as it can be read."""
    raw = rejected["event"]
    customer = raw.get("customer_id") if raw else None
    return customer if isinstance(customer, str) else ""


def columns_told(load: Load, good: list[Event]) -> list[str]:
    """The columns; of JSON lines, which have none, the attributes that were told so far."""
    if load.drop.form != "jsonl" or load.drop.kind != "snapshot":
        return load.columns
    return sorted(
        {*load.columns, *(name for event in good for name in event.properties)} - {*load.gone}
        | {name for event in good for name, value in event.properties.items() if value is not None}
    )
