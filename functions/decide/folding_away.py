"""The part of decide that folds old events into the base, and lets their rows go.

The line is drawn in the customer first: from then on nobody folds, one by one, what lies behind it. Then the base is
written, on condition that nobody else has, and only then do the rows go that it stands for; reading takes no notice of rows
behind the line of the customer's base. So a crash anywhere, or two workers at once, neither lose nor double anything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from functions.decide.histories import history_of
from functions.domain.amendments import amendments_union
from functions.domain.bases import IN_FLIGHT, Base, folded_away, later_lines, lines_of, start_of
from functions.domain.customers import Customer, folds_away
from functions.domain.events import Event
from functions.domain.instants import Instant
from functions.domain.line_events import is_anonymous
from functions.domain.profiles import amendments_of
from functions.ports.customers import Customers, Events
from functions.ports.errors import Conflict
from functions.ports.identities import Identities
from functions.ports.playbooks import Playbooks

ATTEMPTS_MAX = 8
HOPS_MAX = 8
Change = Callable[[Customer, Instant], Customer]


@dataclass(frozen=True, slots=True)
class FoldAway:
    """The ports of this part."""

    customers: Customers
    identities: Identities
    events: Events
    playbooks: Playbooks

    def fold_away(self, customer_id: str, now: Instant) -> bool:
        """Whether anything was, so that the profile has to be folded anew. Raises Conflict where another is at it."""
        customer = self._marked(customer_id, now)
        if customer is None:
            return False
        others = _customers_in(customer)
        kept = {owner: self.events.kept_of(owner) for owner in [*others, customer_id]}
        base = self._base(customer, kept[customer_id].base)
        self.events.save_base(customer_id, base)
        for owner, partition in kept.items():
            is_over = base.is_over if owner == customer_id else partial(base.took, customer_id=owner)
            over = [event.identity for event in partition.events if is_over(event)]
            self.events.remove(owner, [*partition.over, *over])
        return True

    def _base(self, customer: Customer, before: Base) -> Base:
        """One base takes it all, also what is kept under customers that became this one: an event that is kept under two
        of them counts once, and one write says so. Raises Conflict where the base has changed meanwhile."""
        dictionary = self.playbooks.in_force().dictionary
        history = history_of(self.events, customer)
        if history.bases[-1] != before:
            raise Conflict("the base has changed")
        confirmed = [event for event in history.events if event.status == "confirmed"]
        said = amendments_union(
            start_of(history.bases, dictionary).amended, amendments_of(confirmed, dictionary)
        )
        lines, others = customer.folded_until, _customers_in(customer)
        return folded_away(before, history.events, lines, said, dictionary, others)

    def _may_be_parted(self, customer: Customer, now: Instant) -> bool:
        """Whether one who became this customer may still be parted from it, or that be on its way."""
        entries = [self.identities.merge_of(one) for one in _customers_in(customer)]
        return any(one and not one.undone_by and now <= one.undo_ends_at + IN_FLIGHT for one in entries)

    def ended(self, change: Change) -> Change:
        """The change, after which nothing is under way any more."""

        def changed(customer: Customer, now: Instant) -> Customer:
            return msgspec.structs.replace(change(customer, now), folding_away=False)

        return changed

    def parted_by_line(
        self, customer_id: str, events: Sequence[Event]
    ) -> tuple[Sequence[Event], list[Event]]:
        """These events without those that are folded away, and those. Where no kind has a retention nothing is read."""
        ends = self.playbooks.in_force().playbook.retention.events
        customer = self._standing(customer_id) if any(event.name in ends for event in events) else None
        if customer is None:
            return events, []
        late = [event for event in events if customer.is_past(event)]
        return [event for event in events if not customer.is_past(event)], late

    def _standing(self, customer_id: str) -> Customer | None:
        customer = self.customers.load(customer_id)
        for _ in range(HOPS_MAX):
            if customer is None or not customer.merged_into:
                return customer
            customer = self.customers.load(customer.merged_into)
        raise Conflict("customers are merged in a circle")

    def _marked(self, customer_id: str, now: Instant) -> Customer | None:
        """The customer with the lines drawn; None where nothing lies behind them."""
        current = self.playbooks.in_force()
        kept_seconds = current.playbook.folded_away
        lines = lines_of(kept_seconds, kept_seconds, now)
        for _ in range(ATTEMPTS_MAX):
            customer = self.customers.load(customer_id)
            if customer is None or customer.merged_into:
                return None
            if not folds_away(customer, lines, current.dictionary) or self._may_be_parted(customer, now):
                return None
            until = later_lines(customer.folded_until, lines)
            marked = msgspec.structs.replace(customer, folded_until=until, folding_away=True, refold=True)
            try:
                return self.customers.save(marked)
            except Conflict:
                continue
        raise Conflict("the customer is contended")


def _customers_in(customer: Customer) -> list[str]:
    """Who became this customer, of those that the CRM knew."""
    return list(
        dict.fromkeys(one.customer_id for one in customer.aliases if not is_anonymous(one.customer_id))
    )
