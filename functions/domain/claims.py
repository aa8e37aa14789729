"""Claims: the gate as it must be written for a verdict, so that no other attempt can push the same message again."""

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


Verdict = Allow | Wait | Ended


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
    intent: Intent, gate: Gate, rules: Rules, situation: Situation, content: str, now: Instant
) -> Decision:
    """The verdict on an intent whose rendered content has the hash `content`, and the gate to write for it."""
    claim = gate.claim(intent.send_id)
    gate = pruned(gate, now, max([CONTACTS_KEPT, *map(longest_window, rules.caps)]))
    if claim and claim.state != "open":
        return Decision(Ended(claim.state, claim.reason), gate)
    if claim:
        return _resumed(intent, claim, gate, rules, situation, content, now)
    if now >= intent.expires_at + CLAIM_OUTLIVES:
        # So late a claim may have been pruned, and what was claimed may have arrived.
        return Decision(Ended("unknown", "expired"), gate)
    refused = judge(intent, gate, rules, situation, now)
    if isinstance(refused, Wait):
        return Decision(refused, _held(intent, gate, refused))
    facts, new = facts_of(intent, gate, rules, situation, now, refused), _new_claim(intent, content, now)
    if refused is None:
        return Decision(Allow(new), _claimed(intent, gate, new, now), facts)
    return Decision(refused, _closed(new, gate, refused), facts)


def closed(gate: Gate, intent: Intent, content: str, ended: Ended, now: Instant) -> Gate:
    """The gate after an end that was decided outside it: a definite refusal gives its slot back."""
    claim = gate.claim(intent.send_id) or _new_claim(intent, content, now)
    return _closed(claim, gate, ended)


def unclaimed(gate: Gate, intent: Intent, claim: Claim) -> Gate:
    """The gate as before the claim: LINE refused the call, not the message. The same where another worker took it up."""
    return _without(gate, intent.send_id) if gate.claim(intent.send_id) == claim else gate
