"""A workspace whose partitions are rows in memory: `Rows({"orders": [{…}, …]})`. Every row has a `day`."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from functions.measure.tables import DERIVED

Row = Mapping[str, Any]
_FACTS: Mapping[str, Mapping[str, str]] = {
    "sends": {
        **dict.fromkeys(
            ("send_id", "customer_id", "unit", "status", "reason", "kind", "scenario"), "VARCHAR"
        ),
        **dict.fromkeys(("campaign", "variant"), "VARCHAR"),
        **dict.fromkeys(("at", "made_at"), "TIMESTAMP"),
        "held_out": "BOOLEAN",
    },
    "exposures": {
        **dict.fromkeys(("unit", "customer_id", "experiment", "variant", "playbook"), "VARCHAR"),
        "at": "TIMESTAMP",
    },
    "memberships": {**dict.fromkeys(("customer_id", "segment", "change"), "VARCHAR"), "at": "TIMESTAMP"},
    "clicks": {**dict.fromkeys(("click_id", "customer_id", "agent"), "VARCHAR"), "at": "TIMESTAMP"},
    "events": {
        **dict.fromkeys(("event_id", "customer_id", "name", "status", "properties"), "VARCHAR"),
        "at": "TIMESTAMP",
    },
}


class Rows:
    """Partitions in memory. Columns that a row does not have are null."""

    def __init__(self, tables: Mapping[str, Sequence[Row]]) -> None:
        self.connection = duckdb.connect(":memory:")
        self._tables = tables

    def view(self, table: str, days: Iterable[dt.date]) -> None:
        """A table of the rows of these days alone."""
        columns = {**(DERIVED.get(table) or _FACTS[table]), "day": "DATE"}
        wanted = set(days)
        named = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        self.connection.execute(f"CREATE OR REPLACE TABLE {table} ({named})")
        rows = [
            [row.get(name) for name in columns] for row in self._tables.get(table, ()) if row["day"] in wanted
        ]
        if rows:
            found = pa.table([pa.array(column) for column in zip(*rows, strict=True)], list(columns))
            self.connection.register("found", found)
            self.connection.execute(f"INSERT INTO {table} SELECT * FROM found")
            self.connection.unregister("found")

    def days(self, table: str) -> list[dt.date]:
        """The days that any row has."""
        return sorted({row["day"] for row in self._tables.get(table, ())})
