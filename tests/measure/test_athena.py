"""One SQL for both: what DuckDB runs is what Athena runs, once sqlglot has put it in Athena's words."""

import datetime as dt
import re
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

import functions.measure
from functions.measure.kpis import KPIS
from functions.measure.periods import Literal, bound

FOLDER = Path(functions.measure.__file__).parent / "sql"
STATEMENTS = {
    **{path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.sql"))},
    **{f"kpi {kpi.id}": kpi.sql for kpi in KPIS.values()},
}
DAY = dt.date(2026, 5, 31)
GIVEN: dict[str, Literal] = {
    **dict.fromkeys(("first", "last"), DAY),
    **dict.fromkeys(("has_profit", "taken_back"), True),
    **dict.fromkeys(("within", "window", "look_back", "within_days", "dormant", "when_number"), 14),
    **dict.fromkeys(("plan_yen", "free_messages"), 100),
    **dict.fromkeys(("margin", "yen_each"), 0.5),
    **dict.fromkeys(
        ("path", "key_path", "id_path", "less_path", "less_profit_path", "value_path", "category_path"),
        "$.amount",
    ),
    **dict.fromkeys(("item_path", "profit_path"), "$.amount"),
    **dict.fromkeys(("name", "event", "property", "goal", "first_goal", "scope_kind"), "x"),
}

FUNCTIONS = frozenset(
    [
        "abs",
        "array_agg",
        "bitwise_and",
        "bitwise_right_shift",
        "bool_and",
        "bool_or",
        "cast",
        "coalesce",
        "concat",
        "count",
        "date_diff",
        "date_trunc",
        "greatest",
        "json_extract_scalar",
        "lag",
        "least",
        "listagg",
        "max",
        "max_by",
        "min",
        "month",
        "nullif",
        "power",
        "round",
        "row_number",
        "sequence",
        "substr",
        "sum",
        "unnest",
        "year",
    ]
)
"""What our SQL comes to call, each looked up in Athena's (Trino's) list of functions."""
_NO_CALLS = frozenset(
    [
        "in",
        "and",
        "or",
        "as",
        "over",
        "by",
        "values",
        "group",
        "on",
        "when",
        "then",
        "else",
        "not",
        "using",
        "join",
        "where",
        "within",
        "order",
        "from",
    ]
)
_NAMES = frozenset(["u", "v", "k", "said", "latest", "chain", "ends"])
"""Names of our own with their columns behind them."""


def in_athena(sql: str) -> str:
    """The statement in Athena's words; raises where sqlglot knows none."""
    unsupported = sqlglot.ErrorLevel.RAISE
    (written,) = sqlglot.transpile(
        sql, read="duckdb", write="athena", unsupported_level=unsupported, comments=False
    )
    return written


def foreign(sql: str) -> list[str]:
    """What a statement has of which Athena knows nothing."""
    written = re.sub(r"'[^']*'", "''", in_athena(sql))
    called = {name.lower() for name in re.findall(r"\b([A-Za-z_]+)\(", written)}
    found = sorted(called - FUNCTIONS - _NO_CALLS - _NAMES)
    tree = sqlglot.parse_one(written, read="athena")
    found += [
        kind.__name__ for kind in (exp.Qualify, exp.Placeholder, exp.Parameter, exp.Lambda) if tree.find(kind)
    ]
    found += [
        words
        for words in ("GROUP BY ALL", "BY NAME", "* EXCLUDE", "* EXCEPT", "SEMI JOIN", "::")
        if words in written
    ]
    return found


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_is_athenas_too(name: str) -> None:
    assert foreign(bound(STATEMENTS[name], GIVEN)) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT list_sort(days) FROM customers",
        "SELECT to_seconds(5)",
        "SELECT day, sum(amount) FROM orders GROUP BY ALL",
        "SELECT * EXCLUDE (day) FROM orders",
        "SELECT a FROM x UNION ALL BY NAME SELECT a FROM y",
        "SELECT list_transform(days, d -> d + 1) FROM customers",
    ],
)
def test_what_is_duckdbs_alone_is_found(sql: str) -> None:
    try:
        found = foreign(sql)
    except (sqlglot.errors.SqlglotError, ValueError):
        return
    assert found
