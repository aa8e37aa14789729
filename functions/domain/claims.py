"""Claims: the gate as it must be written for a verdict, so that no other attempt can push the same message again."""

import datetime as dt

import msgspec

from functions.domain.caps import longest_window
from functions.domain.gate import CONTACTS_KEPT, Claim, Contact, Gate, Hold, pruned
from functions.domain.instants import Instant
from functions.domain.sends import CLAIM_OUTLIVES, KEY_LIFE, Intent
from functions.domain.trace import Facts, facts_of
from functions.domain.verdicts import Ended, Rules, Situation, Wait, judge


class Allow(msgspec.Struct, frozen=True):
    """Claimed: push it. `resumed`: an earlier attempt may have gone unanswered."""

    claim: Claim
    resumed: bool = False


class Elsewhere(msgspec.Struct, frozen=True):
    """Another order has claimed it, a batch or a message of its own, and brings it to its end."""


class LeftOut(msgspec.Struct, frozen=True):
    """Claimed for this batch, which is not sealed yet, and no longer allowed: the seal is to be made without it."""


Verdict = Allow | Wait | Ended | Elsewhere | LeftOut


class Decision(msgspec.Struct, frozen=True):
    """The verdict, the gate as it must be written before anything follows from it, and what the verdict rested on.

    There are no facts of a wait, which decides nothing yet, nor of what had ended before.
    """

    verdict: Verdict
    gate: Gate
    facts: Facts = {}


def _without(gate: Gate, send_id: str) -> Gate:
    """The gate as if this intent had never been claimed, counted or held."""
    return msgspec.structs.replace(
        gate,
        contacts=[contact for contact in gate.contacts if contact.send_id != send_id],
        claims=[claim for claim in gate.claims if claim.send_id != send_id],
        holds=[hold for hold in gate.holds if hold.send_id != send_id],
    )


def _held(intent: Intent, gate: Gate, wait: Wait) -> Gate:
    hold = Hold(
        intent.send_id,
        intent.kind,
        intent.rank,
        wait.until,
        intent.passage,
        intent.made_at,
        wait.reason,
        intent.category,
    )
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
    contact = Contact(intent.send_id, intent.kind, now, intent.category)
    return msgspec.structs.replace(rest, claims=[*rest.claims, claim], contacts=[*rest.contacts, contact])


def _new_claim(intent: Intent, content_hash: str, now: Instant, batch: str = "") -> Claim:
    return Claim(
        intent.send_id,
        intent.passage,
        intent.step,
        intent.line_user_id,
        content_hash,
        intent.made_at,
        key_at=now,
        until=intent.expires_at + CLAIM_OUTLIVES,
        batch=batch,
    )


def _resumed(
    intent: Intent, claim: Claim, gate: Gate, rules: Rules, situation: Situation, content: str, now: Instant
) -> Decision:
    """A claim without a record: what was asked of LINE may have happened, so nothing here may end as suppressed."""
    rest = _without(gate, intent.send_id)
    refused = judge(intent, rest, rules, situation, now)
    key_ends = claim.key_at + KEY_LIFE
    if isinstance(refused, Wait) and refused.until < key_ends:
        return Decision(refused, _held(intent, gate, refused))
    facts = facts_of(intent, rest, rules, situation, now, refused)
    if refused is None and now < key_ends and claim.hash == content:
        again = msgspec.structs.replace(claim, attempt=claim.attempt + 1)
        return Decision(Allow(again, resumed=True), _claimed(intent, gate, again, now), facts)
    reason = refused.reason if refused else ("key_expired" if now >= key_ends else "content_changed")
    ended = Ended("unknown", reason)
    return Decision(ended, _closed(claim, gate, ended), facts)


def decide(
    intent: Intent,
    gate: Gate,
    rules: Rules,
    situation: Situation,
    content: str,
    now: Instant,
    batch: str = "",
) -> Decision:
    """The verdict on an intent whose rendered content has the hash `content`, and the gate to write for it.

    `batch`: decide for this multicast batch, which nobody has sealed yet, so that nothing was asked of LINE for it.
    """
    claim = gate.claim(intent.send_id)
    kept = pruned(gate, now, max([CONTACTS_KEPT, *map(longest_window, rules.caps)]))
    if claim and claim.state != "open":
        return Decision(Ended(claim.state, claim.reason), gate)
    if claim and claim.batch != batch:
        return Decision(Elsewhere(), gate)
    if claim and batch:
        return _reconsidered(intent, claim, kept, gate, rules, situation, now)
    if claim:
        return _resumed(intent, claim, kept, rules, situation, content, now)
    return _decided_first(intent, kept, rules, situation, _new_claim(intent, content, now, batch), now)


