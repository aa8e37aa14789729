"""The history that a customer's profile is the fold of."""

from functions.domain.customers import Customer
from functions.domain.events import Event
from functions.domain.line_events import is_anonymous
from functions.ports import Events


def history_of(kept: Events, customer: Customer) -> list[Event]:
    """The history kept of a customer, and of the friends and customers merged into it while they were, without what it
    has disowned since."""
    merged = [
        event
        for alias in customer.aliases
        for event in kept.all_of(alias.customer_id)
        if alias.covers(event) and (is_anonymous(alias.customer_id) or not customer.disowns(event))
    ]
    own = [event for event in kept.all_of(customer.customer_id) if not customer.disowns(event)]
    return [*merged, *own]
