"""The part of decide that ties customers to LINE users and unties them, and makes one customer of two."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from functions.decide.histories import history_of, unheard_of
from functions.decide.owners import Owners, standing
from functions.domain.customers import Customer, new_customer
from functions.domain.events import Event
from functions.domain.gate import Gate, new_gate
from functions.domain.identity import Tied, tie, untie
from functions.domain.instants import Instant
from functions.domain.line_events import anonymous_id, is_anonymous
from functions.domain.link_changes import LinkChange, Reward
from functions.domain.link_steps import Step, next_step, replacing
from functions.domain.links import (
    AuditEntry,
    Link,
    is_decision,
    is_undo,
    method_of,
    newest_of,
    review_of,
    undo_ends_at,
)
from functions.domain.rewards import rewarded
from functions.domain.undoing import Histories, disowned, keepsake_of, undone
from functions.ports.customers import Customers, Events
from functions.ports.errors import Conflict
from functions.ports.identities import Identities
from functions.ports.playbooks import Playbooks

LINK_EVENTS = ("line_linked", "line_unlinked")
ATTEMPTS_MAX = 12
"""Lost races and the steps of one event together."""
IN_FLIGHT = dt.timedelta(minutes=1)
"""By so much the clocks of LINE and of our workers differ at most. What happened until an undo is carried out may be on its
way to the customer, whenever the undo was asked for; what is disowned too much stands in the friend's history anyway."""


class Stirred(NamedTuple):
    """`handed_back`: friends who got events back and have to be folded anew; `tied`: customers whom a LINE user has come to
    by somebody else's event."""

    handed_back: list[str]
    tied: list[str]


