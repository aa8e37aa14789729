"""Phone numbers as hashes: whose they are, so that a friend whose number is known can be linked."""

import msgspec

from functions.domain.events import Event
from functions.domain.instants import Instant
from functions.domain.stored import Carrying

ATTRIBUTE = "phone_hash"
_HEX_DIGITS = 64


class CustomerPhone(Carrying, msgspec.Struct, frozen=True, omit_defaults=True):
    """The hash of a customer's number as it was said last; empty: none any more."""

    customer_id: str
    phone_hash: str
    at: Instant
    event_id: str
    version: int = 0


class PhoneOwners(Carrying, msgspec.Struct, frozen=True, omit_defaults=True):
    """The customers who have a number."""

    phone_hash: str
    customers: list[str] = []
    version: int = 0


def phone_hash_of(event: Event) -> str | None:
    """The hash that an event says a customer has; empty where it has none any more; None where it says nothing."""
    if event.name != "profile_updated" or ATTRIBUTE not in event.properties or event.status != "confirmed":
        return None
    value = str(event.properties[ATTRIBUTE]).strip().lower()
    return value if is_hash(value) else ""


def is_hash(text: str) -> bool:
    """Whether it looks like a SHA-256 in hex."""
    return len(text) == _HEX_DIGITS and all(digit in "0123456789abcdef" for digit in text)


def phone_after(before: CustomerPhone | None, event: Event) -> CustomerPhone | None:
    """What is known of the customer's number after an event; None where that changes nothing."""
    said = phone_hash_of(event)
    if said is None or (
        before is not None and (event.occurred_at, event.event_id) <= (before.at, before.event_id)
    ):
        return None
    version = before.version if before else 0
    return CustomerPhone(event.customer_id, said, event.occurred_at, event.event_id, version)


def owners_after(owners: PhoneOwners, phone: CustomerPhone) -> PhoneOwners:
    """Who has the number when this customer has or has not."""
    others = {one for one in owners.customers if one != phone.customer_id}
    mine = {phone.customer_id} if phone.phone_hash == owners.phone_hash else set[str]()
    return msgspec.structs.replace(owners, customers=sorted(others | mine))
