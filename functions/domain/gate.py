"""The gate: one small record a customer, of what allows and forbids a message and of what was sent lately.

The facts in it are last-writer-wins by (instant, event id), so that events may come in any order. What a gate says
to an intent is decided in `verdicts`.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar

import msgspec

from functions.domain.events import CASE_FLAGS, Event
from functions.domain.instants import Instant
from functions.domain.playbook import Kind
from functions.domain.registers import (
    Register,
    facts_union,
    later,
    registers_union,
    said_plainly,
    stronger,
    with_consent,
)
from functions.domain.stored import Carrying

CONTACTS_KEPT = dt.timedelta(days=32)
"""The longest calendar month, and a day in hand. Longer where a cap has a longer window."""
CLOSED_CASES_KEPT = dt.timedelta(days=30)
"""A closing may arrive before its opening; for so long it is remembered."""

ClaimState = Literal["open", "suppressed", "failed", "unknown"]
RECORDED = "recorded:"
"""The reason of a claim that a restore has written begins so, and goes on with its end (functions/domain/restoring.py). Its
state is `unknown`, which whoever knows no such reason never pushes either."""


class Contact(msgspec.Struct, frozen=True, array_like=True):
    """A message that counts against the caps."""

    send_id: str
    kind: Kind
    at: Instant
    category: str = ""


class Claim(msgspec.Struct, frozen=True, array_like=True):
    """This intent is being pushed, or has ended. `key_at`: when its retry key was first used; `until`: when it may go.

    `passage` and `step` say which message it is, whoever's journey it belongs to; `attempt` counts who took it up, so
    that a worker that was refused sees whether another one has tried since. `batch`: the multicast batch that it was
    claimed for, and whose retry key it goes by; empty: it is pushed alone, under its own.
    """

    send_id: str
    passage: str
    step: str
    to: str
    hash: str
    made_at: Instant
    key_at: Instant
    until: Instant
    state: ClaimState = "open"
    reason: str = ""
    attempt: int = 1
    batch: str = ""

    @property
    def recorded(self) -> str:
        """How it ended, where its end stands in the send log under whichever instant it was made at; else empty."""
        is_ours = self.state == "unknown" and self.reason.startswith(RECORDED)
        return self.reason.removeprefix(RECORDED) if is_ours else ""


def may_have_arrived(claim: Claim) -> bool:
    """Whether the person may have seen it."""
    return (claim.recorded or claim.state) in ("open", "sent", "unknown")


class Hold(msgspec.Struct, frozen=True, array_like=True):
    """An intent that waits: others see it, so that the better one gets the slot and a later one replaces it."""

    send_id: str
    kind: Kind
    rank: int
    until: Instant
    passage: str
    made_at: Instant
    reason: str = ""
    category: str = ""


class Gate(Carrying, msgspec.Struct, frozen=True, omit_defaults=True):
    """`link` holds the LINE user id, or None after an unlink; `friends` whether each LINE user can be reached;
    `cases` a flag's cases by id, True while open; `version` counts its writes and is the condition of the next."""

    customer_id: str
    version: int = 0
    link: Register | None = None
    friends: dict[str, Register] = {}
    consent: dict[str, Register] = {}
    cases: dict[str, dict[str, Register]] = {}
    contacts: list[Contact] = []
    claims: list[Claim] = []
    holds: list[Hold] = []
    merged_into: str = ""

    @property
    def line_user_id(self) -> str:
        """The LINE user to send to; empty where there is none."""
        return str(self.link.value or "") if self.link else ""

    def reaches(self, line_user_id: str) -> bool:
        """Whether a push to this LINE user can arrive: it is the linked one, and is not known to have left."""
        friend = self.friends.get(line_user_id)
        return (
            bool(line_user_id)
            and line_user_id == self.line_user_id
            and (friend is None or bool(friend.value))
        )

    def open_flags(self) -> list[str]:
        """The exclusion flags with at least one open case, sorted."""
        return sorted(
            flag for flag, cases in self.cases.items() if any(case.value for case in cases.values())
        )

    def claim(self, send_id: str) -> Claim | None:
        """The claim of this intent, if it was ever claimed or ended."""
        return next((claim for claim in self.claims if claim.send_id == send_id), None)


