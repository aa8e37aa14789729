"""The part of decide that keeps erased people out: nobody is made anew of an id that is suppressed.

Erased people have no rows, so that only what would make a new one asks, and nothing is read for anybody who is known.
Eraser and worker may cross: what a worker made of a person who was erased meanwhile is found by the eraser's later sweeps.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec

from functions.decide.flow import Decide
from functions.domain.bases import Base, Kept
from functions.domain.customers import Customer
from functions.domain.erasure import Suppression, identity_of, lets_in
from functions.domain.events import Event
from functions.domain.gate import Gate
from functions.domain.line_events import read_line_event
from functions.domain.link_changes import Joining, LinkChange, MergeEntry
from functions.domain.links import Link
from functions.domain.phones import CustomerPhone, PhoneOwners
from functions.domain.undoing import Keepsake
from functions.ports.account import Measures
from functions.ports.customers import Both, Customers, Events, Suppressions, Written
from functions.ports.errors import MusubiError
from functions.ports.identities import Identities
from functions.ports.messages import EventsReceived, InboxMessage, LineReceived
from functions.ports.playbooks import Playbooks

ERASED_DROPPED = "ErasedDropped"


class Erased(MusubiError):
    """Somebody would be made anew who was erased. Caught in here: the event is dropped."""

    def __init__(self, identity: str, suppression: Suppression) -> None:
        super().__init__("the person was erased")
        self.identity = identity
        self.suppression = suppression


@dataclass(frozen=True, slots=True)
class Watch:
    """Asks whether an id is suppressed."""

    suppressions: Suppressions

    def must_live(self, identity: str) -> None:
        """Raises Erased where this id was erased."""
        found = self.suppressions.find(identity)
        if found is not None:
            raise Erased(identity, found)


@dataclass(frozen=True, slots=True)
class LivingCustomers:
    """Customers and gates, none of which is begun for somebody who was erased."""

    inner: Customers
    watch: Watch

    def load(self, customer_id: str) -> Customer | None:
        """The customer."""
        return self.inner.load(customer_id)

    def save(self, customer: Customer) -> Customer:
        """Write on condition of its version."""
        if customer.version == 0:
            self.watch.must_live(identity_of(customer.customer_id))
        return self.inner.save(customer)

    def load_gate(self, customer_id: str) -> Gate | None:
        """The gate."""
        return self.inner.load_gate(customer_id)

    def save_gate(self, gate: Gate) -> Gate:
        """Write on condition of its version."""
        if gate.version == 0:
            self.watch.must_live(identity_of(gate.customer_id))
        return self.inner.save_gate(gate)

    def load_both(self, customer_id: str) -> Both:
        """Gate and customer."""
        return self.inner.load_both(customer_id)

    def load_many(self, customer_ids: Collection[str]) -> dict[str, Both]:
        """Gate and customer of each."""
        return self.inner.load_many(customer_ids)

    def save_gates(self, gates: Sequence[Gate]) -> list[Written]:
        """Gates that were read before: none is begun."""
        return self.inner.save_gates(gates)


@dataclass(frozen=True, slots=True)
class LivingIdentities:
    """The identity map, in which nobody is tied who was erased."""

    inner: Identities
    watch: Watch

    def link_of(self, line_user_id: str) -> Link | None:
        """The link of a LINE user."""
        return self.inner.link_of(line_user_id)

    def links_of(self, customer_id: str) -> list[Link]:
        """The links that name a customer."""
        return self.inner.links_of(customer_id)

    def keepsake_of(self, line_user_id: str) -> Keepsake | None:
        """What was kept for an undo."""
        return self.inner.keepsake_of(line_user_id)

    def is_rewarded(self, line_user_id: str, customer_id: str) -> bool:
        """Whether one of both has had the reward."""
        return self.inner.is_rewarded(line_user_id, customer_id)

    def save_tied(self, change: LinkChange) -> None:
        """All or nothing."""
        link = change.link
        for customer_id in filter(None, (link.customer_id, link.claimed_by)):
            self.watch.must_live(identity_of(customer_id))
        if link.version == 0:
            self.watch.must_live(f"line#{link.line_user_id}")
        self.inner.save_tied(change)

    def merge_of(self, customer_id: str) -> MergeEntry | None:
        """What a customer became."""
        return self.inner.merge_of(customer_id)

    def keepsake_of_merge(self, customer_id: str) -> Keepsake | None:
        """What was kept for an undo of that."""
        return self.inner.keepsake_of_merge(customer_id)

    def save_joined(self, joining: Joining) -> None:
        """All or nothing."""
        for side in (joining.sides.customer, joining.sides.friend):
            if side.version == 0:
                self.watch.must_live(identity_of(side.customer_id))
        self.inner.save_joined(joining)

    def phone_of(self, customer_id: str) -> CustomerPhone | None:
        """What is known of a customer's number."""
        return self.inner.phone_of(customer_id)

    def phone_owners(self, phone_hash: str) -> PhoneOwners:
        """Who has a number."""
        return self.inner.phone_owners(phone_hash)

    def save_phone(self, phone: CustomerPhone, owners: Sequence[PhoneOwners]) -> None:
        """All or nothing."""
        if phone.version == 0:
            self.watch.must_live(identity_of(phone.customer_id))
        self.inner.save_phone(phone, owners)


