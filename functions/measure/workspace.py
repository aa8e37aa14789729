"""DuckDB over local copies of exactly the partitions that somebody asks for; nothing is read over the network by it."""

import datetime as dt
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import duckdb

from functions.domain.lake import Table
from functions.ports.facts import Lake
from functions.ports.sending import Together

MEMORY = "1500MB"
THREADS = 2
ROW_GROUP = 100_000


def connect(scratch: Path) -> duckdb.DuckDBPyConnection:
    """A database in memory that spills into `scratch`, loads no extension and reaches no network."""
    spill = scratch / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": str(THREADS),
            "memory_limit": MEMORY,
            "temp_directory": str(spill),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "preserve_insertion_order": "false",
        },
    )
    connection.execute("SET enable_progress_bar = false")
    return connection


@contextmanager
def opened(lake: Lake, together: Together | None = None) -> Iterator["Workspace"]:
    """A workspace in a directory of its own, gone at the end. `together`: fetches many objects side by side."""
    with tempfile.TemporaryDirectory(prefix="musubi-measure-") as scratch:
        connection = connect(Path(scratch))
        try:
            yield Workspace(lake, Path(scratch), connection, together)
        finally:
            connection.close()


class Workspace:
    """Views over partitions, and partitions from queries. One a run: what was fetched once is not fetched again."""

    def __init__(
        self,
        lake: Lake,
        scratch: Path,
        connection: duckdb.DuckDBPyConnection,
        together: Together | None = None,
    ) -> None:
        self.lake = lake
        self.scratch = scratch
        self.connection = connection
        self._together = together
        self._here: dict[str, bool] = {}

    def view(self, table: Table, days: Iterable[dt.date], name: str = "") -> None:
        """Make `CREATE VIEW <table>` over exactly these days, as far as there are rows; typed as the table is, and with
        `day` (DATE). Columns that a file is too old to have are null. `name`: another name for the view."""
        paths = [self._path(table.partition(day)) for day in self._fetched(table, days)]
        self.connection.execute(f'CREATE OR REPLACE VIEW "{name or table.name}" AS {select(table, paths)}')

    def days(self, table: Table, days: Iterable[dt.date]) -> list[dt.date]:
        """Which of these days have a partition, in order."""
        found: set[dt.date] = set()
        wanted = set(days)
        for asked in table.listings(wanted):
            if isinstance(asked, str):
                found |= {day for key in self.lake.keys(asked) if (day := table.day_of(key)) is not None}
            elif self._fetch(table.partition(asked)):
                found.add(asked)
        return sorted(found & wanted)

    def all_days(self, table: Table) -> list[dt.date]:
        """Every day that has a partition, in order. It lists the whole history: not for what runs daily."""
        return sorted(day for key in self.lake.keys(table.prefix) if (day := table.day_of(key)) is not None)

    def state(self, table: Table, day: dt.date, name: str = "") -> bool:
        """Make the view over one day's snapshot (empty where there is none); whether there is one."""
        self.view(table, [day], name)
        return self._here[table.partition(day)]

    def publish(self, table: Table, day: dt.date, sql: str) -> int:
        """Write a query's rows as the partition of a day, in place of what was there; how many. The query has the
        table's columns by name (others are left out). No rows: no partition."""
        path = self._draft(table.partition(day))
        rows = self.write(table, sql, path)
        self._put(table, day, path if rows else None)
        return rows

    def write(self, table: Table, sql: str, path: Path) -> int:
        """Write a query's rows into a local Parquet file as partitions are: columns in order and of their types, sorted
        by key; how many."""
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = ", ".join(f'CAST("{one.name}" AS {one.type}) AS "{one.name}"' for one in table.columns)
        order = ", ".join(f'"{part}"' for part in table.key)
        done = self.connection.execute(
            f"COPY (SELECT {columns} FROM ({sql}) ORDER BY {order}) TO '{path}' "
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})"
        ).fetchone()
        assert done is not None
        return int(done[0])

    def forget(self, table: Table, days: Iterable[dt.date]) -> None:
        """Take partitions away."""
        keys = [table.partition(day) for day in days]
        self.lake.remove(keys)
        for key in keys:
            self.renewed(key, None)

    def renewed(self, key: str, path: Path | None) -> None:
        """Note that an object is now what this local file holds (None: that it is gone)."""
        final = self._path(key)
        if path is None:
            final.unlink(missing_ok=True)
        elif path != final:
            final.parent.mkdir(parents=True, exist_ok=True)
            path.replace(final)
        self._here[key] = path is not None

    def _put(self, table: Table, day: dt.date, path: Path | None) -> None:
        key = table.partition(day)
        if path is None:
            self.lake.remove([key])
        else:
            self.lake.store(key, path)
        self.renewed(key, path)

    def _fetched(self, table: Table, days: Iterable[dt.date]) -> list[dt.date]:
        wanted = set(days)
        unknown = {day for day in wanted if table.partition(day) not in self._here}
        there = set(self.days(table, unknown))
        self._here |= {table.partition(day): False for day in unknown - there}
        self._fetch_all([key for day in sorted(there) if (key := table.partition(day)) not in self._here])
        return sorted(day for day in wanted if self._here[table.partition(day)])

    def _fetch(self, key: str) -> bool:
        if key not in self._here:
            self._here[key] = self.lake.fetch(key, self._path(key))
        return self._here[key]

    def _fetch_all(self, keys: Sequence[str]) -> None:
        self._here |= {key: got is not None for key, got in self.bring([(k, self._path(k)) for k in keys])}

    def bring(self, wanted: Sequence[tuple[str, Path]]) -> list[tuple[str, Path | None]]:
        """Copy objects to local files, side by side where that was asked for; None for what is not there."""
        calls = [partial(self.lake.fetch, key, path) for key, path in wanted]
        answers = self._together(calls) if self._together else [call() for call in calls]
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return [(key, path if found else None) for (key, path), found in zip(wanted, answers, strict=True)]

    def _path(self, key: str) -> Path:
        return self.scratch / "lake" / key

    def _draft(self, key: str) -> Path:
        return self.scratch / "drafts" / key


def select(table: Table, paths: Iterable[Path]) -> str:
    """SQL for the rows of these partition files: the table's columns of their types, and `day` from the path."""
    files = ", ".join(f"'{path}'" for path in paths)
    columns = ", ".join(f'"{one.name}"' for one in table.columns)
    nothing = ", ".join(f'CAST(NULL AS {one.type}) AS "{one.name}"' for one in table.columns)
    empty = f"SELECT {nothing}, CAST(NULL AS DATE) AS day WHERE false"
    if not files:
        return empty
    read = (
        f"SELECT * FROM read_parquet([{files}], union_by_name = true, hive_partitioning = true, "
        "hive_types = {'day': DATE})"
    )
    return f"SELECT {columns}, day FROM ({empty} UNION ALL BY NAME {read})"
