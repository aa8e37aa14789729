"""People as a deployment knows them: read, never written."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from functions.aws.history import base_in
from functions.aws.items import decode_gate
from functions.aws.queues import decode_order
from functions.decide.histories import history_of
from functions.domain.bases import Base, Kept, split
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


class Histories:
    """The events kept, and the bases of older ones, by the customer under whom they are."""

    def __init__(self, rows: Mapping[str, list[Event]], bases: Mapping[str, Base]) -> None:
        self._rows = rows
        self._bases = bases

    def kept_of(self, customer_id: str) -> Kept:
        """The events kept of a customer, with what older ones came to."""
        return split(self._rows.get(customer_id, ()), self._bases.get(customer_id, Base()))


NOTHING = Histories({}, {})


def people_of(stores: Stores, histories: Histories) -> Iterator[Person]:
    """Everybody, with gate and held messages, a hundred gates a read; with their past as far as `histories` have it."""
    held = held_messages(stores)
    customers = every_customer(stores)
    while batch := list(islice(customers, BATCH)):
        gates = gates_of(stores, [customer.customer_id for customer in batch])
        for customer in batch:
            name = customer.customer_id
            past, bases = _past_of(customer, histories)
            yield Person(
                name,
                customer,
                gates.get(name),
                held.get(name, []),
                past,
                user=customer.line_user_id,
                bases=bases,
            )


def _past_of(customer: Customer, histories: Histories) -> tuple[list[Event], list[Base]]:
    """A customer's events, and those of whoever was merged into it, with what older ones came to."""
    start, (events, bases) = customer.history_from, history_of(histories, customer)
    known = in_order(event for event in events if start is None or event.occurred_at > start)
    return known, [base for base in bases if base.version]


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


def histories(stores: Stores) -> Histories:
    """Everybody's. All of it is held in memory."""
    found: dict[str, list[Event]] = {}
    bases: dict[str, Base] = {}
    for row in _scanned(stores, stores.settings.table_events):
        if (base := base_in(row)) is not None:
            bases[row["pk"]["S"]] = base
        else:
            found.setdefault(row["pk"]["S"], []).append(_event.decode(row["body"]["S"]))
    return Histories(found, bases)


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
