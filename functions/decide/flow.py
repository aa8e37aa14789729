"""decide: an event or a due instant comes in; facts, fold, journeys and intents follow, each exactly once.

The order is what makes a crash harmless at any point: facts into the gate, event into the history, everything else
in one conditional write of the customer, and only then timers and intents out. A redelivery finds what is done and
does the rest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from functions.decide.answers import HearAnswers
from functions.decide.changing import ChangeCustomer
from functions.decide.facts import NoteFacts
from functions.decide.folding import Fold
from functions.decide.folding_away import FoldAway
from functions.decide.joining import JoinCustomers
from functions.decide.late import SetAside
from functions.decide.link_attempts import TakeUp
from functions.decide.linking import SettleLinks, Stirred
from functions.decide.phones import SettlePhones
from functions.decide.reactions import WatchReactions
from functions.domain.customers import Customer
from functions.domain.events import Event
from functions.domain.identity import Link
from functions.domain.instants import Instant
from functions.domain.line_events import anonymous_id, is_anonymous, read_line_event
from functions.domain.preferences import said_in_chat
from functions.ports.customers import Customers, Events
from functions.ports.errors import Retryable
from functions.ports.identities import Identities
from functions.ports.messages import (
    CustomerDue,
    CustomerRefresh,
    EventsReceived,
    InboxMessage,
    LineReceived,
    LinkAttemptDue,
)
from functions.ports.playbooks import Playbooks
from functions.ports.queues import SendQueue
from functions.ports.timers import Timers

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
    late: SetAside
    now: Callable[[], Instant]

    def handle(self, message: InboxMessage) -> None:
        """One message of the inbox. Raises Retryable where it must come again."""
        match message:
            case LineReceived():
                self._line(message)
            case EventsReceived():
                self._received(message)
            case CustomerDue(customer_id=customer_id, due=due):
                self.changing.change(
                    customer_id,
                    self.fold.woken,
                    not_before=due,
                    is_repeat=lambda loaded: loaded is not None and loaded.armed_at != due,
                )
            case CustomerRefresh(customer_id=customer_id):
                self.changing.change(customer_id, partial(self.fold.refreshed, message), known_only=True)
                self._fold_away(customer_id)
            case LinkAttemptDue():
                self._followed(self.link_attempts.expired(message))

    def _line(self, message: LineReceived) -> None:
        line_event = read_line_event(message.raw, message.received_at)
        if not line_event.line_user_id:
            self.events.keep_unattributed(line_event.event)
            return
        link = self.identities.link_of(line_event.line_user_id)
        owner = _said_of(link, line_event.line_user_id)
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
                self.changing.change(link.said_of, partial(self.fold.again, late), known_only=True)

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
        owner = _said_of(link, user)
        self._events(owner, [msgspec.structs.replace(event, customer_id=owner)])
        linking = self._phones.link_said_by(event)
        if linking is not None:
            self._events(linking.customer_id, [linking])

    @property
    def changing(self) -> ChangeCustomer:
        """The part that changes a customer."""
        return ChangeCustomer(self.customers, self.timers, self.send_queue, self.now)

    @property
    def facts(self) -> NoteFacts:
        """The part that lets the gate know."""
        return NoteFacts(self.customers)

    @property
    def fold(self) -> Fold:
        """The part that folds."""
        return Fold(self.account, self.events, self.playbooks)

    @property
    def _phones(self) -> SettlePhones:
        return SettlePhones(self.identities, self.customers)

    def _who_is_who(self, customer_id: str, events: Sequence[Event]) -> Stirred:
        """Customers merged, links and phone numbers; who has to be looked at besides."""
        joining = JoinCustomers(self.identities, self.customers, self.events, self.playbooks)
        for parted in joining.join_all(customer_id, events):
            self.changing.change(parted, partial(self.fold.again, (), quietly=True), known_only=True)
        self._phones.note(customer_id, events)
        links = SettleLinks(self.identities, self.customers, self.events, self.playbooks, self.now)
        return links.settle(customer_id, events)

    def _fold_away(self, customer_id: str) -> None:
        """Old events into the base; then the profile anew from what is left."""
        if self.folding_away.fold_away(customer_id, self.now()):
            self.changing.change(customer_id, self.folding_away.ended(self.fold.woken), known_only=True)

    @property
    def folding_away(self) -> FoldAway:
        """The part that ends what is kept of old events."""
        return FoldAway(self.customers, self.identities, self.events, self.playbooks)

    def _look_at(self, stirred: Stirred) -> None:
        for customer_id in stirred.handed_back:
            self.changing.change(customer_id, partial(self.fold.again, (), quietly=True), known_only=True)
        for customer_id in stirred.tied:
            self.changing.change(customer_id, self.fold.woken, known_only=True)

    def _events(self, customer_id: str, events: Sequence[Event]) -> None:
        """New events of one customer, live: kept after the customer was loaded, then folded."""
        customer_id = self._settled_owner(customer_id)
        customer_id = self.facts.note(customer_id, events)
        self.reactions.watch(customer_id, events)
        stirred = self._who_is_who(customer_id, events)
        news: list[Event] | None = None
        disowned: list[tuple[str, Event]] = []
        late: list[Event] = []

        def change(customer: Customer, now: Instant) -> Customer:
            nonlocal news, events
            events = [event.of(customer.customer_id) for event in events]
            disowned.extend(
                (customer.disowned_to(event), event) for event in events if customer.disowns(event)
            )
            events = [event for event in events if not customer.disowns(event)]
            late.extend(event for event in events if customer.is_past(event))
            events = [event for event in events if not customer.is_past(event)]
            news = [event for event in events if self.fold.is_new(customer, event)] if news is None else []
            return self.fold.taken_in(events, news, customer, now)

        self.changing.change(
            customer_id, change, is_repeat=lambda _loaded: news is not None and len(news) < len(events)
        )
        self.late.keep(late)
        self._look_at(stirred)
        for theirs, event in disowned:
            self._given_back(theirs, msgspec.structs.replace(event, customer_id=theirs, told_of=""))

    def _given_back(self, theirs: str, event: Event) -> None:
        """A merge was undone while this was on its way: it is the other one's. Where a friend is tied anew, the customer's
        history is made of the friend's, and only there it is not disowned."""
        owner = self.customers.load(self._settled_owner(theirs))
        if owner is None or not owner.disowns(event):
            self._events(theirs, [event])
            return
        self.events.put_new(event)
        self.changing.change(owner.customer_id, partial(self.fold.again, (event,)))

    def _history(self, customer_id: str, events: Sequence[Event]) -> None:
        """All of a customer's imported events in one write, folded from the history; no journey hears of them."""
        customer_id = self._settled_owner(customer_id)
        customer_id = self.facts.note(customer_id, events)
        stirred = self._who_is_who(customer_id, events)
        events, late = self.folding_away.parted_by_line(customer_id, events)
        kept = self.events.identities_of(customer_id)
        news = {event.identity: event for event in events if event.identity not in kept}
        self.events.put_all(
            customer_id,
            [msgspec.structs.replace(event.of(customer_id), imported=True) for event in news.values()],
        )

        def change(customer: Customer, now: Instant) -> Customer:
            # The line may have been drawn while these were put.
            late.extend(event for event in events if customer.is_past(event))
            return self.fold.again((), customer, now, quietly=True)

        self.changing.change(customer_id, change)
        self.late.keep(late)
        self._look_at(stirred)

    def _settled_owner(self, customer_id: str) -> str:
        """The customer that an anonymous friend was merged into meanwhile, else the same."""
        for _ in range(HOPS_MAX):
            customer = self.customers.load(customer_id) if is_anonymous(customer_id) else None
            if customer is None or not customer.merged_into:
                return customer_id
            customer_id = customer.merged_into
        raise Retryable("customers are merged in a circle")


def _said_of(link: Link | None, user: str) -> str:
    """The customer under whom a LINE user's events come in, whoever that one has become; its friend where there is none."""
    return link.said_of if link is not None and link.tied else anonymous_id(user)
