"""Who stands beside the flows and notes what truly happened: what was intended, taken in, and accepted by LINE."""

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple

from functions.domain.events import CASE_FLAGS, Event
from functions.domain.instants import Instant
from functions.domain.playbook import Playbook
from functions.domain.sends import Intent

Facts = dict[str, tuple[dt.datetime, bool]]


class Acceptance(NamedTuple):
    """A push that LINE took for a new one, and what was true while its worker was at it.

    `begun_at`: when the worker took the message up, so that it decided between then and `at`; `owner`: the customer
    whose gate it is, empty where that changed meanwhile; `facts`: how many facts had been taken in when it began.
    """

    intent: Intent
    user: str
    key: str
    begun_at: Instant
    at: Instant
    delivered: bool
    book: Playbook
    owner: str
    held_out: bool
    facts: int


class Witness:
    """Keeps no state of the flows; only what they cannot take back."""

    def __init__(self) -> None:
        self.intents: dict[str, Intent] = {}
        self.accepted: list[Acceptance] = []
        self.facts: list[Event] = []
        self.events: dict[str, str] = {}

    def intended(self, intents: Iterable[Intent]) -> None:
        """These were written where they cannot get lost."""
        for intent in intents:
            self.intents.setdefault(intent.send_id, intent)

    def taken_up(self, events: Iterable[Event]) -> None:
        """Decide begins with these: what they allow may be in the gate from now on, long before it has done."""
        self.facts += [event for event in events if _allows(event)]

    def taken_in(self, events: Iterable[Event]) -> None:
        """Decide has done with these."""
        for event in events:
            self.events[event.identity] = event.customer_id
            self.facts.append(event)

    def refused_to(self, customer_id: str, known: int, book: Playbook, kind: str) -> str:
        """Why this customer may get nothing of this kind, by the first so many facts; empty where it may.

        A plain reading of the rules: the newest word on each purpose counts, and a withdrawal against consent of the
        same instant; a case is open until it is closed.
        """
        purposes: Facts = {}
        cases: dict[tuple[str, str], tuple[dt.datetime, bool]] = {}
        for event in self.facts[:known]:
            if event.customer_id != customer_id:
                continue
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
        wanted = [*book.consent.get(kind, []), kind, "all"]  # type: ignore[call-overload]
        withdrawn = [purpose for purpose in wanted if purpose in purposes and not purposes[purpose][1]]
        if withdrawn:
            return f"{withdrawn[0]} withdrawn"
        stops = [flag for (flag, _), (_, is_open) in cases.items() if is_open]
        return next((f"{flag} open" for flag in stops if kind in book.exclusions.get(flag, [])), "")


def _allows(event: Event) -> bool:
    return (
        event.name in ("consent_given", "line_linked") or CASE_FLAGS.get(event.name, ("", True))[1] is False
    )


def _say(purposes: Facts, purpose: str, event: Event, *, yes: bool) -> None:
    known = purposes.get(purpose)
    if known is None or (event.occurred_at, not yes) > (known[0], not known[1]):
        purposes[purpose] = event.occurred_at, yes
