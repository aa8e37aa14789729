"""What the gate says to an intent: the one pure decision of the send protocol."""

import datetime as dt
from typing import Literal

import msgspec

from functions.domain.account import STOPS, Block
from functions.domain.arbitration import Upcoming, yields_until
from functions.domain.caps import counts, first_refusal
from functions.domain.gate import Gate, may_have_arrived
from functions.domain.instants import Instant
from functions.domain.playbook import Cap, Kind, QuietHours
from functions.domain.quiet_hours import ChosenHours, chosen_until, quiet_until
from functions.domain.reasons import Refusal, is_refusal, reason_text
from functions.domain.sends import Intent

STALE_RECHECK = dt.timedelta(minutes=15)
STALE_RECHECK_LATER = dt.timedelta(hours=1)
STALE_LATER = dt.timedelta(hours=4)
"""How often a waiting message is asked again whether its sources were heard of, at first and after so long, counted from
its making: whatever copies there are of it come up at the same instants, and become one again."""
RECHECK_MIN = dt.timedelta(minutes=15)
RECHECK_MAX = dt.timedelta(hours=6)
"""A block may be lifted before it ends: what it holds asks again after as long as it has waited, within these."""


class Rules(msgspec.Struct, frozen=True):
    """The account's rules in force, always those of the newest playbook."""

    caps: list[Cap]
    quiet_hours: QuietHours | None
    consent: dict[Kind, list[str]]
    exclusions: dict[str, list[Kind]]


class Situation(msgspec.Struct, frozen=True):
    """What is true of the customer and the account beside the gate, at the instant of the decision.

    `eligible`: on what is confirmed; `confirmed`: nothing provisional would end it either. `excluded` names the rules of
    the playbook that exclude this customer from this kind, `stale` the sources that are needed and not fresh. `blocks`
    are those that concern the intent (`Block.concerns`); `chosen_hours`: when the customer wishes to hear of promotions.
    """

    eligible: bool
    zone: str
    upcoming: list[Upcoming] = []
    blocks: list[Block] = []
    switched_off: bool = False
    confirmed: bool = True
    excluded: list[str] = []
    holdout: bool = False
    stale: list[str] = []
    chosen_hours: ChosenHours | None = None


class Wait(msgspec.Struct, frozen=True):
    """Not now: decide again at `until`."""

    until: Instant
    reason: str


class Ended(msgspec.Struct, frozen=True):
    """Not at all. `unknown` where an earlier attempt may have arrived; a suppression has a reason of the closed list."""

    outcome: Literal["suppressed", "failed", "unknown"]
    reason: str

    def __post_init__(self) -> None:
        if self.outcome == "suppressed" and not is_refusal(self.reason):
            raise ValueError(f"{self.reason!r} is no reason to suppress a message; add it to the closed list")


def judge(
    intent: Intent, gate: Gate, rules: Rules, situation: Situation, now: Instant
) -> Wait | Ended | None:
    """Why this intent may not be pushed now; None where it may. Knows nothing of the intent's own claim.

    First what forbids it for good, then what lets it wait. Held out is only who would otherwise have got it.
    """
    return (
        _forbidden(intent, gate, rules, situation, now)
        or _blocked(intent, situation, now)
        or _stale(intent, situation, now)
        or _quiet(intent, rules, situation, now)
        or _capped(intent, gate, rules, situation, now)
        or _outranked(intent, gate, rules, situation, now)
    )


def suppressed(refusal: Refusal, detail: str = "") -> Ended:
    """Not sent, for a reason of the closed list."""
    return Ended("suppressed", reason_text(refusal, detail))


def _until(intent: Intent, until: Instant, refusal: Refusal) -> Wait | Ended:
    """A refusal that ends while the intent lives is a hold."""
    return Wait(until, refusal) if until < intent.expires_at else suppressed(refusal)


def _forbidden(intent: Intent, gate: Gate, rules: Rules, situation: Situation, now: Instant) -> Ended | None:
    if now >= intent.expires_at:
        return suppressed("expired")
    if situation.switched_off or intent.called_off:
        return suppressed("stopped")
    if not gate.reaches(intent.line_user_id):
        return suppressed("unreachable")
    if _consent_missing(intent, gate, rules):
        return suppressed("no_consent")
    excluded = [*open_cases(intent, gate, rules), *situation.excluded]
    if excluded:
        return suppressed("excluded", excluded[0])
    if not situation.eligible:
        return suppressed("no_longer_eligible")
    if not situation.confirmed:
        return suppressed("not_confirmed")
    if _replaced(intent, gate):
        return suppressed("outranked")
    return suppressed("holdout") if situation.holdout else None


def _consent_missing(intent: Intent, gate: Gate, rules: Rules) -> bool:
    """A withdrawal counts, of a purpose, of the kind, of the message's category or of everything."""
    purposes = rules.consent.get(intent.kind, [])
    known = {name: bool(register.value) for name, register in gate.consent.items()}
    if any(known.get(name) is False for name in purposes_heeded(intent, rules)):
        return True
    return bool(purposes) and not any(known.get(name) for name in purposes)


def purposes_heeded(intent: Intent, rules: Rules) -> list[str]:
    """The purposes whose withdrawal stops this message."""
    return [*rules.consent.get(intent.kind, []), intent.kind, intent.category, "all"]


