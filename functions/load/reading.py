"""Rows of CSV and JSON lines, read by ranges from any place on: never the whole file, nor a line without an end."""

import csv
import io
import zlib
from collections import deque
from collections.abc import Iterator
from typing import Any, Protocol

import msgspec

from functions.domain.events import EVENT_BYTES_MAX, Fault
from functions.domain.loads import Load, Place

RANGE_BYTES = 4 * 1024 * 1024
INFLATED_BYTES = 1024 * 1024
RECORD_BYTES_MAX = 4 * EVENT_BYTES_MAX
RECORD_LINES_MAX = 1_000
_BOM = b"\xef\xbb\xbf"

Row = tuple[int, Any, Place]
"""The line (the row, in Parquet), the cells or the fault in them, and where the next row begins."""


class UnreadableFile(ValueError):
    """A file that cannot be read as rows at all; the message is a sentence that tells how to mend it."""


class File(Protocol):
    """One version of a file."""

    @property
    def size(self) -> int:
        """In bytes."""

    def read(self, start: int, length: int) -> bytes:
        """So many bytes from there on; fewer at the end."""


class _Lines:
    """Lines of bytes with what they end at, some of which may be given back. None stands for a line over the limit."""

    def __init__(self, chunks: Iterator[bytes], offset: int) -> None:
        self._lines = _split(chunks, offset)
        self._back: deque[tuple[bytes | None, int]] = deque()

    def next(self) -> tuple[bytes | None, int] | None:
        """The next line and the offset behind it; None at the end."""
        return self._back.popleft() if self._back else next(self._lines, None)

    def give_back(self, lines: list[tuple[bytes | None, int]]) -> None:
        """Let these come again."""
        self._back.extendleft(reversed(lines))


def _split(chunks: Iterator[bytes], offset: int) -> Iterator[tuple[bytes | None, int]]:
    rest, dropped = b"", 0
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            offset += len(line) + 1 + dropped
            yield (None if dropped or len(line) > RECORD_BYTES_MAX else line), offset
            dropped = 0
        if len(rest) > RECORD_BYTES_MAX:
            dropped += len(rest)
            rest = b""
    if rest or dropped:
        yield (None if dropped else rest), offset + len(rest) + dropped


def chunks_of(file: File, offset: int, *, gz: bool) -> Iterator[bytes]:
    """The file's (unpacked) bytes from an offset on."""
    if not gz:
        for start in range(offset, file.size, RANGE_BYTES):
            yield file.read(start, RANGE_BYTES)
        return
    skip = offset
    for piece in _inflated(file):
        if skip >= len(piece):
            skip -= len(piece)
            continue
        yield piece[skip:] if skip else piece
        skip = 0


def _inflated(file: File) -> Iterator[bytes]:
    """A gzip file may be several, one behind the other."""
    unpacker, begun = zlib.decompressobj(wbits=31), False
    try:
        for packed in chunks_of(file, 0, gz=False):
            left = packed
            while left:
                begun = True
                piece = unpacker.decompress(left, INFLATED_BYTES)
                left = unpacker.unconsumed_tail
                if piece:
                    yield piece
                if unpacker.eof:
                    left = unpacker.unused_data.lstrip(b"\0")
                    unpacker, begun = zlib.decompressobj(wbits=31), False
    except zlib.error:
        begun = True
    if begun:
        raise UnreadableFile("the file is no gzip, or its end is missing; pack and send it again.")


def columns_of(file: File, load: Load) -> tuple[list[str], Place]:
    """The header of a CSV file, and where the rows begin."""
    lines = _Lines(chunks_of(file, 0, gz=load.drop.gz), 0)
    record, place = _record(lines, Place())
    if isinstance(record, Fault):
        raise UnreadableFile(f"the first line must name the columns, and {record.message}")
    columns = [column.strip() for column in record or []]
    if not any(columns):
        raise UnreadableFile("the file is empty; the first line must name the columns.")
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise UnreadableFile(f"the column {', '.join(twice)} is there twice; name each once.")
    return columns, place


def csv_rows(file: File, load: Load) -> Iterator[Row]:
    """Rows as column → cell, from the load's place on."""
    lines, place, columns = (
        _Lines(chunks_of(file, load.place.offset, gz=load.drop.gz), load.place.offset),
        load.place,
        load.columns,
    )
    while True:
        before = place.line
        record, place = _record(lines, place)
        if record is None:
            return
        if isinstance(record, Fault):
            yield before + 1, record, place
        elif not record:
            place = Place(place.offset, place.line, place.row - 1)  # a blank line is no row
        elif len(record) != len(columns):
            told = f"the line has {len(record)} cells, and there are {len(columns)} columns."
            yield before + 1, Fault("malformed", told), place
        else:
            yield before + 1, dict(zip(columns, record, strict=True)), place


def _record(lines: _Lines, place: Place) -> tuple[list[str] | Fault | None, Place]:
    """One record: as many lines as its quotes hold together. A quote that never closes costs its own line only."""
    first = lines.next()
    if first is None:
        return None, place
    one = Place(first[1], place.line + 1, place.row + 1)
    text = _text(first[0], is_first=place.offset == 0)
    if isinstance(text, Fault):
        return text, one
    if '"' not in text:
        return text.split(",") if text.strip() else [], one
    further: list[tuple[bytes | None, int]] = []
    whole = text
    while whole.count('"') % 2:
        line = lines.next() if len(further) < RECORD_LINES_MAX else None
        more = _text(line[0], is_first=False) if line else None
        if line:
            further.append(line)
        if not isinstance(more, str) or len(whole) > RECORD_BYTES_MAX:
            lines.give_back(further)
            return Fault("malformed", "a quote is opened that is never closed."), one
        whole = f"{whole}\n{more}"
    end = further[-1][1] if further else first[1]
    return _cells(whole), Place(end, place.line + 1 + len(further), place.row + 1)


def _cells(text: str) -> list[str] | Fault:
    try:
        return next(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        return Fault("malformed", f"the line is no CSV: {error}.")


def _text(line: bytes | None, *, is_first: bool) -> str | Fault:
    if line is None:
        return Fault("too_large", f"the line has more than {RECORD_BYTES_MAX:,} bytes.")
    try:
        return line.removeprefix(_BOM if is_first else b"").removesuffix(b"\r").decode()
    except UnicodeDecodeError:
        return Fault("malformed", "the line is not UTF-8; save the file as UTF-8.")


def jsonl_rows(file: File, load: Load) -> Iterator[Row]:
    """Rows as decoded JSON, from the load's place on."""
    place = load.place
    lines = _Lines(chunks_of(file, place.offset, gz=load.drop.gz), place.offset)
    while (found := lines.next()) is not None:
        line, end = found
        number, is_first = place.line + 1, place.offset == 0
        if line is not None and not line.removeprefix(_BOM if is_first else b"").strip():
            place = Place(end, number, place.row)
            continue
        place = Place(end, number, place.row + 1)
        yield number, _json(line, is_first=is_first), place


def _json(line: bytes | None, *, is_first: bool) -> Any:
    text = _text(line, is_first=is_first)
    if isinstance(text, Fault):
        return text
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        return Fault("malformed", f"the line is no JSON: {error}.")
