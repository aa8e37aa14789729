"""One derivation: the days it is about, the tables that it works out, and what it will write."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from functions.domain.facts import TABLES as FACTS
from functions.domain.lake import Table, days_between
from functions.domain.playbook import Playbook
from functions.measure.drafts import Drafts
from functions.measure.periods import Literal, statement
from functions.measure.tables import DAYS, OWNERS, SNAPSHOTS
from functions.measure.workspace import Workspace

DAY_SECONDS = 86_400
CLICK_DAYS = 14
"""A click this many days after a message still counts for it."""


def window_days(seconds: int) -> int:
    """How many local days before a day a window of so many seconds may reach into."""
    return seconds // DAY_SECONDS + 1


def _forget(workspace: Workspace) -> None:
    """Take away what was derived before, which nothing can go on from without its snapshots."""
    for table in (*DAYS, *SNAPSHOTS):
        workspace.forget(table, workspace.all_days(table))


class Run:
    """The state of one derivation. `day`: up to which it goes; `days`: those that are derived anew, for their facts
    have changed or somebody asked;
    `then`: the day of the snapshots that it goes on from, None where there are none and everything is worked out."""

    def __init__(
        self, workspace: Workspace, playbook: Playbook, day: dt.date, touched: Iterable[dt.date]
    ) -> None:
        self.workspace = workspace
        self.playbook = playbook
        self.measure = playbook.measure
        self.drafts = Drafts(workspace)
        self.drafts.finish()
        self.then = max(workspace.all_days(OWNERS), default=None)
        if self.then is None:
            _forget(workspace)
        self.day = day if self.then is None else max(day, self.then)
        self.days = self._days({*touched, day})

    def _days(self, touched: Iterable[dt.date]) -> set[dt.date]:
        if self.then is None:
            known = {day for table in FACTS.values() for day in self.workspace.all_days(table)}
        else:
            known = {*touched, *days_between(self.then, self.day)}
        return {day for day in known if day <= self.day} | {self.day}

    def until(self, days: Iterable[dt.date], after: int) -> set[dt.date]:
        """These days and so many after each, as far as this derivation goes."""
        spread = {day + dt.timedelta(days=number) for day in days for number in range(after + 1)}
        return {day for day in spread if day <= self.day}

    def since(self, days: Iterable[dt.date], before: int) -> set[dt.date]:
        """These days and so many before each."""
        return {day - dt.timedelta(days=number) for day in days for number in range(before + 1)}

    def view_then(self, table: Table) -> None:
        """The view `<table>_then`: the snapshot that this goes on from."""
        self.workspace.view(table, [] if self.then is None else [self.then], f"{table.name}_then")

    def make(self, table: str, file: str, **values: Literal) -> None:
        """A table of this run from a file of SQL."""
        self.execute(f'CREATE OR REPLACE TEMP TABLE "{table}" AS {statement(file, values)}')

    def execute(self, sql: str) -> None:
        """Run SQL for what it does."""
        self.workspace.connection.execute(sql)

    def rows(self, sql: str) -> list[Any]:
        """Run SQL for its rows."""
        return self.workspace.connection.execute(sql).fetchall()

    def days_of(self, sql: str) -> set[dt.date]:
        """The days that a query of one column gives."""
        return {row[0] for row in self.rows(sql)}

    def list_days(self, name: str, days: Iterable[dt.date]) -> None:
        """A table of days, in a column `day`."""
        rows = ", ".join(f"(DATE '{day}')" for day in sorted(days))
        values = (
            f"SELECT * FROM (VALUES {rows}) AS v (day)"
            if rows
            else "SELECT CAST(NULL AS DATE) AS day WHERE 1 = 0"
        )
        self.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS {values}')

    def differing(self, table: Table, now: str, then: str) -> set[dt.date]:
        """The days on which two tables of the same columns do not hold the same rows."""
        columns = ", ".join(f'"{name}"' for name in ("day", *table.names))
        one, other = f"SELECT {columns} FROM {now}", f"SELECT {columns} FROM {then}"
        return self.days_of(
            f"SELECT DISTINCT day FROM (({one} EXCEPT {other}) UNION ALL ({other} EXCEPT {one})) AS differing"
        )

    def write_days(self, table: Table, days: Iterable[dt.date], source: str) -> None:
        """Make the rows of each of these days in `source` its partition."""
        for day in sorted(days):
            self.drafts.write(table, day, f"SELECT * FROM {source} WHERE day = DATE '{day}'")

    def write_snapshot(self, table: Table, source: str) -> None:
        """Make the rows of `source` the snapshot of the day."""
        self.drafts.write(table, self.day, f"SELECT * FROM {source}")
