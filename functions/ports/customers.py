"""Customers, their gates and their events."""

from collections.abc import Collection, Sequence
from typing import Literal, Protocol

from functions.domain.bases import Base, Kept
from functions.domain.customers import Customer
from functions.domain.erasure import Suppression
from functions.domain.events import Event
from functions.domain.gate import Gate
from functions.domain.instants import Instant

Written = Literal["written", "overtaken", "undone"]
"""What became of one conditional write of a batch: done; refused, for somebody else was first; not done, or not surely."""

Both = tuple[Gate | None, Customer | None]
"""The gate and the customer of one id, as far as they exist."""


class Customers(Protocol):
    """Customers and gates: read together, written each on condition of its version."""

    def load(self, customer_id: str) -> Customer | None:
        """The customer, read consistently."""

    def save(self, customer: Customer) -> Customer:
        """Write on condition that nobody wrote since it was read; Conflict otherwise. Returns it with its new version."""

    def load_gate(self, customer_id: str) -> Gate | None:
        """The gate, read consistently."""

    def save_gate(self, gate: Gate) -> Gate:
        """As `save`, for the gate."""

    def load_both(self, customer_id: str) -> Both:
        """Gate and customer in one consistent read."""

    def load_many(self, customer_ids: Collection[str]) -> dict[str, Both]:
        """Gate and customer of each id, read consistently and in as few requests as it takes."""

    def save_gates(self, gates: Sequence[Gate]) -> list[Written]:
        """Write each of these gates of different customers, all read before, on condition of its own version; what
        became of each."""


class Events(Protocol):
    """Every event of every customer, for dedupe, for the card and for repair."""

    def put_new(self, event: Event) -> bool:
        """Keep the event unless its identity is known; whether it was new."""

    def put_all(self, customer_id: str, events: Sequence[Event]) -> None:
        """Keep these events of one customer; those already kept stay as they are, or are replaced by their equal."""

    def identities_of(self, customer_id: str) -> set[str]:
        """The identities of all events kept of a customer."""

    def all_of(self, customer_id: str) -> list[Event]:
        """All events kept of a customer, in the order in which they were kept."""

    def kept_of(self, customer_id: str) -> Kept:
        """The same events, with what older ones came to. The base is read last: whatever has gone since is in it."""

    def save_base(self, customer_id: str, base: Base) -> None:
        """Write the base on condition that it is still at its version, and raise that by one. Raises Conflict."""

    def remove(self, customer_id: str, identities: Sequence[str]) -> None:
        """Delete these rows; those that are gone already stay so."""

    def has(self, customer_id: str, identity: str) -> bool:
        """Whether an event with this identity is kept."""

    def keep_unattributed(self, event: Event) -> None:
        """Keep an event that LINE ties to nobody."""


class Suppressions(Protocol):
    """The erased people: `customer#C1`, `line#U…`."""

    def find(self, identity: str) -> Suppression | None:
        """That this identity was erased, read consistently; None where it was not, or a new person has begun under it."""

    def lift(self, identity: str, suppression: Suppression, at: Instant) -> None:
        """Let a new person begin under this id."""