def new_gate(customer_id: str, line_user_id: str, at: Instant, event_id: str) -> Gate:
    """The gate of a customer first heard of; an anonymous friend is linked to itself."""
    link = Register(line_user_id, at, event_id) if line_user_id else None
    return Gate(customer_id, link=link)


def _set(registers: dict[str, Register], name: str, event: Event, *, value: Any) -> dict[str, Register]:
    new = Register(value, event.occurred_at, event.event_id)
    return {**registers, name: later(registers.get(name), new)}


def _end(registers: dict[str, Register], name: str, event: Event, *, value: bool) -> dict[str, Register]:
    new = Register(value, event.occurred_at, event.event_id)
    return {**registers, name: stronger(registers.get(name), new)}


def _friendship(gate: Gate, event: Event) -> Gate:
    user = str(event.properties.get("line_user_id", ""))
    return msgspec.structs.replace(
        gate, friends=_set(gate.friends, user, event, value=event.name == "line_follow")
    )


def _consent(gate: Gate, event: Event) -> Gate:
    return msgspec.structs.replace(gate, consent=with_consent(gate.consent, event, said_plainly))


def _case(gate: Gate, event: Event) -> Gate:
    flag, opens = CASE_FLAGS[event.name]
    case = str(event.properties.get("case_id", ""))
    cases = {**gate.cases, flag: _end(gate.cases.get(flag, {}), case, event, value=opens)}
    return msgspec.structs.replace(gate, cases=cases)


_FACTS: dict[str, Callable[[Gate, Event], Gate]] = {
    "line_follow": _friendship,
    "line_unfollow": _friendship,
    "consent_given": _consent,
    "consent_withdrawn": _consent,
    "line_linked": _consent,
    **dict.fromkeys(CASE_FLAGS, _case),
}


def concerns_gate(event: Event) -> bool:
    """Whether the event is a fact that the gate keeps. A provisional one may only stop a message."""
    if event.name not in _FACTS:
        return False
    return event.status == "confirmed" or event.name in _STOPS


_STOPS = {"line_unfollow", "consent_withdrawn", "inquiry_opened", "complaint_opened", "refund_started"}


def with_facts(gate: Gate, events: Iterable[Event]) -> Gate:
    """The gate with the facts of these events in it; the same for any order and any repetition of them."""
    for event in events:
        if concerns_gate(event):
            gate = _FACTS[event.name](gate, event)
    return gate


def pruned(gate: Gate, now: Instant, contacts_kept: dt.timedelta = CONTACTS_KEPT) -> Gate:
    """The gate without what can no longer matter: old contacts, claims past their end, cases closed long ago."""
    cases = {
        flag: {key: case for key, case in cases.items() if case.value or case.at > now - CLOSED_CASES_KEPT}
        for flag, cases in gate.cases.items()
    }
    return msgspec.structs.replace(
        gate,
        contacts=[contact for contact in gate.contacts if contact.at > now - contacts_kept],
        claims=[claim for claim in gate.claims if claim.until > now],
        holds=[hold for hold in gate.holds if hold.until > now - dt.timedelta(days=1)],
        cases={flag: kept for flag, kept in cases.items() if kept},
    )


_Sent = TypeVar("_Sent", bound=Contact | Claim | Hold)


def _by_send_id(left: list[_Sent], right: list[_Sent]) -> list[_Sent]:
    merged = {item.send_id: item for item in [*right, *left]}
    return list(merged.values())


def merged(into: Gate, friend: Gate) -> Gate:
    """The customer's gate with all that the anonymous friend's knew: no cap is reset and no claim is lost by linking."""
    flags = into.cases.keys() | friend.cases.keys()
    return msgspec.structs.replace(
        into,
        friends=registers_union(into.friends, friend.friends),
        consent=facts_union(into.consent, friend.consent),
        cases={
            flag: facts_union(into.cases.get(flag, {}), friend.cases.get(flag, {})) for flag in sorted(flags)
        },
        contacts=sorted(_by_send_id(into.contacts, friend.contacts), key=lambda contact: contact.at),
        claims=_by_send_id(into.claims, friend.claims),
        holds=_by_send_id(into.holds, friend.holds),
    )
