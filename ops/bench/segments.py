"""Segments against their budgets: microseconds a profile in Python, and bulk by SQL against a query written by hand.

The bulk ratio compares two queries on one table in one process: our generated SQL, and what a person would write who
knows the data (no NULL where there is none, nothing decided twice).
"""

import datetime as dt
import statistics
import time
from collections.abc import Callable

import duckdb

from functions.domain.events import BUILT_IN, Event, EventType, PropertyType
from functions.domain.line_events import LINE_EVENTS
from functions.domain.profiles import Profile, fold_all
from functions.domain.segments import Tree, columns_of, compile_predicate, names_of, parse, quoted
from functions.domain.segments.columns import micros
from ops.bench.measure import Measure
from ops.bulk import TABLE, sizes_query

NOW = dt.datetime(2026, 11, 20, 3, 0, tzinfo=dt.UTC)
ROWS = 1_000_000
RUNS = 7
PREDICATES_US_MAX = 5.0
BULK_RATIO_MAX = 2.0
DICTIONARY = {
    **BUILT_IN,
    **LINE_EVENTS,
    "purchase": EventType(
        "an order was paid",
        alias="orders",
        properties={
            "amount": PropertyType("number", sum=True),
            "category": PropertyType("string", index=True),
        },
        verb="bought",
        keep_days=90,
    ),
    "cart_left": EventType("a cart was left", alias="carts"),
}
SEGMENTS = {
    "buyers": "orders.count >= 1",
    "f2_candidates": "orders.count == 1 and days_since(orders.last_at) > 30",
    "repeat": "orders.count >= 2",
    "vip": 'orders.count >= 5 or orders.amount >= 50000 or "vip" in tags',
    "active": "days_since(orders.last_at) <= 90",
    "dormant": "orders.count >= 1 and days_since(orders.last_at) > 180",
    "cart_abandoners": "days_since(carts.last_at) < 3 and (orders.count == 0 or carts.last_at > orders.last_at)",
    "gold": 'rank == "gold"',
    "skincare": 'bought("skincare") and not "vip" in tags',
    "lately": "orders.count_in(days=30) >= 2",
}
_DAY = 86_400_000_000
_NOW = micros(NOW)
_BY_HAND = f"""
    SELECT count(*) FILTER (WHERE "count.orders" >= 1),
           count(*) FILTER (WHERE "count.orders" = 1 AND "last_at.orders" <= {_NOW - 31 * _DAY}),
           count(*) FILTER (WHERE "count.orders" >= 2),
           count(*) FILTER (WHERE "count.orders" >= 5 OR "sum.orders.amount" >= 50000 OR "tag.vip"),
           count(*) FILTER (WHERE "last_at.orders" > {_NOW - 91 * _DAY}),
           count(*) FILTER (WHERE "last_at.orders" <= {_NOW - 181 * _DAY}),
           count(*) FILTER (WHERE "last_at.carts" > {_NOW - 3 * _DAY}
                            AND ("count.orders" = 0 OR "last_at.carts" > "last_at.orders")),
           count(*) FILTER (WHERE "attribute.rank.text" = 'gold'),
           count(*) FILTER (WHERE "last_with.orders.category.skincare" IS NOT NULL AND NOT "tag.vip"),
           count(*) FILTER (WHERE len(list_filter("kept_at.orders", lambda one: one > {_NOW - 30 * _DAY})) >= 2)
    FROM {TABLE}
"""  # noqa: S608 — constants
_ORDERS, _LAST = (
    "(hash(n) % 7)::BIGINT",
    f"{_NOW} - (hash(n + 1) % 300)::BIGINT * {_DAY} - (hash(n + 2) % 9999)::BIGINT",
)
_MADE = {
    "count.orders": _ORDERS,
    "last_at.orders": f"CASE WHEN {_ORDERS} > 0 THEN {_LAST} END",
    "sum.orders.amount": f"CASE WHEN {_ORDERS} > 0 THEN ({_ORDERS} * (hash(n + 3) % 20000)::BIGINT)::DOUBLE END",
    "last_with.orders.category.skincare": f"CASE WHEN {_ORDERS} > 0 AND hash(n + 4) % 4 = 0 THEN {_LAST} END",
    "kept_at.orders": f"list_transform(range({_ORDERS}), lambda i: {_LAST} - i * {5 * _DAY})",
    "last_at.carts": f"CASE WHEN hash(n + 5) % 3 = 0 THEN {_NOW} - (hash(n + 6) % 30)::BIGINT * {_DAY} END",
    "tag.vip": "hash(n + 7) % 20 = 0",
    "attribute.rank.text": "CASE hash(n + 8) % 4 WHEN 0 THEN 'gold' WHEN 1 THEN 'silver' END",
    "attribute.rank.number": "NULL::DOUBLE",
    "attribute.rank.boolean": "NULL::BOOLEAN",
}


