"""The part of decide that knows whose a phone number is: it links a friend whose number one customer alone has."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from functions.decide.owners import ATTEMPTS_MAX, standing
from functions.domain.events import Event
from functions.domain.line_events import is_anonymous
from functions.domain.link_changes import LinkChange
from functions.domain.links import AuditEntry, Link, Review
from functions.domain.phones import CustomerPhone, PhoneOwners, is_hash, owners_after, phone_after
from functions.ports.customers import Customers
from functions.ports.errors import Conflict
from functions.ports.identities import Identities


@dataclass(frozen=True, slots=True)
class SettlePhones:
    """The ports of this part."""

    identities: Identities
    customers: Customers

    def note(self, customer_id: str, events: Iterable[Event]) -> None:
        """Index the hashes that these events say the customer has; the newest word counts, whatever the order."""
        for event in events:
            if not is_anonymous(customer_id):
                self._note(msgspec.structs.replace(event, customer_id=customer_id))

    def _note(self, event: Event) -> None:
        if phone_after(None, event) is None:
            return
        for _ in range(ATTEMPTS_MAX):
            before = self.identities.phone_of(event.customer_id)
            after = phone_after(before, event)
            if after is None:
                return
            try:
                self.identities.save_phone(after, self._owners(before, after))
            except Conflict:
                continue
            return
        raise Conflict("the phone number is contended")

    def _owners(self, before: CustomerPhone | None, after: CustomerPhone) -> list[PhoneOwners]:
        hashes = {one.phone_hash for one in (before, after) if one is not None and one.phone_hash}
        return [owners_after(self.identities.phone_owners(one), after) for one in sorted(hashes)]

    def link_said_by(self, event: Event) -> Event | None:
        """What `phone_known` says of a friend: the link to the one customer who has the number. Where several have it
        somebody has to decide; where nobody has, or the friend is linked already, nothing follows."""
        phone_hash = str(event.properties["phone_hash"]).strip().lower()
        user = str(event.properties["line_user_id"])
        if event.status != "confirmed" or not is_hash(phone_hash):
            return None
        owners = self.identities.phone_owners(phone_hash).customers
        customers = sorted({standing(self.customers, one) for one in owners})
        if len(customers) > 1:
            self._put_up(user, customers, event)
        return _linking(event, user, customers[0]) if len(customers) == 1 else None

    def _put_up(self, user: str, customers: list[str], event: Event) -> None:
        for _ in range(ATTEMPTS_MAX):
            before = self.identities.link_of(user)
            if before is not None and (
                before.tied or before.status == "conflict" or _is_known(before, event)
            ):
                return
            at, version = event.occurred_at, before.version if before else 0
            after = Link(user, "", "phone_hash", "conflict", at, at, event.event_id, version=version)
            audit = AuditEntry(user, at, event.event_id, event.source, before, after, "phone_hash")
            review = Review(user, "phone", at, customers)
            try:
                self.identities.save_tied(LinkChange(after, audit, review=review))
            except Conflict:
                continue
            return
        raise Conflict("the link is contended")


def _is_known(before: Link, event: Event) -> bool:
    return (event.occurred_at, event.event_id) <= (before.changed_at, before.event_id)


def _linking(event: Event, user: str, customer_id: str) -> Event:
    """Named after the event that it follows from, so that this told again is the same."""
    return Event(
        event_id=f"{event.event_id}~phone",
        customer_id=customer_id,
        name="line_linked",
        occurred_at=event.occurred_at,
        source=event.source,
        properties={"line_user_id": user, "method": "phone_hash"},
    )
