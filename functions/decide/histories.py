"""The history that a customer's profile is the fold of."""

from typing import NamedTuple, Protocol

from functions.domain.bases import Base, Kept
from functions.domain.customers import SEEN_KEPT, Customer
from functions.domain.events import Event
from functions.domain.line_events import is_anonymous


class Partitions(Protocol):
    """What a history is read from: the port, or all of it in memory."""

    def kept_of(self, customer_id: str) -> Kept:
        """The events kept of a customer, with what older ones came to."""


class History(NamedTuple):
    """The events kept, and what older ones came to that are kept no longer."""

    events: list[Event]
    bases: list[Base]


def history_of(kept: Partitions, customer: Customer) -> History:
    """The history kept of a customer, and of the friends and customers merged into it while they were, without what it
    has disowned since. What is kept of several of them is one event. Bases hold what the CRM said alone, and nothing of
    a customer who may still be parted from this one, so that they are always whole."""
    partitions = [(alias, kept.kept_of(alias.customer_id)) for alias in customer.aliases]
    own = kept.kept_of(
        customer.customer_id
    )  # last of all: what has gone from the others meanwhile is in its base
    bases = [*(partition.base for _, partition in partitions), own.base]
    merged = [
        event
        for alias, partition in partitions
        for event in partition.events
        if alias.covers(event)
        and (is_anonymous(alias.customer_id) or not customer.disowns(event))
        and not any(base.took(event, alias.customer_id) for base in bases)
    ]
    mine = [event for event in own.events if not customer.disowns(event)]
    return History(_once(merged, mine) if merged else mine, bases)


def _once(merged: list[Event], mine: list[Event]) -> list[Event]:
    """Each event once, as it was kept first: what is told of somebody anew once they are this customer is kept here beside
    it, and was not counted again. Told anew it may bear another date: a person's decision does that is given twice."""
    found: dict[str, Event] = {}
    for event in (*merged, *mine):
        found.setdefault(event.identity, event)
    return list(found.values())


def unheard_of(kept: Partitions, customer: Customer) -> frozenset[str]:
    """The identities of the newest events that another worker has kept, and nobody has folded yet."""
    newest = [event for event in history_of(kept, customer).events if not event.imported][-SEEN_KEPT:]
    return frozenset(event.identity for event in newest if not customer.has_seen(event))
