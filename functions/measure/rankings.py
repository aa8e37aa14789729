"""Best sellers, by category and period: context facts that messages have slots for, and that hold for three days."""

import datetime as dt
from collections.abc import Iterable, Iterator

import duckdb

from functions.domain.context import Context, Fact, with_facts
from functions.domain.instants import Instant
from functions.measure.periods import bound, days_between
from functions.measure.views import Views

PERIODS = {"best_week": 7, "best_month": 30, "best_half_year": 182}
"""The facts `best_week_1` … `best_week_3`, and so on, by category; under no key, of the whole shop."""
PLACES = 3
BUYERS_MIN = 5
CATEGORIES_MAX = 100
HOLDS = dt.timedelta(days=3)
"""A ranking that nobody has counted for so long is said no more: messages fall back to what they say without any."""
NAME, STOCK = "item_name", "stock"
"""Facts by item that people tell: what it is called in messages, and `out` (0, false) where there is none."""
_OUT = frozenset(("out", 0, False))

Said = tuple[str, str, Fact]

_RANKING = f"""
WITH sold AS (
  SELECT DISTINCT coalesce(category, '') AS category, item, customer_id FROM orders o
  WHERE NOT o.cancelled AND o.day > $day - CAST($days AS INTEGER) AND o.day <= $day
    AND coalesce(item, '') <> '' AND item NOT IN (SELECT item FROM gone)),
places AS (
  SELECT category, item, count(DISTINCT customer_id) AS buyers FROM sold WHERE category <> '' GROUP BY ALL
  UNION ALL SELECT '', item, count(DISTINCT customer_id) FROM sold GROUP BY item),
ranked AS (
  SELECT *, row_number() OVER (PARTITION BY category ORDER BY buyers DESC, item) AS place,
         sum(buyers) OVER (PARTITION BY category) AS all_buyers
  FROM places WHERE buyers >= {BUYERS_MIN})
SELECT r.category, r.place, coalesce(n.name, r.item) FROM ranked r LEFT JOIN names n ON n.item = r.item
WHERE r.place <= {PLACES}
QUALIFY dense_rank() OVER (ORDER BY r.category <> '', r.all_buyers DESC, r.category) <= {CATEGORIES_MAX}
ORDER BY 1, 2
"""
"""By buyers, not by orders: whoever stocks up makes no best seller."""


def rankings(workspace: Views, context: Context, day: dt.date, now: Instant) -> list[Said]:
    """What sells best as of the end of a day, without what is out of stock: facts with their names and keys."""
    workspace.view("orders", days_between(day - dt.timedelta(days=max(PERIODS.values()) - 1), day))
    know_items(workspace.connection, context, now)
    return [
        (f"{period}_{place}", category, Fact(name, now, now + HOLDS))
        for period, days in PERIODS.items()
        for category, place, name in workspace.connection.execute(
            bound(_RANKING, {"day": day, "days": days})
        ).fetchall()
    ]


def with_rankings(context: Context, told: Iterable[Said], now: Instant) -> Context:
    """The facts with these rankings in place of all that were counted earlier: a category with fewer places than before has
    no more. What a person said without an end stands, and is not counted over: counted facts always have one."""
    ours = {f"{period}_{place}" for period in PERIODS for place in range(1, PLACES + 1)}
    said = {
        name: {key: fact for key, fact in by_key.items() if name not in ours or fact.until is None}
        for name, by_key in context.items()
    }
    rest = {name: by_key for name, by_key in said.items() if by_key}
    return with_facts(rest, [one for one in told if one[1] not in rest.get(one[0], {})], now)


def know_items(connection: duckdb.DuckDBPyConnection, context: Context, now: Instant) -> None:
    """Make the tables `names` (item, name) and `gone` (item) of the facts that hold now."""
    connection.execute("CREATE OR REPLACE TEMP TABLE names (item VARCHAR, name VARCHAR)")
    connection.execute("CREATE OR REPLACE TEMP TABLE gone (item VARCHAR)")
    for item, value in _holding(context, NAME, now):
        connection.execute("INSERT INTO names VALUES (?, ?)", [item, str(value)])
    for item, value in _holding(context, STOCK, now):
        if value in _OUT:
            connection.execute("INSERT INTO gone VALUES (?)", [item])


def _holding(context: Context, name: str, now: Instant) -> Iterator[tuple[str, object]]:
    for key, fact in sorted(context.get(name, {}).items()):
        if fact.since <= now and (fact.until is None or now < fact.until):
            yield key, fact.value
