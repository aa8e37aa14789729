"""One customer's days ahead: everything that falls due happens at its own instant, by the functions of production."""

import datetime as dt

import msgspec

from functions.domain.backfills import needs_refresh
from functions.domain.bases import Base
from functions.domain.campaigns import intent_of, recipient_of
from functions.domain.claims import Allow, decide
from functions.domain.customers import Customer, emptied, new_customer, next_due
from functions.domain.events import Event
from functions.domain.gate import Gate, new_gate, with_facts
from functions.domain.identity import Tied, tie, untie
from functions.domain.instants import Instant
from functions.domain.line_events import anonymous_id, is_anonymous
from functions.domain.memberships import is_outdated
from functions.domain.profiles import Profile, must_refold
from functions.domain.progress import moved_on, refreshed, take_in, take_in_again
from functions.domain.sends import Intent, held
from functions.domain.situations import situation_of
from functions.domain.verdicts import Ended, Wait
from ops.plan.course import Course
from ops.plan.tallies import Tally

ROUNDS_MAX = 100_000
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Held(msgspec.Struct, frozen=True, array_like=True):
    """An intent that is decided on at `until`."""

    until: Instant
    intent: Intent


class Person(msgspec.Struct, frozen=True, array_like=True):
    """Somebody the forecast is about: as the deployment knows them, or (customer None) as their events tell.

    `past` are their events so far, of a deployment's customers only where they are needed; `ahead` are those that are
    assumed to come. Both in order of time. `user` is the LINE user whom somebody known by events alone is tied to; `bases` what
    older events came to that are kept no longer.
    """

    customer_id: str
    customer: Customer | None = None
    gate: Gate | None = None
    held: list[Held] = []
    past: list[Event] = []
    ahead: list[Event] = []
    user: str = ""
    bases: list[Base] = []


def begun(person: Person, course: Course) -> tuple[Customer, Gate | None]:
    """Customer and gate when the playbook comes in force: events alone are folded as an import folds them."""
    if person.customer is not None:
        customer, gate = person.customer, person.gate
    else:
        linked = bool(person.user) and not is_anonymous(person.customer_id)
        profile = Profile(linked=linked)
        customer = msgspec.structs.replace(_nobody(person.customer_id, person.user), profile=profile)
        gate = with_facts(new_gate(person.customer_id, person.user, EPOCH, ""), person.past)
    if person.customer is None or ((person.past or person.bases) and is_outdated(customer, course.compiled)):
        customer = take_in_again(
            customer,
            person.past,
            course.compiled,
            course.versions,
            course.account,
            course.start,
            quietly=True,
            bases=person.bases,
        )
    return customer, gate


def _nobody(customer_id: str, user: str) -> Customer:
    """Somebody of whom nothing is known but the LINE user."""
    return new_customer(customer_id, user, EPOCH, "")


def _tied(customer: Customer, gate: Gate, event: Event) -> tuple[Customer, Gate]:
    """Both after an event that ties the customer to a LINE user of whom nothing else is known, or unties it."""
    user = str(event.properties.get("line_user_id", ""))
    if event.name not in ("line_linked", "line_unlinked") or event.status != "confirmed":
        return customer, gate
    if (event.name == "line_linked") == (customer.line_user_id == user):
        return customer, gate
    name = anonymous_id(user)
    friend, friend_gate = _nobody(name, user), new_gate(name, user, EPOCH, "")
    change = tie if event.name == "line_linked" else untie
    changed = change(Tied(customer, friend, gate, friend_gate), event)
    return changed.customer, changed.gate


