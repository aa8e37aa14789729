"""The derived tables and their columns: what reports, experiments and scores read.

Days are local days of the account's zone, instants TIMESTAMP in UTC, money whole yen. A table of `DAILY` has one partition
a day, of what happened then; one of `SNAPSHOTS` has one a measured day, whole, as it was known when it was taken.
`customer_id` is whom the person has become (`owners`), but in `contacts` and `messages`: there it is whom it was sent to.
"""

from collections.abc import Mapping

Columns = Mapping[str, str]
"""Name → type, in DuckDB's words; the order is that of the files."""

_SOURCE = {
    "scenario": "VARCHAR",
    "campaign": "VARCHAR",
    "run": "VARCHAR",
    "step": "VARCHAR",
    "variant": "VARCHAR",
    "kind": "VARCHAR",
    "segment": "VARCHAR",
}
"""What a message was sent by. `segment`: the one that the campaign or the scenario is for, empty where none is named."""

DAILY: Mapping[str, Columns] = {
    # One row an order event. `number`: the how-manieth not cancelled one of the customer (null where cancelled);
    # `previous_*`: of the not cancelled one before; `new_category`: none of those before was of this category.
    "orders": {
        "order_id": "VARCHAR",
        "event_id": "VARCHAR",
        "customer_id": "VARCHAR",
        "at": "TIMESTAMP",
        "day": "DATE",
        "amount": "BIGINT",
        "gross_profit": "BIGINT",
        "coupon_yen": "BIGINT",
        "category": "VARCHAR",
        "item": "VARCHAR",
        "cancelled": "BOOLEAN",
        "imported": "BOOLEAN",
        "number": "INTEGER",
        "previous_at": "TIMESTAMP",
        "previous_amount": "BIGINT",
        "new_category": "BOOLEAN",
    },
    # One row a message that was sent.
    "contacts": {
        "send_id": "VARCHAR",
        "customer_id": "VARCHAR",
        "at": "TIMESTAMP",
        "day": "DATE",
        **_SOURCE,
    },
    # Two rows a conversion that a message had part in: who touched last, and who first. `touches`: messages within the
    # window; `sources`: different scenarios and campaigns among them, which `touched_by` lists (`scenario:a,campaign:b`).
    "conversions": {
        "goal": "VARCHAR",
        "order_id": "VARCHAR",
        "event_id": "VARCHAR",
        "customer_id": "VARCHAR",
        "at": "TIMESTAMP",
        "day": "DATE",
        "value_yen": "BIGINT",
        "gross_profit": "BIGINT",
        "coupon_yen": "BIGINT",
        "model": "VARCHAR",
        "send_id": "VARCHAR",
        **_SOURCE,
        "touches": "INTEGER",
        "sources": "INTEGER",
        "touched_by": "VARCHAR",
    },
    # Parts of KPIs. `goal`: empty for the playbook's first goal and for what has none.
    # `scope_kind`: all, scenario, campaign, run, step, variant, kind, segment, reason or category.
    "daily": {
        "day": "DATE",
        "part": "VARCHAR",
        "goal": "VARCHAR",
        "scope_kind": "VARCHAR",
        "scope": "VARCHAR",
        "value": "DOUBLE",
    },
}

SNAPSHOTS: Mapping[str, Columns] = {
    # One row a person who was ever written to or ever ordered. Counts and sums are of orders that are not cancelled.
    # `months_active`: bit i is the i-th calendar month after that of the first order, bit 61 all from there on.
    # `days`: local days with such orders; `void_days`: those with cancelled ones alone.
    "customers": {
        "customer_id": "VARCHAR",
        "orders": "INTEGER",
        "first_at": "TIMESTAMP",
        "second_at": "TIMESTAMP",
        "last_at": "TIMESTAMP",
        "last_amount": "BIGINT",
        "first_day": "DATE",
        "second_day": "DATE",
        "last_day": "DATE",
        "revenue": "BIGINT",
        "gross_profit": "BIGINT",
        "coupon_yen": "BIGINT",
        "messages": "INTEGER",
        "months_active": "BIGINT",
        "categories": "VARCHAR[]",
        "days": "DATE[]",
        "void_days": "DATE[]",
    },
    # Orders of each category of each customer, none of them cancelled.
    "categories": {"customer_id": "VARCHAR", "category": "VARCHAR", "orders": "INTEGER"},
    # Whose somebody is now: `said` as it was last told, `owner` after all chains.
    "owners": {
        "customer_id": "VARCHAR",
        "said": "VARCHAR",
        "owner": "VARCHAR",
        "unit": "VARCHAR",
        "linked": "BOOLEAN",
        "at": "TIMESTAMP",
        "seen_at": "TIMESTAMP",
    },
    # Who follows the account, by what came last.
    "friends": {"customer_id": "VARCHAR", "change": "VARCHAR", "at": "TIMESTAMP", "event_id": "VARCHAR"},
    # Who is in which segment, by what came last.
    "members": {
        "customer_id": "VARCHAR",
        "segment": "VARCHAR",
        "change": "VARCHAR",
        "at": "TIMESTAMP",
        "seen_at": "TIMESTAMP",
    },
    # What corrections said: of which event, by which property, taken back or lessened by so much.
    "amendments": {
        "event_id": "VARCHAR",
        "customer_id": "VARCHAR",
        "event": "VARCHAR",
        "property": "VARCHAR",
        "key": "VARCHAR",
        "taken_back": "BOOLEAN",
        "less_yen": "BIGINT",
        "less_profit": "BIGINT",
        "at": "TIMESTAMP",
        "day": "DATE",
    },
    # How many messages somebody was sent, and from when until when.
    "messages": {
        "customer_id": "VARCHAR",
        "messages": "INTEGER",
        "first_day": "DATE",
        "last_day": "DATE",
    },
    # A month's messages and the price that they are paid by: what a message cost is bill / messages of its month.
    "bills": {
        "month": "DATE",
        "messages": "BIGINT",
        "plan_yen": "BIGINT",
        "free_messages": "BIGINT",
        "yen_each": "DOUBLE",
    },
}

DERIVED: Mapping[str, Columns] = {**DAILY, **SNAPSHOTS}


def empty(columns: Columns) -> str:
    """SQL of no rows of these columns."""
    typed = ", ".join(f'CAST(NULL AS {kind}) AS "{name}"' for name, kind in columns.items())
    return f"SELECT {typed} WHERE 1 = 0"


def partition_key(table: str, day: object) -> str:
    """Where a partition, or a snapshot, of a derived table lies in the lake."""
    return f"derived/v1/{table}/day={day}/part.parquet"
