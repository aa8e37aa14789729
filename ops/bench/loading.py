"""`python -m ops.bench.loading ROWS [csv|jsonl|parquet]`: how fast a file is loaded, and in how much memory.

The production flow reads a file of so many rows, each of a customer of its own; what it puts into the inbox is encoded as
the queue has it and thrown away, so that the figures are those of the loading alone. One line of JSON.
"""

import datetime as dt
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from functions.domain.account import Account
from functions.domain.compiled import Compiled
from functions.domain.events import EventType, PropertyType
from functions.domain.instants import Instant
from functions.domain.loads import Load
from functions.domain.playbook import Playbook
from functions.load.flow import LoadFiles
from functions.load.windows import ErrorLine
from functions.parquet import Arrow
from functions.ports.messages import FileDropped, InboxMessage, LoadOrder
from ops.loaded_file import LocalFile

NOW = dt.datetime(2026, 11, 20, 3, tzinfo=dt.UTC)
BOOK = Playbook(
    version="bench",
    name="bench",
    zone="Asia/Tokyo",
    caps=[],
    quiet_hours=None,
    consent={},
    exclusions={},
    segments={},
    scenarios={},
    campaigns={},
    messages={},
    events={
        "purchase": EventType(
            "an order was paid",
            alias="orders",
            properties={
                "order_id": PropertyType("string", required=True),
                "amount": PropertyType("number", sum=True),
                "category": PropertyType("string", index=True),
            },
        )
    },
)
GROUP_ROWS = 100_000


class _Everything:
    """The ports: a playbook in force, a load that is kept as its JSON, and an inbox without a bottom."""

    def __init__(self) -> None:
        self._load = b""
        self.messages = 0
        self.bytes = 0

    def in_force(self) -> Compiled:
        return Compiled(BOOK)

    def version(self, _version: str) -> Compiled:
        return self.in_force()

    def begin(self, load: Load) -> Load:
        self._load = msgspec.json.encode(load)
        return load

    def find(self, _load_id: str) -> tuple[Load, str]:
        return msgspec.json.decode(self._load, type=Load), ""

    def checkpoint(self, load: Load, _tag: str) -> str:
        self._load = msgspec.json.encode(load)
        return ""

    def first_with(self, _fingerprint: str, load_id: str) -> str:
        return load_id

    def keep_errors(self, load: Load, lines: Sequence[ErrorLine]) -> None:
        """None are expected."""

    def finish(self, load: Load) -> None:
        """Kept already."""

    def put(self, messages: Sequence[InboxMessage]) -> None:
        self.messages += len(messages)
        self.bytes += sum(len(msgspec.json.encode(message)) for message in messages)

    def keep(self, rejected: list[dict[str, Any]], received_at: Instant) -> None:
        raise AssertionError(received_at, rejected[0])

    def read(self) -> Account:
        return Account()

    def note_load(self, source: str, note: object, rows_within: float | None) -> None:
        """Nobody asks."""

    def again(self, order: LoadOrder) -> None:
        raise AssertionError(order)


def _rows(count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {
            "customer_id": f"customer-{number:08}",
            "name": "purchase",
            "occurred_at": "2026-11-19T03:04:05Z",
            "order_id": f"order-{number:08}",
            "amount": number % 10_000,
            "category": ("skincare", "makeup", "hair")[number % 3],
        }


def write_file(path: Path, rows: int) -> None:
    """A file of so many orders, in the form that its name says."""
    if path.suffix == ".parquet":
        _write_parquet(path, rows)
        return
    with path.open("w", encoding="utf-8") as file:
        if path.suffix == ".csv":
            file.write("customer_id,name,occurred_at,order_id,amount,category\n")
        for row in _rows(rows):
            file.write(",".join(map(str, row.values())) if path.suffix == ".csv" else json.dumps(row))
            file.write("\n")


def _write_parquet(path: Path, rows: int) -> None:
    import pyarrow as pa  # noqa: PLC0415 — not in the memory of what reads lines
    import pyarrow.parquet as pq  # noqa: PLC0415

    every = _rows(rows)
    columns = pa.Table.from_pylist([next(_rows(1))]).schema
    with pq.ParquetWriter(path, columns, compression="snappy") as writer:
        for start in range(0, rows, GROUP_ROWS):
            group = [next(every) for _ in range(min(GROUP_ROWS, rows - start))]
            writer.write_table(pa.Table.from_pylist(group, columns))


def measure(path: Path) -> dict[str, float]:
    """Load the file in this process; the peak of its memory is that of its whole life."""
    every: Any = _Everything()
    flow = LoadFiles(
        every, every, lambda _: LocalFile(path), Arrow(), every, every, every, every, every, lambda: NOW
    )
    began = time.perf_counter()
    flow.begin(FileDropped(f"incoming/shop/{path.name}", "v1", path.stat().st_size), lambda: 900.0)
    seconds = time.perf_counter() - began
    load = every.find("")[0]
    return {
        "rows": load.taken,
        "bytes": path.stat().st_size,
        "seconds": round(seconds, 2),
        "rows_per_second": round(load.taken / seconds),
        "rss_peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def main() -> None:
    """Write the file in a process before, measure in this one."""
    rows, form = int(sys.argv[1]), (sys.argv[2] if len(sys.argv) > 2 else "csv")  # noqa: PLR2004
    if form.endswith(("csv", "jsonl", "parquet")) and Path(form).exists():
        print(json.dumps(measure(Path(form))))
        return
    import subprocess  # noqa: PLC0415 — only where the file has yet to be written

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / f"orders.{form}"
        write_file(path, rows)
        subprocess.run([sys.executable, "-m", "ops.bench.loading", str(rows), str(path)], check=True)


if __name__ == "__main__":
    main()