def trees() -> dict[str, Tree]:
    """The ten segments."""
    names = names_of(DICTIONARY)
    return {name: parse(text, names) for name, text in SEGMENTS.items()}


def segments() -> list[Measure]:
    """All of it: about ten seconds."""
    return [predicates(), bulk()]


def predicates() -> Measure:
    """The compiled predicates of the ten segments over profiles of all sorts."""
    compiled = [compile_predicate(tree) for tree in trees().values()]
    profiles = [_profile(number) for number in range(2_000)]

    def ask() -> None:
        for profile in profiles:
            for holds in compiled:
                holds(profile, NOW)

    took = min(_seconds(ask, time.process_time) for _ in range(RUNS)) / len(profiles)
    return Measure(
        "ten segments of one profile, compiled predicates",
        took * 1e6,
        "µs",
        PREDICATES_US_MAX,
        f"{1 / took:,.0f} profiles a second in one process",
    )


def bulk(rows: int = ROWS) -> Measure:
    """Our SQL for the ten segments against the query by hand, on the same table, by turns in the same process."""
    with duckdb.connect() as connection:
        _make_table(connection, rows)
        ours = sizes_query(connection, trees(), NOW)
        if connection.execute(ours).fetchone() != connection.execute(_BY_HAND).fetchone():
            raise AssertionError("the query by hand and ours count differently; one of them is wrong")
        turns = [[_answered(connection, query) for query in (ours, _BY_HAND)] for _ in range(RUNS)]
    mine, by_hand = (statistics.median(seconds) for seconds in zip(*turns, strict=True))
    return Measure(
        f"ten segments of {rows:,} profiles in bulk, generated SQL",
        mine / by_hand,
        "× by hand",
        BULK_RATIO_MAX,
        f"{by_hand * 1e3:,.1f} ms for the DuckDB query by hand, {mine * 1e3:,.1f} ms for ours",
    )


def _answered(connection: duckdb.DuckDBPyConnection, query: str) -> float:
    return _seconds(lambda: connection.execute(query).fetchone())


def _make_table(connection: duckdb.DuckDBPyConnection, rows: int) -> None:
    columns = ", ".join(f"{_MADE[one.name]} AS {quoted(one.name)}" for one in columns_of(trees().values()))
    made = f"{columns} FROM range({rows}) AS rows(n)"
    connection.execute(f"CREATE TABLE {TABLE} AS SELECT n, {made}")


def _profile(number: int) -> Profile:
    """Up to six orders, a cart, a tag, a rank: who has what goes by the number."""
    at = NOW - dt.timedelta(days=number * 37 % 300, seconds=number)
    events = [
        Event(
            f"o{n}",
            "c1",
            "purchase",
            at - n * dt.timedelta(days=5),
            properties={"amount": 1000 * (number % 19), "category": ("skincare", "hair")[n % 2]},
        )
        for n in range(number % 7)
    ]
    if number % 3 == 0:
        events.append(Event("c", "c1", "cart_left", NOW - dt.timedelta(days=number % 30)))
    if number % 20 == 0:
        events.append(Event("t", "c1", "tag_added", at, properties={"tag": "vip"}))
    events.append(
        Event("p", "c1", "profile_updated", at, properties={"rank": ("gold", "silver")[number % 2]})
    )
    return fold_all(events, DICTIONARY)


def _seconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    began = clock()
    work()
    return clock() - began
