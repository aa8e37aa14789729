"""People as a deployment knows them: read, never written."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from functions.aws.items import decode_gate
from functions.aws.queues import decode_order
from functions.domain.customers import Customer, in_order, needed_versions
from functions.domain.events import Event
from functions.domain.gate import Gate
from functions.domain.instants import parse_instant
from functions.domain.playbook import Playbook
from functions.domain.sends import Intent
from ops.accounts import every_customer
from ops.errors import UserError
from ops.plan.lives import Held, Person
from ops.stores import Stores

BATCH = 100
READS_MAX = 8
_event = msgspec.json.Decoder(Event)


History = Mapping[str, Sequence[Event]]
"""Customer id → the events kept under it."""


def people_of(stores: Stores, history: History) -> Iterator[Person]:
    """Everybody, with gate and held messages, a hundred gates a read; with their past as far as `history` has it."""
    held = held_messages(stores)
    customers = every_customer(stores)
    while batch := list(islice(customers, BATCH)):
        gates = gates_of(stores, [customer.customer_id for customer in batch])
        for customer in batch:
            name = customer.customer_id
            past = _past_of(customer, history)
            yield Person(
                name, customer, gates.get(name), held.get(name, []), past, user=customer.line_user_id
            )


def _past_of(customer: Customer, history: History) -> list[Event]:
    """A customer's own events, and those of the friends that were merged into it."""
    start = customer.history_from
    own = [e for e in history.get(customer.customer_id, ()) if start is None or e.occurred_at > start]
    friends = [
        event
        for alias in customer.aliases
        for event in history.get(alias.customer_id, ())
        if alias.covers(event)
    ]
    return in_order([*friends, *own])


def gates_of(stores: Stores, customer_ids: Sequence[str]) -> dict[str, Gate]:
    """The gates of at most 100 customers; what the batch leaves unread is asked for again."""
    table = stores.settings.table_gates
    wanted: Any = {table: {"Keys": [{"pk": {"S": name}} for name in customer_ids]}}
    found: dict[str, Gate] = {}
    for _ in range(READS_MAX):
        answer = stores.target.client("dynamodb").batch_get_item(RequestItems=wanted)
        for item in answer["Responses"].get(table, []):
            found[item["pk"]["S"]] = decode_gate(item)
        wanted = answer.get("UnprocessedKeys")
        if not wanted:
            return found
    raise UserError("The gates table is throttled; try again later.")


def held_messages(stores: Stores) -> dict[str, list[Held]]:
    """The messages that wait in timers, by customer."""
    held: dict[str, list[Held]] = {}
    rows = _scanned(stores, stores.settings.table_timers, FilterExpression="attribute_exists(body)")
    for row in rows:
        order = decode_order(row["body"]["S"])
        if isinstance(order, Intent):
            held.setdefault(order.customer_id, []).append(Held(parse_instant(row["due"]["S"]), order))
    return held


def histories(stores: Stores) -> dict[str, list[Event]]:
    """Every event kept, by the customer in whose history it is. All of it is held in memory."""
    found: dict[str, list[Event]] = {}
    for row in _scanned(stores, stores.settings.table_events):
        found.setdefault(row["pk"]["S"], []).append(_event.decode(row["body"]["S"]))
    return found


def _scanned(stores: Stores, table: str, **more: Any) -> Iterator[dict[str, Any]]:
    pages = stores.target.client("dynamodb").get_paginator("scan").paginate(TableName=table, **more)
    for page in pages:
        yield from page["Items"]


def versions_of(stores: Stores) -> list[Playbook]:
    """The playbooks that any journey or membership, or any message not yet decided on, goes by."""
    names: set[str] = set()
    for customer in every_customer(stores):
        names |= needed_versions(customer) | {intent.playbook for intent in customer.outbox}
    names |= {one.intent.playbook for mine in held_messages(stores).values() for one in mine}
    return [stores.playbooks.version(name).playbook for name in sorted(names)]
