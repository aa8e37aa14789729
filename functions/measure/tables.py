"""The derived tables and their columns: what reports, experiments and scores read.

Days are local days of the account's zone, instants TIMESTAMP in UTC, money whole yen. A table of `DAYS` has a partition a
day, of what happened then; one of `SNAPSHOTS` a partition a measured day, whole, as it was known when it was taken.
`customer_id` is whom the person has become (`owners`), but in `contacts` and `messages`: there it is whom it was sent to.
"""

from collections.abc import Mapping

from functions.domain.lake import Column, Table


def _table(name: str, key: tuple[str, ...], meaning: str, columns: Mapping[str, str]) -> Table:
    typed = (Column(column, kind, nullable=True) for column, kind in columns.items())
    return Table(name, "derived/v1", key, tuple(typed), meaning)


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

ORDERS = _table(
    "orders",
    ("customer_id", "event_id"),
    "One row an order event. `number`: the how-manieth not cancelled one of the customer (null where cancelled); `previous_*`: of the not cancelled one before; `new_category`: none of those before was of this category.",
    {
        "order_id": "VARCHAR",
        "event_id": "VARCHAR",
        "customer_id": "VARCHAR",
        "at": "TIMESTAMP",
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
)
CONTACTS = _table(
    "contacts",
    ("customer_id", "send_id"),
    "One row a message that was sent; `customer_id` is whom it was sent to.",
    {
        "send_id": "VARCHAR",
        "customer_id": "VARCHAR",
        "at": "TIMESTAMP",
        **_SOURCE,
    },
)
CONVERSIONS = _table(
    "conversions",
    ("goal", "customer_id", "event_id", "model"),
    "Two rows a conversion that a message had part in: who touched last (`model` last) and who first. `touches`: messages within the window; `sources`: different scenarios and campaigns among them, listed by `touched_by`.",
    {
        "goal": "VARCHAR",
        "order_id": "VARCHAR",
        "event_id": "VARCHAR",
        "customer_id": "VARCHAR",
        "at": "TIMESTAMP",
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
)
DAILY = _table(
    "daily",
    ("part", "goal", "scope_kind", "scope"),
    "Parts of KPIs. `goal`: empty for the playbook's first goal and for what has none. `scope_kind`: all, scenario, campaign, run, step, variant, kind, segment, reason or category.",
    {
        "part": "VARCHAR",
        "goal": "VARCHAR",
        "scope_kind": "VARCHAR",
        "scope": "VARCHAR",
        "value": "DOUBLE",
    },
)
CUSTOMERS = _table(
    "customers",
    ("customer_id",),
    "One row a person who was ever written to or ever ordered. Counts and sums are of orders that are not cancelled. `months_active`: bit i is the i-th calendar month after that of the first order, bit 61 all from there on. `days`: local days with such orders; `void_days`: those with cancelled ones alone.",
    {
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
)
CATEGORIES = _table(
    "categories",
    ("customer_id", "category"),
    "How many orders of each category each customer has, cancelled ones aside.",
    {
        "customer_id": "VARCHAR",
        "category": "VARCHAR",
        "orders": "INTEGER",
    },
)
OWNERS = _table(
    "owners",
    ("customer_id",),
    "Whose somebody is: `said` as it was last told, `owner` after all chains.",
    {
        "customer_id": "VARCHAR",
        "said": "VARCHAR",
        "owner": "VARCHAR",
        "unit": "VARCHAR",
        "linked": "BOOLEAN",
        "at": "TIMESTAMP",
        "seen_at": "TIMESTAMP",
    },
)
FRIENDS = _table(
    "friends",
    ("customer_id",),
    "Who follows the account, by what came last.",
    {
        "customer_id": "VARCHAR",
        "change": "VARCHAR",
        "at": "TIMESTAMP",
        "event_id": "VARCHAR",
    },
)
MEMBERS = _table(
    "members",
    ("customer_id", "segment"),
    "Who is in which segment, by what came last.",
    {
        "customer_id": "VARCHAR",
        "segment": "VARCHAR",
        "change": "VARCHAR",
        "at": "TIMESTAMP",
        "seen_at": "TIMESTAMP",
    },
)
AMENDMENTS = _table(
    "amendments",
    ("customer_id", "event_id"),
    "What corrections said: of which event, by which property, taken back or lessened by so much.",
    {
        "event_id": "VARCHAR",
        "customer_id": "VARCHAR",
        "event": "VARCHAR",
        "property": "VARCHAR",
        "key": "VARCHAR",
        "taken_back": "BOOLEAN",
        "less_yen": "BIGINT",
        "less_profit": "BIGINT",
        "at": "TIMESTAMP",
    },
)
MESSAGES = _table(
    "messages",
    ("customer_id",),
    "How many messages somebody was sent, and from when until when.",
    {
        "customer_id": "VARCHAR",
        "messages": "INTEGER",
        "first_day": "DATE",
        "last_day": "DATE",
    },
)
BILLS = _table(
    "bills",
    ("month",),
    "A month's messages and the price that they are paid by.",
    {
        "month": "DATE",
        "messages": "BIGINT",
        "plan_yen": "BIGINT",
        "free_messages": "BIGINT",
        "yen_each": "DOUBLE",
    },
)

DAYS = (ORDERS, CONTACTS, CONVERSIONS, DAILY)
SNAPSHOTS = (CUSTOMERS, CATEGORIES, OWNERS, FRIENDS, MEMBERS, AMENDMENTS, MESSAGES, BILLS)
TABLES: Mapping[str, Table] = {table.name: table for table in (*DAYS, *SNAPSHOTS)}
"""Every derived table, by name."""

DERIVED: Mapping[str, Mapping[str, str]] = {name: table.types for name, table in TABLES.items()}
"""Table → column → DuckDB's type; every table has a `day` (DATE) besides."""
