"""Who stands beside the flows and notes what truly happened: what was intended, taken in, and accepted by LINE."""

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple

from functions.domain.campaigns import Run
from functions.domain.customers import Customer
from functions.domain.events import CASE_FLAGS, Event
from functions.domain.instants import Instant
from functions.domain.journeys import Journey
from functions.domain.line_events import is_anonymous
from functions.domain.playbook import Playbook
from functions.domain.preferences import CHAT
from functions.domain.sends import Intent

Facts = dict[str, tuple[dt.datetime, bool]]


class Acceptance(NamedTuple):
    """A push that LINE took for a new one, and what was true while its worker was at it.

    `begun_at`: when the worker took the message up, so that it decided between then and `at`; `books`: the playbooks in
    force between; `owner`: the customer whose gate it is, and `zone` its zone, each empty where it changed meanwhile; `hours`:
    those that it has chosen;
    `facts`: how many facts had been taken in when the worker began, and when LINE accepted.
    """

    intent: Intent
    user: str
    key: str
    begun_at: Instant
    at: Instant
    delivered: bool
    books: tuple[Playbook, ...]
    owner: str
    zone: str
    held_out: bool
    hours: tuple[dt.time, dt.time] | None
    facts: tuple[int, int]


class Attempt(NamedTuple):
    """One call of LINE. `answered`: it said yes or no."""

    at: Instant
    content: str
    answered: bool
    refused: bool


class Witness:
    """Keeps no state of the flows; only what they cannot take back. `parted`: customers and LINE users whose merge was to be
    undone: they were treated as one person for a while."""

    def __init__(self) -> None:
        self.intents: dict[str, Intent] = {}
        self.accepted: list[Acceptance] = []
        self.attempts: dict[str, list[Attempt]] = {}
        self.facts: list[Event] = []
        self.events: dict[str, Event] = {}
        self.live: set[str] = set()
        self.heard: list[tuple[str, Instant]] = []
        self.runs: dict[str, Run] = {}
        self.journeys: dict[str, list[Journey]] = {}
        self.given_back: set[str] = set()
        self.parted: set[str] = set()
        self._known_journeys: set[str] = set()

    def intended(self, intents: Iterable[Intent]) -> None:
        """These were written where they cannot get lost."""
        for intent in intents:
            self.intents.setdefault(intent.send_id, intent)

    def written(self, customer: Customer) -> None:
        """The customer is now so: each journey is known by whose write showed it first, and in the order of these. One that
        is a friend's later on was given back when a merge was undone, or was the friend's all along."""
        self.intended(customer.outbox)
        for journey in customer.journeys:
            if journey.journey_id not in self._known_journeys:
                self._known_journeys.add(journey.journey_id)
                self.journeys.setdefault(customer.customer_id, []).append(journey)
            elif is_anonymous(customer.customer_id):
                self.given_back.add(journey.journey_id)

    def taken_up(self, events: Iterable[Event], *, live: bool) -> None:
        """Decide begins with these: what they allow may be in the gate from now on, long before it has done."""
        for event in events:
            if live:
                self.live.add(event.identity)
            if _allows(event):
                self.facts.append(event)

    def taken_in(self, events: Iterable[Event]) -> None:
        """Decide has done with these."""
        for event in events:
            self.events[event.identity] = event
            self.facts.append(event)

    def refused_to(self, accepted: Acceptance) -> str:
        """Why the customer may not have got this, whenever its worker decided; empty where it may have."""
        if not accepted.owner:
            return ""
        begun, done = accepted.facts
        refused = ""
        for known in range(begun, done + 1):
            for book in accepted.books:
                refused = _refused(self._said(accepted.owner, known), accepted.intent, book)
                if not refused:
                    return ""
        return refused

    def _said(self, customer_id: str, known: int) -> list[Event]:
        facts = self.facts[:known]
        became: dict[str, str] = {}
        for event in facts:
            if event.name == "customers_merged" and "undo" not in event.properties:
                became[event.customer_id] = str(event.properties["into"])
        for event in facts:  # nobody is merged a second time
            if event.name == "customers_merged" and "undo" in event.properties:
                became.pop(event.customer_id, None)
        return [
            event
            for event in facts
            if became.get(event.customer_id, event.customer_id) == customer_id
            and not (event.source == CHAT and customer_id in self.parted)
        ]


def _refused(events: Iterable[Event], intent: Intent, book: Playbook) -> str:
    """A plain reading of the rules: the newest word on each purpose counts, and a withdrawal against consent of the
    same instant; a case is open until it is closed."""
    purposes: Facts = {}
    cases: dict[tuple[str, str], tuple[dt.datetime, bool]] = {}
    for event in events:
        if event.name in ("consent_given", "consent_withdrawn"):
            _say(purposes, str(event.properties["purpose"]), event, yes=event.name == "consent_given")
        elif event.name == "line_linked":
            for purpose in event.properties.get("consent", []):
                _say(purposes, str(purpose), event, yes=True)
        elif event.name in CASE_FLAGS:
            flag, opens = CASE_FLAGS[event.name]
            case = flag, str(event.properties.get("case_id", ""))
            if case not in cases or (event.occurred_at, not opens) > (cases[case][0], not cases[case][1]):
                cases[case] = event.occurred_at, opens
    return _without_consent(purposes, intent, book) or _in_a_case(cases, intent, book)


def _without_consent(purposes: Facts, intent: Intent, book: Playbook) -> str:
    asked = book.consent.get(intent.kind, [])
    for purpose in (*asked, intent.kind, intent.category, "all"):
        if purpose in purposes and not purposes[purpose][1]:
            return f"{purpose} withdrawn"
    if asked and not any(purpose in purposes for purpose in asked):
        return f"no consent to {' or '.join(asked)}"
    return ""


def _in_a_case(cases: dict[tuple[str, str], tuple[dt.datetime, bool]], intent: Intent, book: Playbook) -> str:
    stops = [flag for (flag, _), (_, is_open) in cases.items() if is_open]
    return next((f"{flag} open" for flag in stops if intent.kind in book.exclusions.get(flag, [])), "")


def _allows(event: Event) -> bool:
    return (
        event.name in ("consent_given", "line_linked", "customers_merged")
        or CASE_FLAGS.get(event.name, ("", True))[1] is False
    )


def _say(purposes: Facts, purpose: str, event: Event, *, yes: bool) -> None:
    known = purposes.get(purpose)
    if known is None or (event.occurred_at, not yes) > (known[0], not known[1]):
        purposes[purpose] = event.occurred_at, yes
