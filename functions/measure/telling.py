"""Attributes that measuring finds out, on their way back: a file of those that have changed, for `load`."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

import duckdb

from functions.domain.line_events import ANONYMOUS

LAST_TOLD_DAYS = 31


class Lake(Protocol):
    """What of the lake is needed here."""

    def keys(self, prefix: str) -> list[str]:
        """The keys under a prefix, sorted."""

    def fetch(self, key: str, path: Path) -> bool:
        """Copy an object into a local file; whether there is one."""

    def store(self, key: str, path: Path) -> None:
        """Write an object from a local file."""


class Told(NamedTuple):
    """How many customers have any of these attributes, and of how many they differ from what was told last."""

    customers: int
    changed: int


def tell(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    scratch: Path,
    table: str,
    columns: Sequence[str],
    day: dt.date,
    zone: str,
) -> Told:
    """Drop what has changed in a table (`customer_id` and these columns) since an earlier day, as events that set
    attributes; null takes one away. Whoever is not in the table any more keeps nothing of it, but who was merged into another
    (`owners`): what is said of them is said of the other. Who is no customer of the CRM yet cannot be told anything.

    Reads the view `owners`. Idempotent: run again for the same day, it compares with the same earlier one and drops the same file.
    """
    named = ", ".join(columns)
    connection.execute(f"DELETE FROM {table} WHERE starts_with(customer_id, '{ANONYMOUS}')")
    before = _before(lake, scratch, table, day)
    old = (
        f"SELECT customer_id, {named} FROM read_parquet('{before}')"
        if before
        else f"SELECT * FROM {table} WHERE false"
    )
    nothing = ", ".join(f"NULL AS {column}" for column in columns)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE changed AS WITH old AS ({old}) "
        f"(SELECT customer_id, {named} FROM {table} EXCEPT SELECT customer_id, {named} FROM old) UNION ALL "
        f"SELECT customer_id, {nothing} FROM old WHERE customer_id NOT IN (SELECT customer_id FROM {table}) "
        "AND customer_id NOT IN (SELECT customer_id FROM owners WHERE owner <> customer_id)"
    )
    counted = connection.execute(
        f"SELECT (SELECT count(*) FROM {table}), (SELECT count(*) FROM changed)"
    ).fetchall()[0]
    if counted[1]:
        _drop(connection, lake, scratch / f"{table}.jsonl", table, columns, day, zone)
    # Last: were it there before the file, a crash in between would leave the change untold.
    whole = scratch / f"{table}.parquet"
    connection.execute(
        f"COPY (SELECT customer_id, {named} FROM {table} ORDER BY customer_id) TO '{whole}' (FORMAT parquet, COMPRESSION zstd)"
    )
    lake.store(_key(table, day), whole)
    return Told(*counted)


def file_key(table: str, day: dt.date) -> str:
    """Where what changed by the end of a day is dropped. Not as a snapshot: no snapshot of some can take anything away."""
    return f"incoming/musubi-{table}/events/{table}_{day}.jsonl"


def _drop(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    path: Path,
    table: str,
    columns: Sequence[str],
    day: dt.date,
    zone: str,
) -> None:
    end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), ZoneInfo(zone)).astimezone(dt.UTC)
    fields = ", ".join(f"{column} := {column}" for column in columns)
    connection.execute(
        f"COPY (SELECT customer_id, 'profile_updated' AS name, '{end:%Y-%m-%dT%H:%M:%SZ}' AS occurred_at, "
        f"struct_pack({fields}) AS properties FROM changed ORDER BY customer_id) TO '{path}' (FORMAT json)"
    )
    lake.store(file_key(table, day), path)


def _key(table: str, day: dt.date) -> str:
    return f"derived/v1/{table}/day={day}/part.parquet"


def _before(lake: Lake, scratch: Path, table: str, day: dt.date) -> Path | None:
    """What was told last, on an earlier day."""
    path = scratch / f"{table}-before.parquet"
    earlier = (day - dt.timedelta(days=ago) for ago in range(1, LAST_TOLD_DAYS + 1))
    return path if any(lake.fetch(_key(table, one), path) for one in earlier) else None
