"""Parquet: rows by row group, in small batches, read by ranges. The only module that knows pyarrow."""

import datetime as dt
import decimal
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from functions.domain.instants import format_instant
from functions.domain.loads import Load, Place
from functions.load.reading import File, Row, UnreadableFile
from functions.ports.errors import Retryable

BATCH_ROWS = 1_000
BUFFER_BYTES = 1024 * 1024


class _Ranges(io.RawIOBase):
    """A file as pyarrow reads it."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence]
        self._at = base + offset
        return self._at

    def read(self, length: int = -1) -> bytes:
        left = self._file.size - self._at
        try:
            found = self._file.read(self._at, left if length < 0 else min(length, left)) if left > 0 else b""
        except OSError as error:
            # The file may be whole: what Arrow itself calls an OSError is one that is not.
            raise Retryable(f"the file could not be read just now ({type(error).__name__})") from error
        self._at += len(found)
        return found


class Arrow:
    """The port of the flow that loads files."""

    def columns(self, file: File) -> list[str]:
        """The names of the columns. Raises UnreadableFile."""
        return parquet_columns(file)

    def rows(self, file: File, load: Load) -> Iterator[Row]:
        """Rows from the load's place on."""
        return parquet_rows(file, load)


def parquet_columns(file: File) -> list[str]:
    """The names of the columns. UnreadableFile where the file is no Parquet, or holds columns within columns."""
    return list(_open(file).schema_arrow.names)


def parquet_rows(file: File, load: Load) -> Iterator[Row]:
    """Rows as column → value, from the load's place on (`offset` is the row group, `line` the rows done of it).

    UnreadableFile where the file is broken further on than its head.
    """
    parquet, row = _open(file), load.place.row
    for group in range(load.place.offset, parquet.num_row_groups):
        within, skip = 0, load.place.line if group == load.place.offset else 0
        last = parquet.metadata.row_group(group).num_rows
        for batch in _batches(parquet, group):
            if within + batch.num_rows <= skip:
                within += batch.num_rows
                continue
            cells = batch.to_pylist()
            for values in cells[max(0, skip - within) :]:
                row += 1
                done = max(within, skip) + 1
                within, skip = done, 0
                place = Place(group + 1, 0, row) if done == last else Place(group, done, row)
                yield row, {name: _plain(value) for name, value in values.items()}, place


def _open(file: File) -> Any:
    import pyarrow as pa  # noqa: PLC0415 — 60 MB of memory that only Parquet pays for
    import pyarrow.parquet as pq  # noqa: PLC0415

    with _mendable():
        return pq.ParquetFile(pa.PythonFile(_Ranges(file), "r"), buffer_size=BUFFER_BYTES, pre_buffer=False)


def _batches(parquet: Any, group: int) -> Iterator[Any]:
    batches = parquet.iter_batches(BATCH_ROWS, row_groups=[group], use_threads=False)
    while True:
        with _mendable():
            batch = next(batches, None)
        if batch is None:
            return
        yield batch


@contextmanager
def _mendable() -> Iterator[None]:
    """What Arrow cannot read no other try will read: the sender has to mend it. An OSError here is Arrow's own: one of the
    network's is Retryable already (`_Ranges.read`)."""
    import pyarrow as pa  # noqa: PLC0415

    try:
        yield
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError):
        raise UnreadableFile("the file is no Parquet, or it is broken; write and send it again.") from None


def _plain(value: Any) -> Any:
    """A value as JSON would bring it. An instant without a zone is UTC, as data warehouses write it."""
    if isinstance(value, dt.datetime):
        return format_instant(value if value.tzinfo else value.replace(tzinfo=dt.UTC))
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
