"""Orders and customers: only what has changed is worked out anew, from the day of each customer's first change on.

What a customer had before that day is known without reading it: it is what the last snapshot says, less the orders that
the lake still holds from that day on. So a new order needs no old partition at all, and a return only those from the day of
the returned order on, on which that customer ordered.
"""

import datetime as dt

from functions.domain.facts import PEOPLE
from functions.measure.happenings import corrected, corrections_of, happenings_of, note_amendments, path_to
from functions.measure.periods import literal, text_of
from functions.measure.run import Run
from functions.measure.tables import AMENDMENTS, CATEGORIES, CUSTOMERS, ORDERS, OWNERS

SOUGHT_TOGETHER = 7
"""So many days at once are looked through for an order that is taken back, the latest first."""


def derive_owners(run: Run) -> None:
    """The tables `owners_now` and `moved`."""
    run.view_then(OWNERS)
    run.workspace.view(PEOPLE, run.days)
    run.make("owners_now", "owners")
    run.make("moved", "moved")
    run.write_snapshot(OWNERS, "owners_now")


def derive_orders(run: Run) -> set[dt.date]:
    """The partitions of `orders` that change, which it returns, and the tables that customers are derived of."""
    for table in (CUSTOMERS, CATEGORIES, AMENDMENTS):
        run.view_then(table)
    run.execute(f"CREATE OR REPLACE VIEW order_days AS {text_of('order_days')}")
    note_amendments(run)
    run.write_snapshot(AMENDMENTS, "amendments_now")
    days = run.days | _moved_days(run) | _amended_days(run)
    _base(run, days)
    return _renumbered(run, days)


def derive_customers(run: Run) -> None:
    """The snapshot of everybody. Needs `messages_now` too."""
    run.make("customers_now", "customers_now")
    run.write_snapshot(CUSTOMERS, "customers_now")


def _moved_days(run: Run) -> set[dt.date]:
    run.make("moved_days", "moved_days")
    return run.days_of("SELECT day FROM moved_days")


def _amended_days(run: Run) -> set[dt.date]:
    """The days of the orders of which new corrections speak, so far as they are older than what is read anyway."""
    if not corrections_of(run):
        return set()
    run.make("pending", "pending")
    by_other = run.days_of(f"SELECT DISTINCT day FROM pending WHERE property <> {literal(run.measure.id)}")
    return by_other | _sought(run)


def _sought(run: Run) -> set[dt.date]:
    wanted: dict[dt.date, set[str]] = {}
    for key, day in run.rows(f"SELECT key, day FROM pending WHERE property = {literal(run.measure.id)}"):
        wanted.setdefault(day, set()).add(key)
    left = {key for keys in wanted.values() for key in keys}
    found: dict[str, dt.date] = {}
    days_left = sorted(wanted.keys() - run.days, reverse=True)
    for start in range(0, len(days_left), SOUGHT_TOGETHER):
        days = [day for day in days_left[start : start + SOUGHT_TOGETHER] if wanted[day] & left]
        if not days:
            continue
        run.workspace.view(ORDERS, days, "orders_sought")
        here = dict(
            run.rows("SELECT order_id, day FROM orders_sought WHERE order_id IN (SELECT key FROM pending)")
        )
        found |= here
        left -= here.keys()
    return set(found.values())


def _base(run: Run, days: set[dt.date]) -> None:
    """The table `orders_base` of these days."""
    measure = run.measure
    happenings_of(run, measure.coupon_event, days)
    run.make("coupons", "coupons", value_path=path_to(measure.coupon_value), id_path=path_to(measure.id))
    happenings_of(run, measure.order, days)
    corrected(run, measure.order)
    run.make(
        "orders_base",
        "orders_base",
        id_path=path_to(measure.id),
        value_path=path_to(measure.value),
        category_path=path_to(measure.category),
        item_path=path_to(measure.item),
        profit_path=path_to(measure.profit),
        has_profit=bool(measure.profit),
        margin=1.0 if measure.margin_percent is None else measure.margin_percent / 100,
    )


def _renumbered(run: Run, days: set[dt.date]) -> set[dt.date]:
    """Number the orders of whoever has others than before, and write the days on which that shows."""
    run.workspace.view(ORDERS, days, "orders_then")
    run.make("changed", "orders_changed")
    run.list_days("days_read", days)
    tail = run.days_of("""
        SELECT DISTINCT d.day FROM changed AS c
        JOIN order_days AS d ON d.customer_id = c.customer_id AND d.day >= c.from_day""")
    run.workspace.view(ORDERS, days | tail, "orders_then")
    run.make("orders_tail_then", "orders_tail_then")
    run.make("orders_tail", "orders_tail")
    run.make("categories_now", "categories_now")
    run.write_snapshot(CATEGORIES, "categories_now")
    differing = run.differing(ORDERS, "orders_tail", "orders_tail_then")
    run.workspace.view(ORDERS, differing, "orders_then")
    run.make("orders_written", "orders_of_days")
    run.write_days(ORDERS, differing, "orders_written")
    return differing
