"""The part of decide that changes a customer: everything in one conditional write, and only then timer and intents out."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from functions.domain.customers import Customer, emptied, new_customer, next_due
from functions.domain.gate import Gate, new_gate
from functions.domain.instants import Instant
from functions.domain.line_events import anonymous_id, is_anonymous
from functions.ports.customers import Customers
from functions.ports.errors import Conflict, Retryable
from functions.ports.queues import SendQueue
from functions.ports.timers import Timers

ATTEMPTS_MAX = 8

Change = Callable[[Customer, Instant], Customer]


@dataclass(frozen=True, slots=True)
class ChangeCustomer:
    """The ports of this part."""

    customers: Customers
    timers: Timers
    send_queue: SendQueue
    now: Callable[[], Instant]

    def change(
        self,
        customer_id: str,
        change: Change,
        not_before: Instant | None = None,
        *,
        known_only: bool = False,
        is_repeat: Callable[[Customer | None], bool] = lambda _loaded: True,
    ) -> None:
        """Load, change, write on condition, emit. A lost race starts over, bounded. `known_only`: make no new customer.

        `is_repeat`: whether an earlier delivery may have written `armed_at` and not its row. Something else may have
        changed since, so that no change at all is not the only sign of it.
        """
        for attempt in range(ATTEMPTS_MAX):
            now = max(self.now(), not_before) if not_before else self.now()
            loaded = self.customers.load(customer_id)
            if loaded is not None and loaded.merged_into:
                customer_id = loaded.merged_into
                continue
            if loaded is None and known_only:
                return
            customer = loaded or self.first_seen(customer_id, now)
            changed = armed(change(customer, now), now)
            try:
                saved = changed if changed == loaded else self.customers.save(changed)
            except Conflict:
                continue
            is_moved = loaded is None or saved.armed_at != loaded.armed_at
            self.emit(saved, now, rearm=is_moved or saved is changed or attempt > 0 or is_repeat(loaded))
            return
        raise Conflict("the customer is contended")

    def first_seen(self, customer_id: str, now: Instant) -> Customer:
        """A customer never heard of before: the gate comes first, for without one nothing may be sent.

        A conflict may mean that there is one already, or that a transaction was at the row and came to nothing.
        """
        try:
            self.customers.save_gate(first_gate(customer_id, now))
        except Conflict:
            if self.customers.load_gate(customer_id) is None:
                raise
        return new_customer(customer_id, _own_user(customer_id), now, "")

    def emit(self, customer: Customer, now: Instant, *, rearm: bool) -> None:
        """Timer row and outbox, out of the item that is written already. `rearm` also on a redelivery: the row may lack."""
        if rearm and customer.armed_at is not None:
            self.timers.arm(customer.customer_id, customer.armed_at, now)
        if not customer.orders:
            return
        enqueued = self.send_queue.put(customer.orders)
        # Whoever wrote meanwhile enqueues the same again; the gate counts each intent once.
        with contextlib.suppress(Conflict):
            self.customers.save(emptied(customer, enqueued))
        if len(enqueued) < len(customer.orders):
            raise Retryable(f"{len(customer.orders) - len(enqueued)} orders were not enqueued")


def _own_user(customer_id: str) -> str:
    """An anonymous friend is its own LINE user."""
    return customer_id.removeprefix(anonymous_id("")) if is_anonymous(customer_id) else ""


def first_gate(customer_id: str, at: Instant) -> Gate:
    """The gate of a customer who had none."""
    return new_gate(customer_id, _own_user(customer_id), at, "")


def armed(customer: Customer, now: Instant) -> Customer:
    """One armed instant a customer, moved only when the due one comes earlier; what has passed is armed anew."""
    due = next_due(customer)
    known = customer.armed_at
    if known is not None and known > now and (due is None or known <= due):
        return customer
    return msgspec.structs.replace(customer, armed_at=due)
