"""What a run derives: written beside the lake, seen by the run itself, and put into the lake all at once.

Orders, customers and what rests on them are worked out from each other, so that half of a run in the lake would be counted
twice by the next. So all new partitions are staged, then named in one object, and only then put in their places; a run that
finds that object first does what the one before had left to do.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from functions.domain.lake import Table
from functions.measure.workspace import Workspace, select

STAGED = "derived/staged/"
READY = f"{STAGED}ready"


class Ready(msgspec.Struct, frozen=True):
    """What is to be put in place: keys whose staged objects take their places, and keys that go."""

    store: list[str]
    remove: list[str]


class Drafts:
    """The partitions that one run has derived so far."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._paths: dict[str, Path] = {}
        self._removed: set[str] = set()

    def write(self, table: Table, day: dt.date, sql: str) -> None:
        """Make a query's rows the partition of a day, empty ones too."""
        path = self._workspace.scratch / "derived" / table.partition(day)
        self._workspace.write(table, sql, path)
        self._paths[table.partition(day)] = path

    def remove(self, table: Table, days: Iterable[dt.date]) -> None:
        """Take partitions away, together with the rest."""
        self._removed |= {table.partition(day) for day in days}

    def view(self, table: Table, days: Iterable[dt.date], name: str) -> None:
        """A view over these days as they will be: drafts before what the lake has."""
        wanted = set(days)
        drafted = {day for day in wanted if table.partition(day) in self._paths}
        self._workspace.view(table, wanted - drafted, f"{name}_kept")
        new = select(table, [self._paths[table.partition(day)] for day in sorted(drafted)])
        self._workspace.connection.execute(
            f'CREATE OR REPLACE VIEW "{name}" AS SELECT * FROM "{name}_kept" UNION ALL {new}'
        )

    def put(self) -> None:
        """Put everything in its place."""
        lake, scratch = self._workspace.lake, self._workspace.scratch
        for key, path in self._paths.items():
            lake.store(f"{STAGED}{key}", path)
        note = scratch / "ready"
        note.write_bytes(msgspec.json.encode(Ready(sorted(self._paths), sorted(self._removed))))
        lake.store(READY, note)
        for key, path in self._paths.items():
            lake.store(key, path)
            self._workspace.renewed(key, path)
        self._done(sorted(self._removed))

    def _done(self, removed: Sequence[str]) -> None:
        lake = self._workspace.lake
        lake.remove(removed)
        for key in removed:
            self._workspace.renewed(key, None)
        lake.remove([READY])
        lake.remove(lake.keys(STAGED))

    def finish(self) -> None:
        """Do what a run before had left to do, and forget what it had not come to say."""
        lake, scratch = self._workspace.lake, self._workspace.scratch
        note, moved = scratch / "ready-before", scratch / "moved"
        if not lake.fetch(READY, note):
            lake.remove(lake.keys(STAGED))
            return
        ready = msgspec.json.decode(note.read_bytes(), type=Ready)
        for key in ready.store:
            # What is staged no more has been put in its place already.
            if lake.fetch(f"{STAGED}{key}", moved):
                lake.store(key, moved)
                self._workspace.renewed(key, moved)
        self._done(ready.remove)
