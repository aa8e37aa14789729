"""The unknown ends: which, since when, why, and what LINE can still say of them."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec

from functions.aws.send_reports import field_text
from functions.domain.gate import Gate
from functions.domain.instants import Instant, format_instant
from functions.domain.resolutions import key_age
from functions.domain.sends import SendRecord
from ops.plan.deployed import BATCH, gates_of
from ops.stores import Stores

LINE_KNOWS = dt.timedelta(hours=24)
"""LINE remembers a retry key for so long. It is never asked: to ask is to send what it does not know."""
UNKNOWN = field_text("status", "unknown")
# Of a record that was never resolved there is no such field.
RESOLVED = '"resolved":'


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records: empty strings and None leave all."""

    campaign: str = ""
    scenario: str = ""
    reason: str = ""
    since: Instant | None = None
    send_ids: frozenset[str] = frozenset()

    @property
    def is_everything(self) -> bool:
        """Whether no filter is set."""
        return self == Wanted()

    def matches(self, record: SendRecord) -> bool:
        """Whether a record is meant. The reason is that of the unknown end, resolved or not."""
        reason = record.resolved.reason if record.resolved else record.reason
        return (
            (not self.campaign or self.campaign in (record.campaign, record.run))
            and (not self.scenario or record.scenario == self.scenario)
            and (not self.reason or reason == self.reason)
            and (self.since is None or record.at >= self.since)
            and (not self.send_ids or record.send_id in self.send_ids)
        )


class Unknown(msgspec.Struct, frozen=True):
    """One unknown end, and the customer's gate as it is now (None: there is none)."""

    record: SendRecord
    gate: Gate | None

    @property
    def key_age(self) -> dt.timedelta | None:
        """How old its retry key was when it ended; None where the gate has forgotten it."""
        return key_age(self.gate, self.record)

    def as_json(self, now: Instant) -> dict[str, Any]:
        """One row."""
        one, age = self.record, self.key_age
        return {
            "send_id": one.send_id,
            "customer_id": one.customer_id,
            "message": one.message,
            "kind": one.kind,
            "scenario": one.scenario or None,
            "campaign": one.campaign or None,
            "run": one.run or None,
            "step": one.step,
            "reason": one.reason,
            "at": format_instant(one.at),
            "made_at": format_instant(one.made_at),
            "key_age_seconds": None if age is None else int(age.total_seconds()),
            "line": self.line(now),
            "request_id": one.request_id or None,
        }

    def line(self, now: Instant) -> str:
        """What LINE knows of it, in words."""
        if self.record.request_id:
            return f"accepted as request {self.record.request_id}"
        age = self.key_age
        if age is None:
            return "nothing that can be asked: its key is forgotten here"
        left = LINE_KNOWS - age - (now - self.record.at)
        if left <= dt.timedelta(0):
            return "nothing any more: the key is older than 24 hours"
        return f"the key, for {int(left.total_seconds() // 60)} minutes more; to ask would send it"


def records_of(
    stores: Stores, wanted: Wanted, *, customer: str = "", resolved: bool = False
) -> Iterator[SendRecord]:
    """The unknown ends that are meant; with `resolved` also those of which a person has said something.

    The whole log is read (half a read unit for 4 KB) unless a customer is named.
    """
    found: Iterable[SendRecord]
    if customer:
        found = stores.sends.of_customer(customer)
    else:
        found = stores.reports.scan(UNKNOWN, *([RESOLVED] if resolved else []))
    for record in found:
        if (record.status == "unknown" or (resolved and record.resolved)) and wanted.matches(record):
            yield record


def unknowns(stores: Stores, wanted: Wanted, customer: str = "") -> Iterator[Unknown]:
    """The unknown ends with their gates, a hundred gates a read."""
    records = records_of(stores, wanted, customer=customer)
    while batch := list(islice(records, BATCH)):
        gates = gates_of(stores, sorted({one.customer_id for one in batch}))
        for record in batch:
            yield Unknown(record, _followed(stores, gates.get(record.customer_id)))


def _followed(stores: Stores, gate: Gate | None) -> Gate | None:
    """The gate of whoever the customer was merged into."""
    while gate is not None and gate.merged_into:
        gate = stores.customers.load_gate(gate.merged_into)
    return gate
