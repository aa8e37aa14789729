"""The published schema of a set of tables, as JSON: for whoever reads the files, and for the catalog of Athena."""

import json
from collections.abc import Iterable
from typing import Any

from functions.domain.lake import Column, Table

_PUBLISHED = {
    "VARCHAR": "string",
    "BOOLEAN": "boolean",
    "INTEGER": "int",
    "BIGINT": "bigint",
    "DOUBLE": "double",
    "TIMESTAMP": "timestamp",
    "DATE": "date",
}
"""DuckDB's type → Athena's. An instant is UTC without a zone in both; a list is `array<…>`."""


def published_type(duckdb_type: str) -> str:
    """Athena's type of a column. ValueError for a type that Athena has no like of: such a column is not published."""
    if duckdb_type.endswith("[]"):
        return f"array<{published_type(duckdb_type[:-2])}>"
    try:
        return _PUBLISHED[duckdb_type]
    except KeyError:
        raise ValueError(f"Athena has no {duckdb_type}; use one of {', '.join(_PUBLISHED)}.") from None


def schema_text(tables: Iterable[Table], version: int) -> str:
    """The schema document. `version` changes only where a column goes or means something else, which none has yet."""
    document = {"version": version, "tables": {table.name: _table(table) for table in tables}}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _table(table: Table) -> dict[str, Any]:
    return {
        "meaning": table.meaning,
        "files": table.prefix + "day=YYYY-MM-DD/part.parquet",
        "key": list(table.key),
        "columns": [_column(column) for column in table.columns],
    }


def _column(column: Column) -> dict[str, Any]:
    told: dict[str, Any] = {"name": column.name, "type": published_type(column.type)}
    if column.nullable:
        told["nullable"] = True
    return told | {"meaning": column.meaning}
