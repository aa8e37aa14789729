"""What the gate says to an intent: the one pure decision of the send protocol."""

import datetime as dt
from typing import Literal

import msgspec

from functions.domain.gate import CONTACTS_KEPT, Claim, Contact, Gate, Hold, pruned
from functions.domain.instants import Instant, in_daily_window, next_local_time
from functions.domain.playbook import Cap, Kind, QuietHours
from functions.domain.sends import CLAIM_OUTLIVES, KEY_LIFE, Intent


class Rules(msgspec.Struct, frozen=True):
    """The account's rules in force, always those of the newest playbook."""

    caps: list[Cap]
    quiet_hours: QuietHours | None
    consent: dict[Kind, list[str]]
    exclusions: dict[str, list[Kind]]


class Upcoming(msgspec.Struct, frozen=True):
    """A message that one of the customer's journeys will want to send."""

    at: Instant
    kind: Kind
    rank: int


class Situation(msgspec.Struct, frozen=True):
    """What is true of the customer and the account beside the gate, at the instant of the decision."""

    eligible: bool
    zone: str
    upcoming: list[Upcoming] = []
    stopped_until: Instant | None = None
    switched_off: bool = False


class Allow(msgspec.Struct, frozen=True):
    """Claimed: push it. `resumed`: an earlier attempt may have gone unanswered."""

    claim: Claim
    resumed: bool = False


class Wait(msgspec.Struct, frozen=True):
    """Not now: decide again at `until`."""

    until: Instant
    reason: str


class Ended(msgspec.Struct, frozen=True):
    """Not at all. `unknown` where an earlier attempt may have arrived."""

    outcome: Literal["suppressed", "failed", "unknown"]
    reason: str


Verdict = Allow | Wait | Ended


class Decision(msgspec.Struct, frozen=True):
    """The verdict, and the gate as it must be written before anything follows from it."""

    verdict: Verdict
    gate: Gate


def _without(gate: Gate, send_id: str) -> Gate:
    """The gate as if this intent had never been claimed, counted or held."""
    return msgspec.structs.replace(
        gate,
        contacts=[contact for contact in gate.contacts if contact.send_id != send_id],
        claims=[claim for claim in gate.claims if claim.send_id != send_id],
        holds=[hold for hold in gate.holds if hold.send_id != send_id],
    )


def _consent_missing(intent: Intent, gate: Gate, rules: Rules) -> bool:
    purposes = rules.consent.get(intent.kind, [])
    known = {name: bool(register.value) for name, register in gate.consent.items()}
    if any(known.get(name) is False for name in (*purposes, intent.kind, "all")):
        return True
    return bool(purposes) and not any(known.get(name) for name in purposes)


def _exclusion(intent: Intent, gate: Gate, rules: Rules) -> str:
    return next((flag for flag in gate.open_flags() if intent.kind in rules.exclusions.get(flag, [])), "")


def _replaced(intent: Intent, gate: Gate) -> bool:
    """A later step of the same journey has come up meanwhile, or the same step was claimed before a merge."""
    mine = [claim for claim in gate.claims if claim.passage == intent.passage]
    said_later = [claim.made_at for claim in mine if claim.state in ("open", "unknown")]
    held_later = [hold.made_at for hold in gate.holds if hold.passage == intent.passage]
    if any(made_at > intent.made_at for made_at in (*said_later, *held_later)):
        return True
    return any(claim.step == intent.step and claim.to == intent.line_user_id for claim in mine)


def _quiet_until(intent: Intent, quiet: QuietHours | None, zone: str, now: Instant) -> Instant | None:
    if (
        quiet is None
        or intent.kind not in quiet.kinds
        or not in_daily_window(now, quiet.start, quiet.end, zone)
    ):
        return None
    return next_local_time(now, quiet.end, zone)