def open_cases(intent: Intent, gate: Gate, rules: Rules) -> list[str]:
    """The exclusion flags with an open case that stop messages of this kind."""
    return [flag for flag in gate.open_flags() if intent.kind in rules.exclusions.get(flag, [])]


def _replaced(intent: Intent, gate: Gate) -> bool:
    """A later step of the same journey has come up meanwhile, or the same step was claimed before a merge."""
    if intent.overtaken:
        return True
    mine = [claim for claim in gate.claims if claim.passage == intent.passage]
    said_later = [claim.made_at for claim in mine if may_have_arrived(claim)]
    held_later = [hold.made_at for hold in gate.holds if hold.passage == intent.passage]
    if any(made_at > intent.made_at for made_at in (*said_later, *held_later)):
        return True
    return any(claim.step == intent.step and claim.to == intent.line_user_id for claim in mine)


def _blocked(intent: Intent, situation: Situation, now: Instant) -> Wait | Ended | None:
    """Of several blocks the one that lasts longest. What would not outlive it waits all the same, and asks for the last
    time shortly before its own end."""
    blocks = [block for block in situation.blocks if block.until > now]
    if not blocks:
        return None
    last = max(blocks, key=lambda block: block.until)
    latest = last.until if last.until < intent.expires_at else intent.expires_at - RECHECK_MIN
    until = min(_on_grid(intent, now + _recheck(intent, last.reason, now)), latest)
    return Wait(until, last.reason) if until > now else suppressed(last.reason)


def _recheck(intent: Intent, reason: str, now: Instant) -> dt.timedelta:
    """How long until it is asked again: as long as it has waited for this reason, so that each wait doubles the whole."""
    waited = now - intent.holds[-1].at if intent.holds and intent.holds[-1].reason == reason else RECHECK_MIN
    return min(max(waited, RECHECK_MIN), RECHECK_MAX)


def _on_grid(intent: Intent, at: Instant) -> Instant:
    """The next quarter of an hour from the intent's making: whatever copies there are of it, made by crashes a little
    apart, come up together, and become one again."""
    return intent.made_at - (intent.made_at - at) // RECHECK_MIN * RECHECK_MIN


def _stale(intent: Intent, situation: Situation, now: Instant) -> Wait | Ended | None:
    if not situation.stale:
        return None
    waited = max(dt.timedelta(), now - intent.made_at)
    step = STALE_RECHECK if waited < STALE_LATER else STALE_RECHECK_LATER
    return _until(intent, intent.made_at + (waited // step + 1) * step, "stale_data")


def _quiet(intent: Intent, rules: Rules, situation: Situation, now: Instant) -> Wait | Ended | None:
    """The account's quiet hours, and the customer's own: where one ends within the other, it waits again."""
    until = quiet_until(rules.quiet_hours, intent.kind, situation.zone, now)
    until = until or chosen_until(situation.chosen_hours, intent.kind, situation.zone, now)
    return _until(intent, until, "quiet_hours") if until else None


def _capped(
    intent: Intent, gate: Gate, rules: Rules, situation: Situation, now: Instant
) -> Wait | Ended | None:
    refused = first_refusal(rules.caps, gate.contacts, intent.kind, intent.category, situation.zone, now)
    if refused is None:
        return None
    cap, opens = refused
    return _hold_or_end(intent, opens, cap.hold_seconds_max, now, reason_text("capped", cap.id))


def _hold_or_end(intent: Intent, opens: Instant, seconds_max: int, now: Instant, reason: str) -> Wait | Ended:
    """A refusal that is over soon enough is held, not dropped. The intent's own patience goes before the cap's."""
    if intent.hold_seconds_max is not None:
        seconds_max = intent.hold_seconds_max
    if opens < intent.expires_at and opens - now <= dt.timedelta(seconds=seconds_max):
        return Wait(opens, reason)
    return Ended("suppressed", reason)


def _outranked(
    intent: Intent, gate: Gate, rules: Rules, situation: Situation, now: Instant
) -> Wait | Ended | None:
    """Whether sending now would take from something better, that is held or foreseen, a slot that it needs."""
    mine = Upcoming(now, intent.kind, intent.rank, intent.category)
    until = yields_until(
        mine, better_ones(intent, gate, rules, situation, now), gate.contacts, rules.caps, situation.zone
    )
    if until is None:
        return None
    patience = max(cap.hold_seconds_max for cap in rules.caps if counts(cap, intent.kind, intent.category))
    return _hold_or_end(intent, until, patience, now, "outranked")


def better_ones(
    intent: Intent, gate: Gate, rules: Rules, situation: Situation, now: Instant
) -> list[Upcoming]:
    """What is held or foreseen for this customer and goes before the intent, each when quiet hours let it. What is
    stopped takes nobody's place: nobody knows when it goes."""
    held = [
        Upcoming(hold.until, hold.kind, hold.rank, hold.category)
        for hold in gate.holds
        if hold.reason not in STOPS
    ]
    found = []
    for one in (*held, *situation.upcoming):
        if one.rank < intent.rank:
            at = max(one.at, now)
            at = quiet_until(rules.quiet_hours, one.kind, situation.zone, at) or at
            found.append(msgspec.structs.replace(one, at=at))
    return found
