"""A person's word on unknown ends: first the record, on condition that it is still unknown, then the gate.

The record decides between two who say different things at once. Where the gate was not reached, for whatever reason, the
same order again finds the record resolved and goes on from there. Nothing is sent.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import msgspec

from functions.domain.gate import Gate
from functions.domain.instants import Instant
from functions.domain.resolutions import Said, gate_after, is_said, resolved
from functions.domain.sends import SendRecord
from functions.ports.customers import Customers
from functions.ports.errors import Conflict
from functions.ports.sending import Reconciled

ATTEMPTS_MAX = 8
HOPS_MAX = 8
WORKERS = 8

Came = Literal["resolved", "was resolved so", "has another end"]


class Resolved(msgspec.Struct, frozen=True):
    """What came of one send id. `gate`: whether its slot was given back just now."""

    send_id: str
    came: Came
    gate: bool = False


@dataclass(frozen=True, slots=True)
class Resolve:
    """What is said, by whom and why, and the ports of saying it."""

    said: Said
    by: str
    why: str
    customers: Customers
    log: Reconciled
    now: Callable[[], Instant]

    def all(self, records: Iterable[SendRecord]) -> Iterator[Resolved]:
        """Each of them, a few at a time. What was done stays done where one raises."""
        remaining = iter(records)
        with ThreadPoolExecutor(WORKERS) as pool:
            while batch := list(islice(remaining, WORKERS * 4)):
                yield from pool.map(self.one, batch)

    def one(self, record: SendRecord) -> Resolved:
        """One record; any number of times the same. Conflict where the gate's races are lost too often."""
        if is_said(record, self.said):
            return Resolved(record.send_id, "was resolved so", self._settle(record))
        if record.status != "unknown":
            return Resolved(record.send_id, "has another end")
        after = resolved(record, self.said, self.by, self.why, self.now())
        if not self.log.resolve(record, after):
            return Resolved(record.send_id, "has another end")
        return Resolved(record.send_id, "resolved", self._settle(after))

    def _settle(self, record: SendRecord) -> bool:
        """Let the gate know, on condition that nobody else changed it; whether it changed."""
        for _ in range(ATTEMPTS_MAX):
            gate = self._gate(record.customer_id)
            if gate is None or (changed := gate_after(gate, record)) == gate:
                return False
            try:
                self.customers.save_gate(changed)
            except Conflict:
                continue
            return True
        raise Conflict(f"the gate for {record.send_id} is contended; say it again")

    def _gate(self, customer_id: str) -> Gate | None:
        """The gate of whoever the customer was merged into."""
        for _ in range(HOPS_MAX):
            gate = self.customers.load_gate(customer_id)
            if gate is None or not gate.merged_into:
                return gate
            customer_id = gate.merged_into
        raise Conflict("customers are merged in a circle")
