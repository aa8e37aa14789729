"""The part of decide that folds: what events, the whole history and time make of a customer, and what follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from functions.decide.histories import history_of
from functions.domain.compiled import Versions
from functions.domain.customers import Customer, needed_versions
from functions.domain.events import SAID_AT_LINE, Event
from functions.domain.instants import Instant
from functions.domain.line_events import is_anonymous
from functions.domain.memberships import is_outdated
from functions.domain.profiles import must_refold
from functions.domain.progress import moved_on, refreshed, take_in, take_in_again
from functions.ports.customers import Events
from functions.ports.messages import CustomerRefresh
from functions.ports.playbooks import Playbooks


@dataclass(frozen=True, slots=True)
class Fold:
    """The ports of this part. Only the history is written here."""

    account: str
    events: Events
    playbooks: Playbooks

    def taken_in(
        self, events: Sequence[Event], news: Sequence[Event], customer: Customer, now: Instant
    ) -> Customer:
        """The customer after these events, of which `news` were not kept before.

        An event is kept after the customer was loaded. While the customer is still at that version nobody can have
        folded it, and it is simply folded; in any other case the whole history is, and also where a correction
        comes after what it corrects.
        """
        current = self.playbooks.in_force()
        if is_outdated(customer, current):
            return self.again(events, customer, now, quietly=True)
        if (
            customer.refold
            or must_refold(customer.profile, news, current.dictionary)
            or any(not customer.has_seen(event) for event in events if event not in news)
        ):
            return self.again(events, customer, now)
        unseen = [event for event in news if not customer.has_seen(event)]
        versions = self._versions(customer)
        return take_in(customer, unseen, current, versions, self.account, now) if unseen else customer

    def again(
        self, brought: Sequence[Event], customer: Customer, now: Instant, *, quietly: bool = False
    ) -> Customer:
        """Folded anew; the journeys hear what they may not have heard. `quietly`: history came, or the dictionary is
        another, and what follows from that alone starts nothing."""
        history = history_of(self.events, customer)
        return take_in_again(
            customer,
            history.events,
            self.playbooks.in_force(),
            self._versions(customer),
            self.account,
            now,
            brought,
            quietly=quietly,
            bases=history.bases,
        )

    def woken(self, customer: Customer, now: Instant) -> Customer:
        """The customer as far as time takes it."""
        current = self.playbooks.in_force()
        if is_outdated(customer, current):
            return self.again((), customer, now, quietly=True)
        if customer.refold:
            return self.again((), customer, now)
        return moved_on(customer, current, self._versions(customer), self.account, now)

    def refreshed(self, message: CustomerRefresh, customer: Customer, now: Instant) -> Customer:
        """The customer under the playbook in force."""
        customer = self.woken(customer, now)
        current, versions = self.playbooks.in_force(), self._versions(customer)
        return refreshed(customer, current, versions, self.account, now, message.starts, message.asked_at)

    def is_new(self, customer: Customer, event: Event) -> bool:
        """Keep the event in the history; whether it is the first of its identity there and among the aliases."""
        owner = customer.customer_id
        if not self.events.put_new(msgspec.structs.replace(event, customer_id=owner)):
            return False
        # What LINE told of a friend is kept with the friend, what the CRM told with the customer that it was then.
        others = [
            alias.customer_id
            for alias in customer.aliases
            if event.source in SAID_AT_LINE or not is_anonymous(alias.customer_id)
        ]
        if event.status == "provisional" and any(
            self.events.has(one, event.event_id) for one in (owner, *others)
        ):
            return False
        return not any(self.events.has(other, event.identity) for other in others)

    def _versions(self, customer: Customer) -> Versions:
        return {version: self.playbooks.version(version) for version in needed_versions(customer)}