def _decided_first(
    intent: Intent, gate: Gate, rules: Rules, situation: Situation, new: Claim, now: Instant
) -> Decision:
    """Nobody has claimed it, as far as the gate knows."""
    if now >= intent.expires_at + CLAIM_OUTLIVES:
        # So late a claim may have been pruned, and what was claimed may have arrived.
        return Decision(Ended("unknown", "expired"), gate)
    refused = judge(intent, gate, rules, situation, now)
    if isinstance(refused, Wait):
        return Decision(refused, _held(intent, gate, refused))
    facts = facts_of(intent, gate, rules, situation, now, refused)
    if refused is None:
        return Decision(Allow(new), _claimed(intent, gate, new, now), facts)
    return Decision(refused, _closed(new, gate, refused), facts)


def _reconsidered(
    intent: Intent,
    claim: Claim,
    kept: Gate,
    gate: Gate,
    rules: Rules,
    situation: Situation,
    now: Instant,
) -> Decision:
    """Claimed for a batch that was not sealed: a worker is gone, or works beside this one. Nothing was pushed yet, but
    the other may seal and push with this claim in hand: it is renewed or left as it is, never ended."""
    rest = _without(kept, intent.send_id)
    refused = judge(intent, rest, rules, situation, now)
    if refused is not None:
        return Decision(LeftOut(), gate)
    again = msgspec.structs.replace(claim, attempt=claim.attempt + 1)
    facts = facts_of(intent, rest, rules, situation, now, None)
    return Decision(Allow(again), _claimed(intent, kept, again, now), facts)


def decide_sealed(
    intent: Intent, gate: Gate, rules: Rules, situation: Situation, batch: str, now: Instant
) -> Decision:
    """Whether a member of a sealed batch may still get it: allowed, with the contact moved to now, or why not.

    Its gate is to be written only where every member is allowed: a batch goes whole, or not at all.
    """
    claim = gate.claim(intent.send_id)
    if claim is None or claim.batch != batch or claim.state != "open":
        state = claim.reason if claim and claim.state != "open" else "claim_lost"
        return Decision(Ended("unknown", state), gate)
    rest = _without(gate, intent.send_id)
    refused = judge(intent, rest, rules, situation, now)
    if refused is not None:
        return Decision(refused, gate)
    if now >= claim.key_at + KEY_LIFE:
        return Decision(Ended("unknown", "key_expired"), gate)
    again = msgspec.structs.replace(claim, attempt=claim.attempt + 1)
    facts = facts_of(intent, rest, rules, situation, now, None)
    return Decision(Allow(again, resumed=True), _claimed(intent, gate, again, now), facts)


def key_ends_at(gate: Gate, send_id: str) -> Instant:
    """When the retry key of this claim is no longer to be used; at once where there is no claim."""
    claim = gate.claim(send_id)
    return claim.key_at + KEY_LIFE if claim else dt.datetime.min.replace(tzinfo=dt.UTC)


def closed(gate: Gate, intent: Intent, content: str, ended: Ended, now: Instant) -> Gate:
    """The gate after an end that was decided outside it: a definite refusal gives its slot back."""
    claim = gate.claim(intent.send_id) or _new_claim(intent, content, now)
    return _closed(claim, gate, ended)


def unclaimed(gate: Gate, intent: Intent, claim: Claim) -> Gate:
    """The gate as before the claim: LINE refused the call, not the message. The same where another worker took it up."""
    return _without(gate, intent.send_id) if gate.claim(intent.send_id) == claim else gate


def released(gate: Gate, intent: Intent, batch: str) -> Gate:
    """The gate as if it had never been claimed for this batch, which is void or was sealed without it."""
    claim = gate.claim(intent.send_id)
    mine = claim is not None and claim.batch == batch and claim.state == "open"
    return _without(gate, intent.send_id) if mine else gate
