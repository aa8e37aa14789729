"""The history that a customer's profile is the fold of."""

from functions.domain.customers import SEEN_KEPT, Customer
from functions.domain.events import Event
from functions.domain.line_events import is_anonymous
from functions.ports import Events


def history_of(kept: Events, customer: Customer) -> list[Event]:
    """The history kept of a customer, and of the friends and customers merged into it while they were, without what it
    has disowned since. What is kept of several of them is one event."""
    merged = [
        event
        for alias in customer.aliases
        for event in kept.all_of(alias.customer_id)
        if alias.covers(event) and (is_anonymous(alias.customer_id) or not customer.disowns(event))
    ]
    own = [event for event in kept.all_of(customer.customer_id) if not customer.disowns(event)]
    return list({event.identity: event for event in (*merged, *own)}.values()) if merged else own


def unheard_of(kept: Events, customer: Customer) -> frozenset[str]:
    """The identities of the newest events that another worker has kept, and nobody has folded yet."""
    newest = [event for event in history_of(kept, customer) if not event.imported][-SEEN_KEPT:]
    return frozenset(event.identity for event in newest if not customer.has_seen(event))
