"""Segments in bulk: profiles as a DuckDB table, one row each, and whole segments answered by one query."""

from collections.abc import Iterable, Mapping, Sequence

import duckdb
import pyarrow as pa

from functions.domain.context import EMPTY, Context
from functions.domain.instants import Instant
from functions.domain.profiles import ZONE_DEFAULT, Profile
from functions.domain.segments import Column, Tree, columns_of, quoted, sql_of

TABLE = "profiles"
_ARROW = {
    "BIGINT": pa.int64(),
    "BIGINT[]": pa.list_(pa.int64()),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "DOUBLE": pa.float64(),
    "VARCHAR": pa.string(),
}


def profile_table(
    connection: duckdb.DuckDBPyConnection, trees: Iterable[Tree], profiles: Sequence[Profile]
) -> None:
    """Make the table `profiles`: a row number `n`, counted from 0, and the columns that these segments read."""
    columns: list[Column] = columns_of(trees)
    arrays = [pa.array([column.read(one) for one in profiles], _ARROW[column.type]) for column in columns]
    rows = pa.table(
        [pa.array(range(len(profiles)), pa.int64()), *arrays], ["n", *(one.name for one in columns)]
    )
    connection.register("rows", rows)
    connection.execute(f"CREATE OR REPLACE TABLE {TABLE} AS SELECT * FROM rows")  # noqa: S608 — a constant
    connection.unregister("rows")


def _conditions(
    connection: duckdb.DuckDBPyConnection, trees: Iterable[Tree], now: Instant, context: Context
) -> list[str]:
    zones = _zones(connection)
    return [sql_of(tree, now, context, zones) for tree in trees]


def _zones(connection: duckdb.DuckDBPyConnection) -> list[str]:
    names = {row[0] for row in connection.execute(f"DESCRIBE {TABLE}").fetchall()}
    if "zone" not in names:
        return [ZONE_DEFAULT]
    found = connection.execute(f"SELECT DISTINCT zone FROM {TABLE}").fetchall()  # noqa: S608 — a constant
    return [zone for (zone,) in found] or [ZONE_DEFAULT]


def sizes_in_bulk(
    connection: duckdb.DuckDBPyConnection,
    segments: Mapping[str, Tree],
    now: Instant,
    context: Context = EMPTY,
) -> dict[str, int]:
    """How many of the table's profiles each segment holds at an instant."""
    row = connection.execute(sizes_query(connection, segments, now, context)).fetchone()
    assert row is not None, "an aggregate over everything is one row"
    return dict(zip(segments, row, strict=True))


def sizes_query(
    connection: duckdb.DuckDBPyConnection,
    segments: Mapping[str, Tree],
    now: Instant,
    context: Context = EMPTY,
) -> str:
    """The one query of `sizes_in_bulk`: a column a segment, in their order."""
    conditions = _conditions(connection, segments.values(), now, context)
    counts = [
        f"count(*) FILTER (WHERE {condition}) AS {quoted(name)}"
        for name, condition in zip(segments, conditions, strict=True)
    ]
    return f"SELECT {', '.join(counts)} FROM {TABLE}"  # noqa: S608 — made of our own trees


def answers_in_bulk(
    connection: duckdb.DuckDBPyConnection, trees: Sequence[Tree], now: Instant, context: Context = EMPTY
) -> list[list[bool]]:
    """The answers of every tree for every profile: a list a profile, in the order of the table."""
    conditions = ", ".join(_conditions(connection, trees, now, context))
    rows = connection.execute(f"SELECT {conditions} FROM {TABLE} ORDER BY n").fetchall()  # noqa: S608 — made of our own trees
    return [list(row) for row in rows]
