"""A lake in a folder, filled with facts as the merging leaves them: one row a key, in the partition of its local day."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from functions.domain.facts import TABLES as FACTS
from functions.domain.lake import Table
from functions.domain.playbook import Playbook
from functions.measure.deriving import derive
from functions.measure.flow import Measured
from functions.measure.folder_lake import FolderLake
from functions.measure.workspace import Workspace, opened

ZONE = "Asia/Tokyo"
Row = Mapping[str, Any]
_NOTHING: Mapping[str, Any] = {
    "VARCHAR": "",
    "BOOLEAN": False,
    "BIGINT": 0,
    "TIMESTAMP": dt.datetime(2026, 1, 1),  # noqa: DTZ001 — UTC
    "VARCHAR[]": [],
}


def local_day(at: dt.datetime) -> dt.date:
    """The day of an instant, which is UTC without saying so."""
    return at.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(ZONE)).date()


class Facts:
    """Facts that grow. Rows are given without what does not matter; a later row of a key takes the place of an earlier."""

    def __init__(self, root: Path) -> None:
        self.lake = FolderLake(root)
        self._rows: dict[tuple[str, dt.date], dict[tuple[Any, ...], Row]] = defaultdict(dict)

    def add(self, name: str, rows: Iterable[Row]) -> set[dt.date]:
        """Merge rows into a table; the days that they touch."""
        table, touched = FACTS[name], set()
        for row in rows:
            day = local_day(row["at"])
            self._rows[name, day][tuple(row[part] for part in table.key)] = row
            touched.add(day)
        for day in touched:
            self._write(table, day, list(self._rows[name, day].values()))
        return touched

    def _write(self, table: Table, day: dt.date, rows: list[Row]) -> None:
        full = [{c.name: row.get(c.name, _NOTHING[c.type]) for c in table.columns} for row in rows]
        with opened(self.lake) as workspace:
            write(workspace, table, day, pd.DataFrame(full))

    def measure(self, day: dt.date, touched: Iterable[dt.date], playbook: Playbook) -> None:
        """Derive, as the stage does."""
        with opened(self.lake) as workspace:
            now = dt.datetime.combine(day, dt.time(19), dt.UTC)
            derive(Measured(day, frozenset(touched), workspace, playbook, ZONE, now, self.lake))


def write(workspace: Workspace, table: Table, day: dt.date, frame: pd.DataFrame) -> None:
    """Make a frame the partition of a day."""
    workspace.connection.register("frame_of_rows", frame)
    workspace.publish(table, day, "SELECT * FROM frame_of_rows")
    workspace.connection.unregister("frame_of_rows")