@dataclass(frozen=True, slots=True)
class SettleLinks:
    """The ports of this part."""

    identities: Identities
    customers: Customers
    events: Events
    playbooks: Playbooks
    now: Callable[[], Instant]

    def settle(self, customer_id: str, events: Iterable[Event]) -> Stirred:
        """Every link event, in order: link, audit, both customers and both gates in one transaction.

        Repeated news changes nothing. Who has to be looked at besides. Raises Conflict where a race is lost too often.
        """
        stirred = Stirred([], [])
        for event in sorted(events, key=lambda item: (item.occurred_at, item.event_id)):
            if event.name in LINK_EVENTS and event.status == "confirmed":
                stirred.handed_back.extend(self._settle_all(customer_id, event))
                stirred.tied.extend(self._tied_to_another(event))
        return stirred

    def _tied_to_another(self, event: Event) -> list[str]:
        """Whoever the LINE user belongs to by now, where that is not whom the event is about: a claim that waited may have
        been let in by it, and nothing else would look at that customer. Also on a redelivery, for all that it can tell."""
        link = self._owners.link_of(str(event.properties["line_user_id"]))
        if link is None or not link.tied or link.customer_id == standing(self.customers, event.customer_id):
            return []
        return [link.customer_id]

    def _settle_all(self, customer_id: str, event: Event) -> list[str]:
        told = msgspec.structs.replace(event, customer_id=customer_id, told_of=_told_of(event, customer_id))
        event = told.of(standing(self.customers, customer_id))
        self._settle(told)
        if (
            event.name == "line_linked"
            and self.playbooks.in_force().playbook.linking.several_line_users == "newest"
        ):
            self._keep_newest(event.customer_id)
        return self._handed_back(event) if is_undo(event) else []

    def _settle(self, event: Event) -> None:
        user = str(event.properties["line_user_id"])
        for _ in range(ATTEMPTS_MAX):
            before = self._owners.link_of(user)
            try:
                if not self._take_step(
                    before, event.of(standing(self.customers, event.told_of or event.customer_id))
                ):
                    return
            except Conflict:
                continue
        raise Conflict("the link is contended")

    def _take_step(self, before: Link | None, event: Event) -> bool:
        """One transaction; whether there was anything to do."""
        playbook = self.playbooks.in_force().playbook
        step = next_step(before, event, playbook.linking)
        if step is None or (is_undo(step.cause) and not self._may_be_undone(before, step.cause)):
            return False
        cause, was = step.cause, before is not None and before.tied
        sides = None
        if was != step.after.tied:
            sides = self._sides(cause)
            if not was and playbook.linking.several_line_users == "review":
                step = next_step(before, event, playbook.linking, self._others(cause)) or step
        if sides is None or was == step.after.tied:
            self.identities.save_tied(_change(before, step))
        elif step.after.tied:
            self.identities.save_tied(self._tied(_change(before, step), sides, cause))
        elif is_undo(cause):
            self.identities.save_tied(self._undone(_change(before, step), sides, cause))
        else:
            self.identities.save_tied(self._untied(_change(before, step), sides, cause))
        return True

    @property
    def _owners(self) -> Owners:
        return Owners(self.identities, self.customers)

    def _untied(self, change: LinkChange, sides: Tied, event: Event) -> LinkChange:
        kept = self.identities.keepsake_of(change.link.line_user_id)
        brought = {journey.journey_id for journey in kept.friend.journeys} if kept else set[str]()
        scenarios = self.playbooks.in_force().playbook.scenarios
        sides = untie(sides, event, newest_of(self._others(event)), scenarios, brought)
        return msgspec.structs.replace(change, sides=sides)

    def _others(self, event: Event) -> list[Link]:
        """The links of the customer's other LINE users. Read after the sides: who ties another writes one of them."""
        user = event.properties["line_user_id"]
        links = self._owners.links_of(event.customer_id)
        return [link for link in links if link.line_user_id != user and link.customer_id == event.customer_id]

    def _sides(self, event: Event) -> Tied:
        user = str(event.properties["line_user_id"])
        return both_sides(self.customers, event.customer_id, anonymous_id(user), event.occurred_at, user)

    def _tied(self, change: LinkChange, sides: Tied, event: Event) -> LinkChange:
        kept = keepsake_of(sides, event)
        sides = tie(sides, event, self.playbooks.in_force().playbook.scenarios)
        reward = self._reward(change.link, event)
        if reward is not None:
            sides = msgspec.structs.replace(sides, customer=rewarded(sides.customer, reward))
        return msgspec.structs.replace(change, sides=sides, keepsake=kept, reward=reward)

    def _reward(self, link: Link, event: Event) -> Reward | None:
        """The reward, where it was promised and neither of both has ever had it."""
        if not event.properties.get("reward"):
            return None
        if self.identities.is_rewarded(link.line_user_id, link.customer_id):
            return None
        return Reward(link.line_user_id, link.customer_id, event.occurred_at, event.event_id)

    def _keep_newest(self, customer_id: str) -> None:
        """The customer's newest LINE user stays linked; the others are unlinked, each in a transaction of its own."""
        links = [link for link in self._owners.links_of(customer_id) if link.customer_id == customer_id]
        newest = newest_of(links)
        for link in links:
            if newest is not None and link.tied and link.line_user_id != newest.line_user_id:
                self._settle(replacing(newest, link))

    # --- undoing

    def _may_be_undone(self, before: Link | None, event: Event) -> bool:
        if before is None or event.occurred_at > undo_ends_at(before):
            return False
        return self.identities.keepsake_of(before.line_user_id) is not None

    def _undone(self, change: LinkChange, sides: Tied, event: Event) -> LinkChange:
        user = change.link.line_user_id
        kept = self.identities.keepsake_of(user)
        if kept is None:
            raise Conflict("what was kept for the undo has gone")
        unheard = unheard_of(self.events, sides.customer)
        until = max(event.occurred_at, self.now()) + IN_FLIGHT
        customer = disowned(sides.customer, user, kept.friend.history_from, until)
        histories = Histories(
            history_of(self.events, customer).events, self._friends(sides.customer, customer, user), unheard
        )
        sides = msgspec.structs.replace(sides, customer=customer)
        heir = newest_of(self._others(event))
        return msgspec.structs.replace(change, sides=undone(sides, kept, histories, event, heir))

    def _friends(self, before: Customer, after: Customer, user: str) -> list[Event]:
        """What is the friend's alone when the customer has disowned it."""
        friend = self.events.all_of(anonymous_id(user))
        mine = {event.identity for event in friend}
        kept = [*self.events.all_of(before.customer_id), *self._of_merged(before)]
        since = after.disowned[-1].since
        return [
            *(event for event in friend if since is None or event.occurred_at > since),
            *(event for event in kept if event.identity not in mine and _is_of(event, user, after)),
        ]

    def _of_merged(self, customer: Customer) -> list[Event]:
        """What is kept under the ids of the customers that became this one."""
        merged = [one.customer_id for one in customer.aliases if not is_anonymous(one.customer_id)]
        return [event for one in merged for event in self.events.all_of(one)]

    def _handed_back(self, undo: Event) -> list[str]:
        """The friend's events of its time as the customer go into its own history. Whoever was at work on one of them
        meanwhile finds that the customer has disowned it, and brings it to the friend."""
        user = str(undo.properties["line_user_id"])
        link = self.identities.link_of(user)
        customer = self.customers.load(undo.customer_id)
        if customer is None or link is None or link.tied or link.event_id != undo.event_id:
            return []
        friend_id = anonymous_id(user)
        kept = [*self.events.all_of(customer.customer_id), *self._of_merged(customer)]
        theirs = [event for event in kept if _is_of(event, user, customer)]
        self.events.put_all(
            friend_id, [msgspec.structs.replace(event, customer_id=friend_id, told_of="") for event in theirs]
        )
        return [friend_id]


def _told_of(event: Event, customer_id: str) -> str:
    """The customer of whom it was told, where that is not the one whose message it came in."""
    told_of = event.told_of or event.customer_id
    return told_of if told_of != customer_id and not is_anonymous(told_of) else ""


def _is_of(event: Event, user: str, customer: Customer) -> bool:
    return customer.disowned_to(event) == anonymous_id(user)


def _change(before: Link | None, step: Step) -> LinkChange:
    after, cause = step.after, step.cause
    audit = AuditEntry(
        after.line_user_id,
        cause.occurred_at,
        cause.event_id,
        cause.source,
        before,
        after,
        method_of(cause),
        str(cause.properties.get("why", "")) if is_decision(cause) else "",
    )
    return LinkChange(after, audit, review=review_of(after))


def both_sides(customers: Customers, customer_id: str, friend_id: str, at: Instant, user: str = "") -> Tied:
    """Both as they are; made up where nobody has heard of them."""
    gate, customer = customers.load_both(customer_id)
    friend_gate, friend = customers.load_both(friend_id)
    return Tied(
        customer=customer or Customer(customer_id),
        friend=friend or new_customer(friend_id, user, at, ""),
        gate=gate or Gate(customer_id),
        friend_gate=friend_gate or new_gate(friend_id, user, at, ""),
    )


def confirmed(events: Sequence[Event], name: str) -> list[Event]:
    """The confirmed events of this name, in order."""
    return sorted(
        (event for event in events if event.name == name and event.status == "confirmed"),
        key=lambda event: (event.occurred_at, event.event_id),
    )
