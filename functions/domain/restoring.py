"""What is made of rows that come back from a backup, and of what the lake tells of the time after it. Pure.

A table as it was at an instant does not know what came after it. Before anything may be sent again each gate has to know
what was said since (else people get it twice, or too often) and who has had enough since. Facts tell both: each send's end
with its id, each block, each withdrawal. Whatever is built here adds to a row, and takes nothing away.
"""

from collections.abc import Iterable, Sequence

import msgspec

from functions.domain.customers import SEEN_KEPT, Customer, next_due
from functions.domain.events import Event
from functions.domain.facts import JourneyFact, Send
from functions.domain.gate import RECORDED, Claim, Contact, Gate, merged, with_facts
from functions.domain.instants import Instant
from functions.domain.journeys import Journey, fingerprint
from functions.domain.registers import Register, later
from functions.domain.sends import CLAIM_OUTLIVES, EXPIRES_MAX, SendRecord

COUNTED = ("sent", "unknown")
"""Ends after which the person may have the message: they count against the caps."""
ERASED = "erased"


class Passages(msgspec.Struct, frozen=True):
    """Scenario → since when the customer's passages through it went on, each with its number, the oldest first."""

    by_scenario: dict[str, list[tuple[Instant, int]]] = {}

    def of(self, send: Send) -> str:
        """The passage that a send was of, as its intent called it."""
        if send.run:
            return f"{send.run}/1"
        begun = [n for at, n in self.by_scenario.get(send.scenario, []) if at <= send.made_at]
        return f"{send.scenario}/{begun[-1] if begun else 1}"


def passages(journeys: Iterable[Journey], facts: Iterable[JourneyFact]) -> Passages:
    """From the journeys as they were at the backup and what is told of those begun since."""
    found: dict[str, set[tuple[Instant, int]]] = {}
    for journey in journeys:
        found.setdefault(journey.scenario, set()).add((journey.entered_at, journey.occurrence))
    for fact in facts:
        if fact.change == "entered":
            found.setdefault(fact.scenario, set()).add((fact.at, fact.occurrence))
    return Passages({name: sorted(of_one) for name, of_one in found.items()})


def is_end(send: Send) -> bool:
    """Whether this end holds after a restore. `erased` is told of whoever has no gate: after a loss that was everybody."""
    return not (send.status == "suppressed" and send.reason == ERASED)


def rebuilt_gate(
    gate: Gate, sends: Sequence[Send], stops: Iterable[Event], known: Passages, now: Instant
) -> Gate:
    """The gate with every end since the backup claimed, all that may have arrived counted, and all that stops messages.

    What the gate knows itself stays: it is as good as the fact, or newer. A claim lives for as long as an intent that is
    made anew today may.
    """
    claimed = {one.send_id: one for one in gate.claims}
    contacts = {one.send_id: one for one in gate.contacts}
    until = now + EXPIRES_MAX + CLAIM_OUTLIVES
    for send in sends:
        if not is_end(send):
            continue
        ours = claimed.get(send.send_id)
        if ours is None or ours.state == "open":
            claimed[send.send_id] = _claim(send, ours, gate.line_user_id, known, until)
        if send.status in COUNTED:
            contacts.setdefault(send.send_id, Contact(send.send_id, send.kind, send.at, send.category))  # type: ignore[arg-type]
        elif ours is None or ours.state == "open":
            contacts.pop(send.send_id, None)
    ended = {send.send_id for send in sends if is_end(send)}
    changed = msgspec.structs.replace(
        gate,
        claims=list(claimed.values()),
        contacts=sorted(contacts.values(), key=lambda one: one.at),
        holds=[one for one in gate.holds if one.send_id not in ended],
    )
    return with_facts(changed, stops)


def _claim(send: Send, ours: Claim | None, user: str, known: Passages, until: Instant) -> Claim:
    if ours is not None:
        return msgspec.structs.replace(
            ours, state="unknown", reason=f"{RECORDED}{send.status}", until=max(ours.until, until)
        )
    return Claim(
        send.send_id,
        known.of(send),
        send.step,
        user,
        hash="",
        made_at=send.made_at,
        key_at=send.at,
        until=until,
        state="unknown",
        reason=f"{RECORDED}{send.status}",
    )


