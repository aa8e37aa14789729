"""Rows read by ranges: the same whatever the size of a range, and from whatever place on they are read."""

import csv
import datetime as dt
import gzip
import io
from typing import Any
from unittest.mock import patch

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.loads import Drop, Load, Place
from functions.load import reading
from functions.load.reading import columns_of, csv_rows, jsonl_rows
from tests.fakes.loads import FakeFile

NOW = dt.datetime(2026, 11, 20, 3, tzinfo=dt.UTC)
CELLS = st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"]), max_size=6)
TABLES = st.lists(
    st.lists(CELLS, min_size=3, max_size=3).filter(lambda row: any(cell.strip() for cell in row)), max_size=8
)


def load(*, gz: bool = False, form: Any = "csv") -> Load:
    return Load("l", "incoming/s/a", "v", 0, Drop("s", "events", form, gz=gz), NOW)


def written(rows: list[list[str]]) -> bytes:
    into = io.StringIO(newline="")
    csv.writer(into, lineterminator="\n").writerows([["a", "b", "c"], *rows])
    return into.getvalue().encode()


def rows_of(body: bytes, gz: bool, place: Place | None = None) -> list[tuple[int, Any, Place]]:
    file = FakeFile(gzip.compress(body) if gz else body)
    columns, begin = columns_of(file, load(gz=gz))
    at = msgspec.structs.replace(load(gz=gz), columns=columns, place=place or begin)
    return list(csv_rows(file, at))


@given(TABLES, st.integers(1, 9), st.booleans())
def test_what_a_csv_writer_wrote_is_read_whatever_the_ranges(
    rows: list[list[str]], size: int, gz: bool
) -> None:
    with patch.multiple(reading, RANGE_BYTES=size, INFLATED_BYTES=size):
        assert [list(cells.values()) for _, cells, _ in rows_of(written(rows), gz)] == rows


@given(TABLES, st.booleans())
def test_reading_on_from_any_row_gives_the_rest(rows: list[list[str]], gz: bool) -> None:
    whole = rows_of(written(rows), gz)
    for number, (_, _, place) in enumerate(whole):
        assert rows_of(written(rows), gz, place) == whole[number + 1 :]


@given(st.binary(max_size=60), st.integers(1, 9))
def test_whatever_bytes_there_are_reading_ends_and_every_row_has_a_place_of_its_own(
    body: bytes, size: int
) -> None:
    file = FakeFile(b"a,b,c\n" + body)
    with patch.multiple(reading, RANGE_BYTES=size):
        columns, begin = columns_of(file, load())
        rows = list(csv_rows(file, msgspec.structs.replace(load(), columns=columns, place=begin)))
        lines = list(jsonl_rows(file, load(form="jsonl")))
    for found in (rows, lines):
        offsets = [place.offset for _, _, place in found]
        assert offsets == sorted(set(offsets))


def test_a_line_without_an_end_is_one_fault_and_is_never_held() -> None:
    body = b"a,b\n" + b"x" * (3 * reading.RECORD_BYTES_MAX) + b"\n1,2\n"
    with patch.multiple(reading, RANGE_BYTES=64 * 1024):
        (long, good) = rows_of(body, gz=False)
    assert (long[0], long[1].code) == (2, "too_large")
    assert (good[0], good[1]) == (3, {"a": "1", "b": "2"})
