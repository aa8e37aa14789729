"""Event files: CSV or JSONL → raw events of the ingest contract, with the line of each."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

import msgspec

from functions.domain.events import Dictionary, Fault
from functions.domain.rows import EventCells

COLUMNS = ("event_id", "customer_id", "name", "occurred_at")

RawEvent = tuple[int, Mapping[str, Any] | Fault]
"""The line, counted from 1, and what stands there."""


class EventFileError(ValueError):
    """A file that cannot be read as events at all; the message is one line."""


def read_events(path: Path, dictionary: Dictionary) -> Iterator[RawEvent]:
    """The raw events of a file. CSV cells become what the dictionary says of their property; empty cells are absent."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _jsonl(file) if _is_jsonl(path, file) else _csv(path, file, dictionary)
    except OSError as error:
        raise EventFileError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise EventFileError(f"{path} is not UTF-8; save it as UTF-8.") from None
    except csv.Error as error:
        raise EventFileError(f"{path} is no CSV: {error}.") from None


def _is_jsonl(path: Path, file: TextIO) -> bool:
    if path.suffix in (".jsonl", ".ndjson", ".csv"):
        return path.suffix != ".csv"
    start = file.read(4_096).lstrip()
    file.seek(0)
    return start.startswith("{")


def _jsonl(file: TextIO) -> Iterator[RawEvent]:
    for line, text in enumerate(file, start=1):
        if not text.strip():
            continue
        try:
            yield line, msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            yield line, Fault("malformed", f"the line is no JSON: {error}.")


def _csv(path: Path, file: TextIO, dictionary: Dictionary) -> Iterator[RawEvent]:
    reader = csv.DictReader(file)
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise EventFileError(
            f"{path} lacks the column {', '.join(missing)}; the first line must name the columns."
        )
    to_event = EventCells(dictionary)
    for row in reader:
        if None in row or None in row.values():
            yield (
                reader.line_num,
                Fault("malformed", "the line has more or fewer cells than there are columns."),
            )
        else:
            yield reader.line_num, to_event(row, "")
