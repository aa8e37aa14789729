"""decide: an event or a due instant comes in; facts, fold, journeys and intents follow, each exactly once.

The order is what makes a crash harmless at any point: facts into the gate, event into the history, everything else
in one conditional write of the customer, and only then timers and intents out. A redelivery finds what is done and
does the rest.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from functions.decide.answers import HearAnswers
from functions.decide.histories import history_of
from functions.decide.joining import JoinCustomers
from functions.decide.link_attempts import TakeUp
from functions.decide.linking import SettleLinks, Stirred
from functions.decide.phones import SettlePhones
from functions.decide.reactions import WatchReactions
from functions.domain.compiled import Versions
from functions.domain.customers import (
    Customer,
    emptied,
    needed_versions,
    new_customer,
    next_due,
)
from functions.domain.events import SAID_AT_LINE, Event
from functions.domain.gate import Gate, concerns_gate, new_gate, with_facts
from functions.domain.identity import Link
from functions.domain.instants import Instant
from functions.domain.line_events import anonymous_id, is_anonymous, read_line_event
from functions.domain.memberships import is_outdated
from functions.domain.preferences import said_in_chat
from functions.domain.profiles import must_refold
from functions.domain.progress import moved_on, refreshed, take_in, take_in_again
from functions.ports import (
    Conflict,
    CustomerDue,
    CustomerRefresh,
    Customers,
    Events,
    EventsReceived,
    Identities,
    InboxMessage,
    LineReceived,
    LinkAttemptDue,
    Playbooks,
    Retryable,
    SendQueue,
    Timers,
)

ATTEMPTS_MAX = 8
HOPS_MAX = 8


@dataclass(frozen=True, slots=True)
class Decide:
    """The ports of this flow."""

    account: str
    customers: Customers
    identities: Identities
    events: Events
    timers: Timers
    send_queue: SendQueue
    playbooks: Playbooks
    reactions: WatchReactions
    link_attempts: TakeUp
    answers: HearAnswers
    now: Callable[[], Instant]

    def handle(self, message: InboxMessage) -> None:
        """One message of the inbox. Raises Retryable where it must come again."""
        match message:
            case LineReceived():
                self._line(message)
            case EventsReceived():
                self._received(message)
            case CustomerDue(customer_id=customer_id, due=due):
                self._change(
                    customer_id,
                    self._woken,
                    not_before=due,
                    is_repeat=lambda loaded: loaded is not None and loaded.armed_at != due,
                )
            case CustomerRefresh(customer_id=customer_id):
                self._change(customer_id, partial(self._refreshed, message), known_only=True)
            case LinkAttemptDue():
                self._followed(self.link_attempts.expired(message))

    def _line(self, message: LineReceived) -> None:
        line_event = read_line_event(message.raw, message.received_at)
        if not line_event.line_user_id:
            self.events.keep_unattributed(line_event.event)
            return
        link = self.identities.link_of(line_event.line_user_id)
        owner = link.owner if link else anonymous_id(line_event.line_user_id)
        event = msgspec.structs.replace(line_event.event, customer_id=owner)
        said = [
            msgspec.structs.replace(
                one, properties={**one.properties, "line_user_id": line_event.line_user_id}
            )
            for one in said_in_chat(event, self.playbooks.in_force().playbook.preferences)
        ]
        self._of_friend(link, owner, [event, *said])
        followed = self.link_attempts.follow(line_event)
        self._followed(followed)
        self.link_attempts.answer(line_event, followed)
        # A code, or a word for what one wants to get, is no answer to a question that waits for words.
        answered = [] if said or followed else self.answers.said(event)
        if answered:
            self._of_friend(link, owner, answered)

    def _of_friend(self, link: Link | None, owner: str, events: Sequence[Event]) -> None:
        """What a LINE user did, in the history of whom the user is now."""
        self._events(owner, events)
        if link is not None and not link.tied and link.customer_id:
            # What comes late: when it happened the friend was the customer, who counts it in its own history.
            late = tuple(event for event in events if event.occurred_at <= link.changed_at)
            if late:
                self._change(link.customer_id, partial(self._folded_again, late), known_only=True)

    def _followed(self, message: EventsReceived | None) -> None:
        """What follows from a link that was taken up, or was not, as if it had come in by itself."""
        if message is not None:
            self._events(message.customer_id, message.events)

    def _received(self, message: EventsReceived) -> None:
        """Events of the CRM. What it knows of a LINE user's phone number is the LINE user's, whoever that is."""
        phones = [event for event in message.events if event.name == "phone_known"]
        events = [event for event in message.events if event.name != "phone_known"]
        if events and message.history:
            self._history(message.customer_id, events)
        elif events:
            self._events(message.customer_id, events)
        for event in phones:
            self._phone_known(event)

    def _phone_known(self, event: Event) -> None:
        """Kept with the friend; then linked to the one customer who has the number."""
        user = str(event.properties["line_user_id"])
        link = self.identities.link_of(user)
        owner = link.owner if link else anonymous_id(user)
        self._events(owner, [msgspec.structs.replace(event, customer_id=owner)])
        linking = self._phones.link_said_by(event)
        if linking is not None:
            self._events(linking.customer_id, [linking])

    @property
    def _phones(self) -> SettlePhones:
        return SettlePhones(self.identities, self.customers)

    def _who_is_who(self, customer_id: str, events: Sequence[Event]) -> Stirred:
        """Customers merged, links and phone numbers; who has to be looked at besides."""
        JoinCustomers(self.identities, self.customers, self.playbooks).join_all(customer_id, events)
        self._phones.note(customer_id, events)
        links = SettleLinks(self.identities, self.customers, self.events, self.playbooks, self.now)
        return links.settle(customer_id, events)

    def _look_at(self, stirred: Stirred) -> None:
        for customer_id in stirred.handed_back:
            self._change(customer_id, partial(self._folded_again, (), quietly=True), known_only=True)
        for customer_id in stirred.tied:
            self._change(customer_id, self._woken, known_only=True)

    def _events(self, customer_id: str, events: Sequence[Event]) -> None:
        """New events of one customer, live.

        An event is kept after the customer was loaded. While the customer is still at that version nobody can have
        folded it, and it is simply folded; in any other case the whole history is, and also where a correction
        comes after what it corrects.
        """
        customer_id = self._settled_owner(customer_id)
        customer_id = self._note_facts(customer_id, events)
        self.reactions.watch(customer_id, events)
        stirred = self._who_is_who(customer_id, events)
        news: list[Event] | None = None
        disowned: list[Event] = []

        def change(customer: Customer, now: Instant) -> Customer:
            nonlocal news, events
            disowned.extend(event for event in events if customer.disowns(event))
            owner = customer.customer_id
            events = [
                msgspec.structs.replace(event, customer_id=owner)
                for event in events
                if not customer.disowns(event)
            ]
            news = [event for event in events if self._is_new(customer, event)] if news is None else []
            current, versions = self.playbooks.in_force(), self._versions(customer)
            if is_outdated(customer, current):
                return self._folded_again(events, customer, now, quietly=True)
            if (
                customer.refold
                or must_refold(customer.profile, news, current.dictionary)
                or any(not customer.has_seen(event) for event in events if event not in news)
            ):
                return self._folded_again(events, customer, now)
            unseen = [event for event in news if not customer.has_seen(event)]
            return take_in(customer, unseen, current, versions, self.account, now) if unseen else customer

        self._change(
            customer_id, change, is_repeat=lambda _loaded: news is not None and len(news) < len(events)
        )
        self._look_at(stirred)
        for event in disowned:
            self._given_back(event)

    def _given_back(self, event: Event) -> None:
        """A merge was undone while this was on its way: it is the friend's. Where the two are tied anew, the customer's
        history is made of the friend's, and only there it is not disowned."""
        friend_id = anonymous_id(str(event.properties["line_user_id"]))
        owner = self.customers.load(self._settled_owner(friend_id))
        if owner is None or not owner.disowns(event):
            self._events(friend_id, [event])
            return
        self.events.put_new(msgspec.structs.replace(event, customer_id=friend_id))
        self._change(owner.customer_id, partial(self._folded_again, (event,)))

    def _history(self, customer_id: str, events: Sequence[Event]) -> None:
        """All of a customer's imported events in one write, folded from the history; no journey hears of them."""
        customer_id = self._settled_owner(customer_id)
        customer_id = self._note_facts(customer_id, events)
        stirred = self._who_is_who(customer_id, events)
        kept = self.events.identities_of(customer_id)
        news = {event.identity: event for event in events if event.identity not in kept}
        self.events.put_all(
            customer_id, [msgspec.structs.replace(event, imported=True) for event in news.values()]
        )

        self._change(customer_id, partial(self._folded_again, (), quietly=True))
        self._look_at(stirred)

    def _folded_again(
        self, brought: Sequence[Event], customer: Customer, now: Instant, *, quietly: bool = False
    ) -> Customer:
        """Folded anew; the journeys hear what they may not have heard. `quietly`: history came, or the dictionary is
        another, and what follows from that alone starts nothing."""
        return take_in_again(
            customer,
            self._all_of(customer),
            self.playbooks.in_force(),
            self._versions(customer),
            self.account,
            now,
            brought,
            quietly=quietly,
        )

    def _all_of(self, customer: Customer) -> list[Event]:
        return history_of(self.events, customer)

    def _settled_owner(self, customer_id: str) -> str:
        """The customer that an anonymous friend was merged into meanwhile, else the same."""
        for _ in range(HOPS_MAX):
            customer = self.customers.load(customer_id) if is_anonymous(customer_id) else None
            if customer is None or not customer.merged_into:
                return customer_id
            customer_id = customer.merged_into
        raise Retryable("customers are merged in a circle")

    def _note_facts(self, customer_id: str, events: Sequence[Event]) -> str:
        """Opt-outs, cases and friendship go into the gate before anything else, and again on a redelivery.

        Returns whose gate it was: a friend may have been merged into a customer meanwhile.
        """
        facts = [event for event in events if concerns_gate(event)]
        if not facts:
            return customer_id
        for _ in range(ATTEMPTS_MAX):
            gate = self.customers.load_gate(customer_id)
            if gate is not None and gate.merged_into:
                customer_id = gate.merged_into
                continue
            changed = with_facts(gate or _first_gate(customer_id, facts[0].occurred_at), facts)
            try:
                if changed != gate:
                    self.customers.save_gate(changed)
            except Conflict:
                continue
            return customer_id
        raise Conflict("the gate is contended")

    def _is_new(self, customer: Customer, event: Event) -> bool:
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

    def _woken(self, customer: Customer, now: Instant) -> Customer:
        current = self.playbooks.in_force()
        if is_outdated(customer, current):
            return self._folded_again((), customer, now, quietly=True)
        if customer.refold:
            return self._folded_again((), customer, now)
        return moved_on(customer, current, self._versions(customer), self.account, now)

    def _refreshed(self, message: CustomerRefresh, customer: Customer, now: Instant) -> Customer:
        customer = self._woken(customer, now)
        current, versions = self.playbooks.in_force(), self._versions(customer)
        return refreshed(customer, current, versions, self.account, now, message.starts, message.asked_at)

    def _versions(self, customer: Customer) -> Versions:
        return {version: self.playbooks.version(version) for version in needed_versions(customer)}

    def _change(
        self,
        customer_id: str,
        change: Callable[[Customer, Instant], Customer],
        not_before: Instant | None = None,
        *,
        known_only: bool = False,
        is_repeat: Callable[[Customer | None], bool] = lambda _loaded: True,
    ) -> None:
        """Load, change, write on condition, emit. A lost race starts over, bounded. `known_only`: make no new customer.

        `is_repeat`: whether an earlier delivery may have written `armed_at` and not its row. Something else may have
        changed since, so that no change at all is not the only sign of it.
        """
        for attempt in range(ATTEMPTS_MAX):
            now = max(self.now(), not_before) if not_before else self.now()
            loaded = self.customers.load(customer_id)
            if loaded is not None and loaded.merged_into:
                customer_id = loaded.merged_into
                continue
            if loaded is None and known_only:
                return
            customer = loaded or self._first_seen(customer_id, now)
            changed = _armed(change(customer, now), now)
            try:
                saved = changed if changed == loaded else self.customers.save(changed)
            except Conflict:
                continue
            is_moved = loaded is None or saved.armed_at != loaded.armed_at
            self._emit(saved, now, rearm=is_moved or saved is changed or attempt > 0 or is_repeat(loaded))
            return
        raise Conflict("the customer is contended")

    def _first_seen(self, customer_id: str, now: Instant) -> Customer:
        """A customer never heard of before: the gate comes first, for without one nothing may be sent.

        A conflict may mean that there is one already, or that a transaction was at the row and came to nothing.
        """
        try:
            self.customers.save_gate(_first_gate(customer_id, now))
        except Conflict:
            if self.customers.load_gate(customer_id) is None:
                raise
        return new_customer(customer_id, _own_user(customer_id), now, "")

    def _emit(self, customer: Customer, now: Instant, *, rearm: bool) -> None:
        """Timer row and outbox, out of the item that is written already. `rearm` also on a redelivery: the row may lack."""
        if rearm and customer.armed_at is not None:
            self.timers.arm(customer.customer_id, customer.armed_at, now)
        if not customer.orders:
            return
        enqueued = self.send_queue.put(customer.orders)
        # Whoever wrote meanwhile enqueues the same again; the gate counts each intent once.
        with contextlib.suppress(Conflict):
            self.customers.save(emptied(customer, enqueued))
        if len(enqueued) < len(customer.orders):
            raise Retryable(f"{len(customer.orders) - len(enqueued)} orders were not enqueued")


def _own_user(customer_id: str) -> str:
    """An anonymous friend is its own LINE user."""
    return customer_id.removeprefix(anonymous_id("")) if is_anonymous(customer_id) else ""


def _first_gate(customer_id: str, at: Instant) -> Gate:
    return new_gate(customer_id, _own_user(customer_id), at, "")


def _armed(customer: Customer, now: Instant) -> Customer:
    """One armed instant a customer, moved only when the due one comes earlier; what has passed is armed anew."""
    due = next_due(customer)
    armed = customer.armed_at
    if armed is not None and armed > now and (due is None or armed <= due):
        return customer
    return msgspec.structs.replace(customer, armed_at=due)
