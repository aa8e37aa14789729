"""What may not have reached LINE: copies, too much, at the wrong time, against somebody's word, on old news.

A worker decided at some instant between taking the message up and LINE's taking it in, by its own clock, under one of
the playbooks that were in force meanwhile. Only what was wrong at each of them is a violation.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator

from functions.domain.caps import period_end
from functions.domain.instants import in_daily_window
from functions.domain.playbook import Cap, Playbook
from functions.domain.sends import CLAIM_OUTLIVES
from tests.fakes.line import KEY_LIFE
from tests.simulation.witness import Acceptance
from tests.simulation.world import SimulatedWorld


def named(accepted: Acceptance) -> str:
    """Which message it was, and to whom."""
    intent = accepted.intent
    return f"{intent.send_id[:8]} ({intent.message}, {intent.source}/{intent.step}) to {accepted.user}"


def no_copies(world: SimulatedWorld) -> Iterator[str]:
    """The same step of the same passage counts as the same message for as long as its claim lives."""
    seen: dict[tuple[str, str, str], Acceptance] = {}
    for accepted in world.witness.accepted:
        key = accepted.user, accepted.intent.passage, accepted.intent.step
        earlier = seen.get(key)
        if earlier and accepted.at < earlier.intent.expires_at + CLAIM_OUTLIVES:
            yield f"two copies: {named(accepted)}, first at {earlier.at}, again at {accepted.at}"
        seen[key] = accepted


def no_cap_exceeded(world: SimulatedWorld) -> Iterator[str]:
    """Rolling, calendar and category caps, each as its playbook has it."""
    wrong = dt.timedelta(seconds=2 * world.faults.clocks_apart)
    by_user: dict[str, list[Acceptance]] = defaultdict(list)
    for accepted in world.witness.accepted:
        exceeded = [_exceeded(accepted, by_user[accepted.user], book, wrong) for book in accepted.books]
        if all(exceeded):
            yield f"cap {exceeded[-1]} exceeded: {named(accepted)} at {accepted.at}"
        by_user[accepted.user].append(accepted)


def _exceeded(accepted: Acceptance, earlier: list[Acceptance], book: Playbook, wrong: dt.timedelta) -> str:
    for cap in book.caps:
        if _counts(cap, accepted):
            inside = [one for one in earlier if _counts(cap, one) and _is_inside(cap, one, accepted, wrong)]
            if len(inside) >= cap.limit:
                return f"{cap.id} (after {len(inside)} others)"
    return ""


def _counts(cap: Cap, accepted: Acceptance) -> bool:
    intent = accepted.intent
    return intent.kind in cap.kinds and (not cap.categories or intent.category in cap.categories)


def _is_inside(cap: Cap, one: Acceptance, accepted: Acceptance, wrong: dt.timedelta) -> bool:
    """Whether the earlier message counts even if it went as early, and this one as late, as they can have."""
    if not cap.calendar:
        return accepted.at < one.begun_at + dt.timedelta(seconds=cap.window_seconds) - wrong
    if not accepted.zone:
        return False
    return accepted.at + wrong < period_end(cap.calendar, one.begun_at - wrong, accepted.zone)


def nothing_forbidden(world: SimulatedWorld) -> Iterator[str]:
    """Quiet and chosen hours, holdout, consent and open cases."""
    wrong = dt.timedelta(seconds=world.faults.clocks_apart)
    for one in world.witness.accepted:
        if all(_is_quiet(one, book, wrong) for book in one.books):
            yield f"in quiet hours: {named(one)} at {one.at}"
        if _is_outside_chosen(one, wrong):
            yield f"outside the hours chosen: {named(one)} at {one.at}"
        if one.held_out:
            yield f"held out: {named(one)}"
        refused = world.witness.refused_to(one)
        if refused:
            yield f"forbidden ({refused}): {named(one)} at {one.at}"


def _is_outside_chosen(one: Acceptance, wrong: dt.timedelta) -> bool:
    """Hours that somebody has chosen are for promotions."""
    if one.hours is None or one.intent.kind != "promotion" or not one.zone:
        return False
    instants = (one.begun_at - wrong, one.begun_at + wrong, one.at - wrong, one.at + wrong)
    return not any(in_daily_window(at, *one.hours, one.zone) for at in instants)


def _is_quiet(one: Acceptance, book: Playbook, wrong: dt.timedelta) -> bool:
    quiet = book.quiet_hours
    if not quiet or one.intent.kind not in quiet.kinds or not one.zone:
        return False
    instants = (one.begun_at - wrong, one.begun_at + wrong, one.at - wrong, one.at + wrong)
    return all(in_daily_window(at, quiet.start, quiet.end, one.zone) for at in instants)


def nothing_stale(world: SimulatedWorld) -> Iterator[str]:
    """What needs a source goes only while the source was heard of within its time."""
    wrong = dt.timedelta(seconds=2 * world.faults.clocks_apart)
    for one in world.witness.accepted:
        stale = [_stale(world, one, book, wrong) for book in one.books]
        if all(stale):
            yield f"while {stale[-1]} was stale: {named(one)} at {one.at}"


def _stale(world: SimulatedWorld, one: Acceptance, book: Playbook, wrong: dt.timedelta) -> str:
    intent, pinned = one.intent, world.playbooks.version(one.intent.playbook).playbook
    found = (
        (its.scenarios.get(intent.scenario) or its.campaigns.get(intent.campaign), its.sources)
        for its in (book, pinned)
    )
    source, sources = next(item for item in found if item[0] is not None)
    for name in source.needs if source else []:
        fresh = dt.timedelta(seconds=sources[name].fresh_seconds) if name in sources else dt.timedelta()
        since = one.begun_at - fresh - wrong
        if not any(told == name and since < at <= one.at for told, at in world.witness.heard):
            return name
    return ""


def nothing_expired(world: SimulatedWorld) -> Iterator[str]:
    """After its expiry no message is pushed for the first time."""
    wrong = dt.timedelta(seconds=world.faults.clocks_apart)
    for one in world.witness.accepted:
        if one.begun_at - wrong >= one.intent.expires_at:
            yield f"expired at {one.intent.expires_at}: {named(one)} at {one.at}"


def no_old_keys(world: SimulatedWorld) -> Iterator[str]:
    """LINE knows a retry key for 24 hours from the call that it may have accepted; after that nobody uses it."""
    for key, attempts in world.witness.attempts.items():
        begun = next((one.at for one in attempts if not one.refused), None)
        if begun is not None and attempts[-1].at >= begun + KEY_LIFE:
            yield f"retry key {key[:8]} used at {begun}, and again at {attempts[-1].at}"


def one_content_a_key(world: SimulatedWorld) -> Iterator[str]:
    """Every attempt says the same."""
    for key, attempts in world.witness.attempts.items():
        unsure = [one.content for one in attempts if not one.refused]
        if len(set(unsure)) > 1:
            yield f"retry key {key[:8]} was used for {len(set(unsure))} different contents"
