"""The part of decide that ties customers to LINE users and unties them."""

from collections.abc import Sequence

from functions.domain.customers import Customer, new_customer
from functions.domain.events import Event
from functions.domain.gate import Gate, new_gate
from functions.domain.identity import AuditEntry, Link, Tied, link_after, tie, untie
from functions.domain.line_events import anonymous_id
from functions.ports import Conflict, Customers, Identities

LINK_EVENTS = ("line_linked", "line_unlinked")
ATTEMPTS_MAX = 8


def settle_links(
    identities: Identities, customers: Customers, customer_id: str, events: Sequence[Event]
) -> None:
    """Every link event, in order: link, audit, both customers and both gates in one transaction.

    Repeated news changes nothing. Raises Conflict where a race is lost too often.
    """
    for event in sorted(events, key=lambda item: (item.occurred_at, item.event_id)):
        if event.name in LINK_EVENTS and event.status == "confirmed":
            _settle(identities, customers, customer_id, event)


def _settle(identities: Identities, customers: Customers, customer_id: str, event: Event) -> None:
    user = str(event.properties["line_user_id"])
    for _ in range(ATTEMPTS_MAX):
        before = identities.link_of(user)
        after = link_after(before, event)
        if after is None:
            return
        sides = (
            None if after.status == "conflict" else _sides_after(customers, customer_id, before, after, event)
        )
        audit = AuditEntry(user, event.occurred_at, event.event_id, event.source, before, after)
        try:
            identities.save_tied(after, audit, sides)
        except Conflict:
            continue
        return
    raise Conflict("the link is contended")


def _sides_after(
    customers: Customers, customer_id: str, before: Link | None, after: Link, event: Event
) -> Tied | None:
    was_linked = before is not None and before.status != "unlinked"
    if was_linked == (after.status == "linked"):
        return None
    sides = _sides(customers, customer_id, anonymous_id(after.line_user_id), after.line_user_id, event)
    return tie(sides, event) if after.status == "linked" else untie(sides, event)


def _sides(customers: Customers, customer_id: str, friend_id: str, user: str, event: Event) -> Tied:
    gate, customer = customers.load_both(customer_id)
    friend_gate, friend = customers.load_both(friend_id)
    at = event.occurred_at
    return Tied(
        customer=customer or Customer(customer_id),
        friend=friend or new_customer(friend_id, user, at, ""),
        gate=gate or Gate(customer_id),
        friend_gate=friend_gate or new_gate(friend_id, user, at, ""),
    )