def both_gates(then: Gate, now: Gate) -> Gate:
    """Of a row that was begun anew after the loss and the one before it: all that either knows, at the newer's version."""
    united = merged(now, then)
    link = now.link if then.link is None else later(now.link, then.link)
    return msgspec.structs.replace(united, link=link, merged_into=then.merged_into or now.merged_into)


def goes_on(then: Customer, now: Customer) -> bool:
    """Whether the row as it stands is what became of the one of the backup. After a loss whoever is heard of begins anew,
    and has seen nothing of what was seen before."""
    if now.version < then.version:
        return False
    if len(now.seen) >= SEEN_KEPT:
        return True
    return bool(set(then.seen) & set(now.seen)) or now == then


def back(
    then: Customer,
    facts: Sequence[JourneyFact],
    now: Instant,
    stands: Customer | None = None,
    tied: Register | None = None,
    unit: str = "",
) -> Customer:
    """The customer as it was, to be folded anew from its history at its next turn, with the journeys that are told of
    since. Its wake-up is when something is due, at once where something waits to be enqueued or was begun since.

    `stands`: the row begun anew after the loss that this one takes the place of; `tied`: the LINE user that it was tied to
    since, for the ids of its messages hang on it; `unit`: what experiments have known it by since, where that is another id.
    """
    customer = with_journeys(then, facts)
    if unit:
        customer = msgspec.structs.replace(customer, first_id=unit)
    if tied is not None:
        customer = msgspec.structs.replace(customer, link=later(customer.link, tied))
    due = next_due(customer)
    hurries = bool(customer.orders) or customer.journeys != then.journeys or stands is not None
    woken = now if hurries and not customer.merged_into else due
    customer = msgspec.structs.replace(customer, refold=True, armed_at=woken)
    return customer if stands is None else _in_place_of(stands, customer)


def _in_place_of(stands: Customer, customer: Customer) -> Customer:
    """What the row that was begun anew knows and the old one does not: a later link, what waits to be enqueued."""
    link = customer.link
    if stands.link is not None:
        link = stands.link if link is None else later(link, stands.link)
    waiting = {one.send_id: one for one in (*customer.outbox, *stands.outbox)}
    return msgspec.structs.replace(customer, version=stands.version, link=link, outbox=list(waiting.values()))


def with_journeys(customer: Customer, facts: Sequence[JourneyFact]) -> Customer:
    """The customer with each journey that is told of and not known. It begins again at its first step: what it says on its
    way bears the ids that it bore before, and what was said stays said. Left through a goal or an exit it is over; one that
    came to its end walks there again, for what it said last may have waited, and be lost."""
    known = {one.journey_id: one for one in customer.journeys}
    over = {one.journey_id: one for one in facts if one.change in ("goal", "exited")}
    for fact in sorted(facts, key=lambda one: (one.at, one.journey_id)):
        if fact.change == "entered" and fact.journey_id not in known:
            known[fact.journey_id] = _begun(fact)
    for journey_id, fact in over.items():
        journey = known.get(journey_id)
        if journey is not None and journey.active:
            known[journey_id] = msgspec.structs.replace(
                journey, status=fact.change, ended_at=fact.at, due=None, awaits="", asked_from=None
            )
    journeys = list(known.values())
    return customer if journeys == customer.journeys else msgspec.structs.replace(customer, journeys=journeys)


def _begun(fact: JourneyFact) -> Journey:
    return Journey(
        journey_id=fact.journey_id,
        scenario=fact.scenario,
        version=fact.playbook,
        occurrence=fact.occurrence,
        entered_at=fact.at,
        trigger=fingerprint(fact.journey_id),
        since=fact.at,
    )


def record_of_fact(send: Send, customer_id: str, line_user_id: str) -> SendRecord:
    """The line of the send log, without what no fact tells: LINE's request, and what the decision rested on."""
    return SendRecord(
        send_id=send.send_id,
        customer_id=customer_id,
        line_user_id=line_user_id,
        status=send.status,  # type: ignore[arg-type]
        at=send.at,
        made_at=send.made_at,
        kind=send.kind,  # type: ignore[arg-type]
        message=send.message,
        message_hash=send.message_hash,
        playbook=send.playbook,
        step=send.step,
        reason=send.reason,
        scenario=send.scenario,
        campaign=send.campaign,
        run=send.run,
        variant=f"{send.experiment}:{send.variant}" if send.experiment else send.variant,
        facts={"restored": True},
        unit="" if send.unit == send.customer_id else send.unit,
    )