def _hold_or_end(intent: Intent, opens_at: Instant, cap: Cap, now: Instant, reason: str) -> Wait | Ended:
    """A refusal that is over soon enough is held, not dropped."""
    seconds_max = cap.hold_seconds_max if intent.hold_seconds_max is None else intent.hold_seconds_max
    if opens_at < intent.expires_at and opens_at - now <= dt.timedelta(seconds=seconds_max):
        return Wait(opens_at, reason)
    return Ended("suppressed", reason)


def _capped(intent: Intent, gate: Gate, cap: Cap, now: Instant) -> Wait | Ended | None:
    """Windows roll, and are half-open: a contact exactly one window ago no longer counts."""
    window = dt.timedelta(seconds=cap.window_seconds)
    recent = sorted(c.at for c in gate.contacts if c.kind in cap.kinds and c.at > now - window)
    if len(recent) < cap.limit:
        return None
    return _hold_or_end(intent, recent[-cap.limit] + window, cap, now, f"capped:{cap.id}")


def _outranked(
    intent: Intent, gate: Gate, upcoming: list[Upcoming], cap: Cap, now: Instant
) -> Wait | Ended | None:
    """Whether sending now would take, from something better, a slot of the window that it needs."""
    window = dt.timedelta(seconds=cap.window_seconds)
    held = [Upcoming(hold.until, hold.kind, hold.rank) for hold in gate.holds]
    better = sorted(
        max(item.at, now)
        for item in [*held, *upcoming]
        if item.rank < intent.rank and item.kind in cap.kinds and item.at < now + window
    )
    for ahead, at in enumerate(better):
        used = sum(1 for contact in gate.contacts if contact.kind in cap.kinds and contact.at > at - window)
        if used + ahead + 2 > cap.limit:
            return _hold_or_end(intent, better[-1] + window, cap, now, "outranked")
    return None


def _slot_verdict(
    intent: Intent, gate: Gate, rules: Rules, situation: Situation, now: Instant
) -> Wait | Ended | None:
    for cap in rules.caps:
        if intent.kind not in cap.kinds:
            continue
        refused = _capped(intent, gate, cap, now) or _outranked(intent, gate, situation.upcoming, cap, now)
        if refused:
            return refused
    return None


def judge(
    intent: Intent, gate: Gate, rules: Rules, situation: Situation, now: Instant
) -> Wait | Ended | None:
    """Why this intent may not be pushed now; None where it may. Knows nothing of the intent's own claim."""
    if now >= intent.expires_at:
        return Ended("suppressed", "expired")
    if situation.switched_off:
        return Ended("suppressed", "stopped")
    if not gate.reaches(intent.line_user_id):
        return Ended("suppressed", "unreachable")
    if _consent_missing(intent, gate, rules):
        return Ended("suppressed", "no_consent")
    flag = _exclusion(intent, gate, rules)
    if flag:
        return Ended("suppressed", f"excluded:{flag}")
    if not situation.eligible:
        return Ended("suppressed", "no_longer_eligible")
    if _replaced(intent, gate):
        return Ended("suppressed", "outranked")
    if situation.stopped_until and situation.stopped_until > now:
        return _until(intent, situation.stopped_until, "stopped")
    quiet_until = _quiet_until(intent, rules.quiet_hours, situation.zone, now)
    if quiet_until:
        return _until(intent, quiet_until, "quiet_hours")
    return _slot_verdict(intent, gate, rules, situation, now)


def _until(intent: Intent, until: Instant, reason: str) -> Wait | Ended:
    return Wait(until, reason) if until < intent.expires_at else Ended("suppressed", reason)


def _held(intent: Intent, gate: Gate, until: Instant) -> Gate:
    hold = Hold(intent.send_id, intent.kind, intent.rank, until, intent.passage, intent.made_at)
    others = [other for other in gate.holds if other.send_id != intent.send_id]
    return msgspec.structs.replace(gate, holds=[*others, hold])