@dataclass(frozen=True, slots=True)
class LivingEvents:
    """The history, in which no import begins that of somebody who was erased."""

    inner: Events
    watch: Watch

    def identities_of(self, customer_id: str) -> set[str]:
        """The identities of all events kept of a customer."""
        found = self.inner.identities_of(customer_id)
        if not found:
            self.watch.must_live(identity_of(customer_id))
        return found

    def put_new(self, event: Event) -> bool:
        """Keep the event unless its identity is known."""
        return self.inner.put_new(event)

    def put_all(self, customer_id: str, events: Sequence[Event]) -> None:
        """Keep these events of one customer."""
        self.inner.put_all(customer_id, events)

    def all_of(self, customer_id: str) -> list[Event]:
        """All events kept of a customer."""
        return self.inner.all_of(customer_id)

    def kept_of(self, customer_id: str) -> Kept:
        """The same events, with what older ones came to."""
        return self.inner.kept_of(customer_id)

    def save_base(self, customer_id: str, base: Base) -> None:
        """Only where the customer was before: whoever is erased has none."""
        self.inner.save_base(customer_id, base)

    def remove(self, customer_id: str, identities: Sequence[str]) -> None:
        """Delete these rows."""
        self.inner.remove(customer_id, identities)

    def has(self, customer_id: str, identity: str) -> bool:
        """Whether an event with this identity is kept."""
        return self.inner.has(customer_id, identity)

    def keep_unattributed(self, event: Event) -> None:
        """Keep an event that LINE ties to nobody."""
        self.inner.keep_unattributed(event)


@dataclass(frozen=True, slots=True)
class ForTheLiving:
    """Decide, without what is told of erased people: that is dropped, and counted."""

    decide: Decide
    suppressions: Suppressions
    playbooks: Playbooks
    measures: Measures

    def handle(self, message: InboxMessage) -> None:
        """One message of the inbox, again without each event that is not to be heard. Raises as decide does."""
        rest: InboxMessage | None = message
        while rest is not None:
            try:
                self.decide.handle(rest)
            except Erased as erased:
                rest = self._rest(rest, erased)
            else:
                return

    def _rest(self, message: InboxMessage, erased: Erased) -> InboxMessage | None:
        """What of the message may be heard now; each turn is shorter than the one before, or lets somebody in."""
        if isinstance(message, LineReceived) and self._lets_in(message, erased):
            self.suppressions.lift(erased.identity, erased.suppression, message.received_at)
            return message
        rest = _without(message, erased.identity)
        self.measures.count(ERASED_DROPPED, _size(message) - _size(rest))
        return rest

    def _lets_in(self, message: LineReceived, erased: Erased) -> bool:
        event = read_line_event(message.raw, message.received_at).event
        policy = self.playbooks.in_force().playbook.follow_again
        return lets_in(erased.suppression, event.name, event.occurred_at, policy)


def _without(message: InboxMessage, identity: str) -> InboxMessage | None:
    """The message without the events that name this person, where it is somebody else's; None where nothing is left."""
    if not isinstance(message, EventsReceived) or identity == identity_of(message.customer_id):
        return None
    rest = [one for one in message.events if identity not in _named(one)]
    is_shorter = 0 < len(rest) < len(message.events)
    return msgspec.structs.replace(message, events=rest) if is_shorter else None


def _named(event: Event) -> set[str]:
    """Whom an event is about beside the customer whose it is."""
    named = {f"line#{event.properties.get('line_user_id')}"}
    into = event.properties.get("into") if event.name == "customers_merged" else None
    return named | {identity_of(str(into))} if into else named


def _size(message: InboxMessage | None) -> int:
    if message is None:
        return 0
    return len(message.events) if isinstance(message, EventsReceived) else 1
