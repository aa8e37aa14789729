"""Raw rows become partitions, exactly once in effect.

Of one table: the raw objects are read, the days that they touch are noted, each day's partition is written anew with them
in it, and only then do the raw objects go. A crash anywhere leaves rows raw that are in a partition already, and merging
them again changes nothing: of two rows with one key the newest counts, and a raw object is named by what is in it, so that
nobody ever writes another content under the name of one that is being merged. A partition is written on condition that it
still is what was read: where two merge at once, the second begins anew.
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from functions.domain.facts import TABLES
from functions.domain.lake import Table
from functions.measure.days import day_begins
from functions.measure.progress import MeasureProgress
from functions.measure.workspace import Workspace, select
from functions.ports.errors import Conflict

OBJECTS_TOGETHER_MAX = 2_000
"""Raw objects merged at once: it bounds what the scratch directory holds."""


class Merging:
    """Merging in one workspace. `zone`: the account's."""

    def __init__(self, workspace: Workspace, progress: MeasureProgress, zone: str) -> None:
        self._workspace = workspace
        self._progress = progress
        self._zone = zone

    def merge_all(self) -> None:
        """Merge what waits of every table. Raises Conflict where somebody else merges the same day just now."""
        for table in TABLES.values():
            waiting = self._workspace.lake.keys(table.raw_prefix)
            for start in range(0, len(waiting), OBJECTS_TOGETHER_MAX):
                self._merge(table, waiting[start : start + OBJECTS_TOGETHER_MAX])

    def _merge(self, table: Table, keys: Sequence[str]) -> None:
        raw = self._workspace.scratch / "raw"
        wanted = [(key, raw / table.name / f"{number}.jsonl.gz") for number, key in enumerate(keys)]
        # What is gone meanwhile has been merged by somebody else, before its partition is read here.
        here = [(key, path) for key, path in self._workspace.bring(wanted) if path is not None]
        if not here:
            return
        paths = [path for _, path in here]
        for day, split in self._split(table, paths):
            self._progress.touch(day, [key for key, _ in here])
            self._merge_day(table, day, split)
        for path in paths:
            path.unlink()
        self._workspace.lake.remove([key for key, _ in here])

    def _split(self, table: Table, paths: Sequence[Path]) -> list[tuple[dt.date, Path]]:
        """The raw rows as one local Parquet file (or several) a day: day and folder."""
        sql, folder = self._workspace.connection, self._workspace.scratch / "split" / table.name
        folder.parent.mkdir(parents=True, exist_ok=True)
        raw = _read(table, paths)
        dates = [one for (one,) in sql.execute(f'SELECT DISTINCT CAST("at" AS DATE) FROM {raw}').fetchall()]
        # A row's local day is within a day of its UTC day: only days that there may be rows of are made a row of.
        days = sorted({date + dt.timedelta(days=off) for date in dates for off in (-1, 0, 1)})
        sql.execute(
            "CREATE OR REPLACE TEMP TABLE begins AS "
            "SELECT unnest(CAST(? AS DATE[])) AS day, unnest(CAST(? AS TIMESTAMP[])) AS begins",
            [days, [day_begins(day, self._zone).replace(tzinfo=None) for day in days]],
        )
        sql.execute(
            f'COPY (SELECT raw.*, begins.day FROM {raw} raw ASOF JOIN begins ON raw."at" >= begins.begins) '
            f"TO '{folder}' (FORMAT parquet, PARTITION_BY (day), OVERWRITE)"
        )
        return sorted((_day_of(path), path) for path in folder.glob("day=*"))

    def _merge_day(self, table: Table, day: dt.date, split: Path) -> None:
        workspace, key = self._workspace, table.partition(day)
        before = workspace.scratch / "before" / f"day={day.isoformat()}" / "part.parquet"
        tag = workspace.lake.fetch_tagged(key, before)
        rows = select(table, [*split.glob("*.parquet"), *([before] if tag is not None else [])])
        merged = workspace.scratch / "merged.parquet"
        workspace.write(table, newest(table, rows), merged)
        if not workspace.lake.store_over(key, merged, tag):
            raise Conflict(f"the partition {key} was written by somebody else")
        workspace.renewed(key, merged)


def newest(table: Table, rows: str) -> str:
    """SQL for the newest of each key's rows; of rows just as new the same one, whatever the order in which they come."""
    key = ", ".join(f'"{part}"' for part in table.key)
    rest = ", ".join(
        f'"{name}" DESC NULLS LAST' for name in table.names if name not in (*table.key, "seen_at")
    )
    return (
        f"SELECT * FROM ({rows}) "
        f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY seen_at DESC, {rest}) = 1"
    )


def _read(table: Table, paths: Sequence[Path]) -> str:
    """SQL for the rows of raw files. A row that is too old to have a column has null there."""
    files = ", ".join(f"'{path}'" for path in paths)
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in table.types.items())
    return (
        f"read_json([{files}], format = 'newline_delimited', compression = 'gzip', columns = {{{columns}}}, "
        "maximum_object_size = 1048576)"
    )


def _day_of(folder: Path) -> dt.date:
    return dt.date.fromisoformat(folder.name.removeprefix("day="))