def _closed(claim: Claim, gate: Gate, ended: Ended) -> Gate:
    """The gate with the claim marked as ended; only what may have arrived keeps its place in the window."""
    counted = ended.outcome == "unknown"
    rest = _without(gate, claim.send_id)
    contacts = gate.contacts if counted else rest.contacts
    marked = msgspec.structs.replace(claim, state=ended.outcome, reason=ended.reason)
    return msgspec.structs.replace(rest, contacts=contacts, claims=[*rest.claims, marked])


def _claimed(intent: Intent, gate: Gate, claim: Claim, now: Instant) -> Gate:
    """The claim and the contact, which is counted at this instant. It takes a held, earlier step's place."""
    rest = _without(gate, intent.send_id)
    contact = Contact(intent.send_id, intent.kind, now)
    return msgspec.structs.replace(rest, claims=[*rest.claims, claim], contacts=[*rest.contacts, contact])


def _new_claim(intent: Intent, content_hash: str, now: Instant) -> Claim:
    until = intent.expires_at + CLAIM_OUTLIVES
    to = intent.line_user_id
    return Claim(
        intent.send_id, intent.passage, intent.step, to, content_hash, intent.made_at, key_at=now, until=until
    )


def _resumed(
    intent: Intent, claim: Claim, gate: Gate, rules: Rules, situation: Situation, content: str, now: Instant
) -> Decision:
    """A claim without a record: what was asked of LINE may have happened, so nothing here may end as suppressed."""
    refused = judge(intent, _without(gate, intent.send_id), rules, situation, now)
    key_ends = claim.key_at + KEY_LIFE
    if refused is None and now < key_ends and claim.hash == content:
        again = msgspec.structs.replace(claim, attempt=claim.attempt + 1)
        return Decision(Allow(again, resumed=True), _claimed(intent, gate, again, now))
    if isinstance(refused, Wait) and refused.until < key_ends:
        return Decision(refused, _held(intent, gate, refused.until))
    reason = refused.reason if refused else ("key_expired" if now >= key_ends else "content_changed")
    ended = Ended("unknown", reason)
    return Decision(ended, _closed(claim, gate, ended))


def decide(
    intent: Intent, gate: Gate, rules: Rules, situation: Situation, content: str, now: Instant
) -> Decision:
    """The verdict on an intent whose rendered content has the hash `content`, and the gate to write for it."""
    claim = gate.claim(intent.send_id)
    windows = [dt.timedelta(seconds=cap.window_seconds) for cap in rules.caps]
    gate = pruned(gate, now, max([CONTACTS_KEPT, *windows]))
    if claim and claim.state != "open":
        return Decision(Ended(claim.state, claim.reason), gate)
    if claim:
        return _resumed(intent, claim, gate, rules, situation, content, now)
    if now >= intent.expires_at + CLAIM_OUTLIVES:
        # So late a claim may have been pruned, and what was claimed may have arrived.
        return Decision(Ended("unknown", "expired"), gate)
    refused = judge(intent, gate, rules, situation, now)
    if refused is None:
        new = _new_claim(intent, content, now)
        return Decision(Allow(new), _claimed(intent, gate, new, now))
    if isinstance(refused, Wait):
        return Decision(refused, _held(intent, gate, refused.until))
    return Decision(refused, _closed(_new_claim(intent, content, now), gate, refused))


def closed(gate: Gate, intent: Intent, content: str, ended: Ended, now: Instant) -> Gate:
    """The gate after an end that was decided outside it: a definite refusal gives its slot back."""
    claim = gate.claim(intent.send_id) or _new_claim(intent, content, now)
    return _closed(claim, gate, ended)


def unclaimed(gate: Gate, intent: Intent, claim: Claim) -> Gate:
    """The gate as before the claim: LINE refused the call, not the message. The same where another worker took it up."""
    return _without(gate, intent.send_id) if gate.claim(intent.send_id) == claim else gate