class Life:
    """One customer in virtual time. What it comes to is counted in `tally`."""

    def __init__(self, person: Person, course: Course, tally: Tally) -> None:
        self._course = course
        self._tally = tally
        self._customer, self._gate = begun(person, course)
        self._held = list(person.held)
        self._history = list(person.past)
        self._bases = person.bases
        self._ahead = person.ahead
        self._next_event = 0
        self._next_run = 0

    def live(self) -> None:
        """From the beginning of the course to its end."""
        self._refresh()
        self._look(self._tally.size, self._course.start)
        self._count_person()
        for one in self._held:
            self._target(one.intent, self._course.start)
        now: Instant | None = self._course.start
        for _ in range(ROUNDS_MAX):
            if now is None or now > self._course.end:
                break
            self._at(now)
            now = self._next()
        else:
            raise AssertionError("something stays due for ever")
        self._look(self._tally.size_after, self._course.end)
        for one in self._held:
            self._tally.waiting[_source(one.intent),] += 1

    def _refresh(self) -> None:
        """What the back-fill does with a customer for whom a new playbook changes anything."""
        course, start = self._course, self._course.start
        if needs_refresh(self._customer, course.compiled, course.versions, [], start):
            self._changed(
                refreshed(self._customer, course.compiled, course.versions, course.account, start, (), start),
                start,
            )

    def _next(self) -> Instant | None:
        """The next instant at which anything falls due."""
        dues = [one.until for one in self._held]
        due = next_due(self._customer)
        if due is not None:
            dues.append(due)
        if self._next_event < len(self._ahead):
            dues.append(self._ahead[self._next_event].occurred_at)
        if self._next_run < len(self._course.runs):
            dues.append(self._course.runs[self._next_run].occurrence)
        return max(min(dues), self._course.start) if dues else None

    def _at(self, now: Instant) -> None:
        """In the order of the queues: what was held comes up, events and timers move journeys, campaigns run."""
        # A minute's timers are read in the order of their keys, which begin with the send id.
        up = sorted((one.intent for one in self._held if one.until <= now), key=lambda intent: intent.send_id)
        if up:
            self._held = [one for one in self._held if one.until > now]
        self._events(now)
        due = next_due(self._customer)
        if due is not None and due <= now:
            course = self._course
            moved = moved_on(self._customer, course.compiled, course.versions, course.account, now)
            self._changed(moved, now)
        for intent in (*up, *self._emitted(now), *self._campaigns(now)):
            self._decide(intent, now)

    def _events(self, now: Instant) -> None:
        while self._next_event < len(self._ahead) and self._ahead[self._next_event].occurred_at <= now:
            event = self._ahead[self._next_event]
            self._next_event += 1
            if self._gate is not None:
                gate = with_facts(self._gate, [event])
                self._customer, self._gate = _tied(self._customer, gate, event)
            self._changed(self._taken_in(event), now)

    def _taken_in(self, event: Event) -> Customer:
        """The customer after an event; after a correction the whole history is folded anew."""
        course, customer, at = self._course, self._customer, event.occurred_at
        self._history.append(event)
        if customer.refold or must_refold(customer.profile, [event], course.compiled.dictionary):
            return take_in_again(
                customer,
                self._history,
                course.compiled,
                course.versions,
                course.account,
                at,
                bases=self._bases,
            )
        return take_in(customer, [event], course.compiled, course.versions, course.account, at)

    def _changed(self, customer: Customer, now: Instant) -> None:
        """Count the journeys that have begun."""
        if len(customer.journeys) or len(self._customer.journeys):
            known = {journey.journey_id for journey in self._customer.journeys}
            for journey in customer.journeys:
                if journey.journey_id not in known:
                    self._tally.entered[self._course.day_of(now), journey.scenario] += 1
        self._customer = customer

    def _emitted(self, now: Instant) -> list[Intent]:
        outbox = self._customer.outbox
        if not outbox:
            return []
        self._customer = emptied(self._customer, [intent.send_id for intent in outbox])
        for intent in outbox:
            self._target(intent, now)
        return outbox

    def _target(self, intent: Intent, now: Instant) -> None:
        self._tally.targeted[self._course.day_of(now), _source(intent)] += 1

    def _campaigns(self, now: Instant) -> list[Intent]:
        course, intents = self._course, list[Intent]()
        while self._next_run < len(course.runs) and course.runs[self._next_run].occurrence <= now:
            run = course.runs[self._next_run]
            self._next_run += 1
            recipient = recipient_of(self._customer, run, course.compiled)
            if recipient is not None:
                intent = intent_of(recipient, run, course.compiled, course.account)
                self._target(intent, now)
                intents.append(intent)
        return intents

    def _decide(self, intent: Intent, now: Instant) -> None:
        day, source = self._course.day_of(now), _source(intent)
        if self._gate is None:
            self._tally.suppressed[day, source, "erased"] += 1
            return
        course = self._course
        situation = situation_of(
            intent, self._customer, course.compiled, course.versions, now, course.account_at(now)
        )
        decision = decide(intent, self._gate, course.compiled.rules, situation, "", now)
        self._gate = decision.gate
        match decision.verdict:
            case Allow():
                self._tally.sent[day, source, intent.kind] += 1
            case Wait(until=until, reason=reason):
                if all(note.reason != reason for note in intent.holds):
                    self._tally.held[day, source, reason] += 1
                self._held.append(Held(until, held(intent, reason, until, now)))
            case Ended(reason=reason):
                self._tally.suppressed[day, source, reason] += 1

    def _count_person(self) -> None:
        self._tally.people["all",] += 1
        if self._gate is not None and self._gate.reaches(self._customer.line_user_id):
            self._tally.people["reachable",] += 1
        month = self._course.day_of(self._course.start)[:7]
        for contact in self._gate.contacts if self._gate else ():
            if contact.at < self._course.start and self._course.day_of(contact.at)[:7] == month:
                self._tally.sent_before[month,] += 1

    def _look(self, sizes: dict[tuple[str, ...], int], now: Instant) -> None:
        """Count the customer in every segment that it is in."""
        for name, segment in self._course.compiled.playbook.segments.items():
            if self._course.compiled.holds(segment.when, self._customer.profile, now):
                sizes[name,] += 1


def _source(intent: Intent) -> str:
    return intent.scenario or intent.campaign


def forecast_of(person: Person, course: Course, tally: Tally) -> None:
    """Count what the course brings to one person; a customer merged into another is that other one's."""
    if person.customer is None or not person.customer.merged_into:
        Life(person, course, tally).live()
