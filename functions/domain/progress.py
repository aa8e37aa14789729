"""What customers come to: journeys hear events, move with time, and intend messages."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from functions.domain import playbook as pb
from functions.domain.compiled import Compiled
from functions.domain.context import Context, fact_value
from functions.domain.customers import SEEN_KEPT, Customer, folded, in_order, next_due, rebuilt
from functions.domain.events import Event, Scalar
from functions.domain.experiments import variant_of
from functions.domain.instants import Instant
from functions.domain.journeys import (
    Cause,
    Journey,
    asked_anew,
    ended,
    entered,
    is_kept_out,
    kept,
    making_way,
    may_enter,
)
from functions.domain.memberships import baselined, evaluated, is_due
from functions.domain.menus import wishing
from functions.domain.migration import migrated
from functions.domain.profiles import JOURNEY, Profile, Register, later
from functions.domain.sends import EXPIRES_MAX, Intent, send_id_of, with_overtaken
from functions.domain.tracking import SegmentChange
from functions.domain.walk import (
    Answers,
    Deed,
    Emission,
    Exposure,
    Setting,
    Showing,
    Tagging,
    advance,
    heard,
)

Versions = Mapping[str, Compiled]
"""Playbook version → playbook; holds every version that an active journey is pinned to, and the one that the
memberships are kept under."""

STOPS_MAX = 1000
"""So many instants are visited one by one on the way to now; a customer who was not looked at for longer jumps."""


class _Course(NamedTuple):
    """What a change goes by: the playbook in force, those of the journeys, the account, and the time."""

    current: Compiled
    versions: Versions
    account: str
    now: Instant


def take_in(
    customer: Customer,
    events: Iterable[Event],
    current: Compiled,
    versions: Versions,
    account: str,
    now: Instant,
) -> Customer:
    """The customer after new events, live: folded, heard by the journeys, with the intents that follow.

    Before an event is folded, journeys and memberships are moved to where they stood when it happened.
    """
    course = _Course(current, {**versions, current.version: current}, account, now)
    for event in in_order(events):
        customer = _moved(customer, course, min(event.occurred_at, now))
        customer = _heard(folded(customer, [event], current), event, course)
    return _moved(customer, course, now)


def take_in_again(
    customer: Customer,
    history: Sequence[Event],
    current: Compiled,
    versions: Versions,
    account: str,
    now: Instant,
    *,
    quietly: bool = False,
) -> Customer:
    """The customer with the whole history folded anew, where it is unsure whether an old event was ever folded.

    Journeys hear what is not among the newest and did not come as history; what one of them started from once it
    does not start from again. `quietly`: history came, or the dictionary is another, and what follows from that alone
    is no entering.
    """
    course = _Course(current, {**versions, current.version: current}, account, now)
    unheard = [event for event in in_order(history) if not customer.has_seen(event) and not event.imported]
    if quietly or not unheard:
        customer = _quietly_rebuilt(customer, history, course)
    if not unheard:
        return _moved(customer, course, now)
    customer = _moved(customer, course, min(unheard[0].occurred_at, now))
    # All that follows from the unheard events follows at the newest of them, for together they are folded.
    customer = rebuilt(customer, history, current)
    customer = _renewed(customer, course, unheard[-1].occurred_at)
    for event in unheard:
        customer = _moved(customer, course, min(event.occurred_at, now))
        customer = _heard(customer, event, course)
    return _moved(customer, course, now)


def _quietly_rebuilt(customer: Customer, history: Sequence[Event], course: _Course) -> Customer:
    """The customer with all of the history but what came live and was never folded, and member of all that follows.

    What another worker has kept and not yet folded is among the newest kept.
    """
    newest = [event for event in history if not event.imported][-SEEN_KEPT:]
    live = {event.identity for event in newest if not customer.has_seen(event)}
    known = [event for event in history if event.identity not in live]
    folded_anew = rebuilt(customer, known, course.current)
    if folded_anew.profile == customer.profile:
        return folded_anew
    return baselined(folded_anew, course.current, (), course.now)


def moved_on(
    customer: Customer,
    current: Compiled,
    versions: Versions,
    account: str,
    now: Instant,
    *,
    until: Instant | None = None,
) -> Customer:
    """The customer with every journey and membership as far as time (`until`; now, unless told) and profile take it.

    The intents that follow stand in the outbox.
    """
    course = _Course(current, {**versions, current.version: current}, account, now)
    return _moved(customer, course, now if until is None else until)


def refreshed(
    customer: Customer,
    current: Compiled,
    versions: Versions,
    account: str,
    now: Instant,
    starts: Iterable[str],
    asked_at: Instant,
) -> Customer:
    """The customer under the playbook in force. Who is in one of the segments `starts` (hashes) counts as having entered
    it at `asked_at`, once."""
    course = _Course(current, {**versions, current.version: current}, account, now)
    customer = _moved(customer, course, now)
    changes = [
        SegmentChange(key, current.tracked[key].names, "entered", asked_at, asked_at)
        for key in starts
        if key in customer.segments and key in current.tracked
    ]
    return _moved(_entering(customer, changes, course), course, now)


def _moved(customer: Customer, course: _Course, end: Instant) -> Customer:
    """Each instant on the way has its own turn, so that what follows from it happens before what comes later."""
    customer = _migrated(customer, course)
    if customer.segments_of != course.current.version:
        kept_under = course.versions.get(customer.segments_of)
        customer = baselined(customer, course.current, kept_under.tracked if kept_under else (), end)
    for _ in range(STOPS_MAX):
        stop = next_due(customer)
        if stop is None or stop >= end:
            break
        customer = _settled(customer, course, stop)
    return _settled(customer, course, end)


def _migrated(customer: Customer, course: _Course) -> Customer:
    zone, versions = customer.profile.zone, course.versions
    journeys = [in_force(one, course.current, versions, zone, course.now) for one in customer.journeys]
    return msgspec.structs.replace(customer, journeys=journeys)


def in_force(journey: Journey, current: Compiled, versions: Versions, zone: str, now: Instant) -> Journey:
    """The journey in the version in force, where its scenario there takes in what runs already."""
    new = current.playbook.scenarios.get(journey.scenario)
    if new is None or not journey.active or journey.version == current.version:
        return journey
    old = versions[journey.version].playbook.scenarios[journey.scenario]
    return migrated(journey, old, new, current.version, zone, now)


def _heard(customer: Customer, event: Event, course: _Course) -> Customer:
    customer = _enter(_hear(customer, event, course.versions), event, course.current, course.now)
    customer = _renewed(customer, course, event.occurred_at)
    return _settled(customer, course, min(event.occurred_at, course.now))


def _renewed(customer: Customer, course: _Course, since: Instant) -> Customer:
    """The customer with the memberships that follow from what happened at `since`, and the journeys that start so."""
    customer, changes = evaluated(customer, course.current, min(since, course.now), since)
    return _entering(customer, changes, course)


def _settled(customer: Customer, course: _Course, at: Instant) -> Customer:
    """The customer after all that follows at one instant: journeys move, tag, and so change memberships, which start
    journeys, which move.

    This ends: a scenario starts from a segment at most once an instant, so that each round but the last takes one away.
    """
    for _ in range(len(course.current.playbook.scenarios) + 1):
        profile = customer.profile
        customer = _with_journeys_moved(customer, course, at)
        if customer.profile is profile and not is_due(customer, at):
            return customer
        customer, changes = evaluated(customer, course.current, at)
        before = customer.journeys
        customer = _entering(customer, changes, course)
        if customer.journeys == before:
            return customer
    raise AssertionError("a scenario was started twice at one instant")


def _entering(customer: Customer, changes: Iterable[SegmentChange], course: _Course) -> Customer:
    for change in changes:
        customer = _enter(customer, change, course.current, course.now)
    return customer


def _hear(customer: Customer, event: Event, versions: Versions) -> Customer:
    journeys = [
        heard(journey, versions[journey.version].playbook.scenarios[journey.scenario], event)
        if journey.active
        else journey
        for journey in customer.journeys
    ]
    return msgspec.structs.replace(customer, journeys=journeys)


def _enter(customer: Customer, cause: Cause, current: Compiled, now: Instant) -> Customer:
    """One cause may start several journeys: the better rank goes first, and keeps out or replaces what comes after."""
    journeys = list(customer.journeys)
    scenarios = current.playbook.scenarios
    for name in sorted(scenarios, key=lambda name: (scenarios[name].rank, name)):
        scenario = scenarios[name]
        if not may_enter(scenario, name, journeys, cause, now) or is_kept_out(scenario, journeys):
            continue
        if not current.holds(scenario.entry.when, customer.profile, now):
            continue
        if _finish(scenario, current, customer.profile, now):
            continue
        begun = entered(name, current.version, customer.customer_id, journeys, cause)
        journeys = [*making_way(scenario, journeys, now), begun]
    return msgspec.structs.replace(customer, journeys=journeys)


def _finish(scenario: pb.Scenario, compiled: Compiled, profile: Profile, now: Instant) -> str:
    """`goal` or `exited` where the scenario's own conditions end a journey now; empty where it goes on."""
    if scenario.goal is not None and compiled.holds(scenario.goal, profile, now):
        return "goal"
    return "exited" if compiled.stops(scenario.exit, profile, now) else ""


def _with_journeys_moved(customer: Customer, course: _Course, until: Instant) -> Customer:
    """Round by round, for what one journey sets may be what another one waits for.

    Each round but the last takes a step that sets something, so that there are no more of them than steps.
    """
    versions = course.versions
    rounds = 1 + sum(
        len(versions[journey.version].playbook.scenarios[journey.scenario].steps)
        for journey in customer.journeys
        if journey.active
    )
    for _ in range(rounds):
        profile = customer.profile
        for number, journey in enumerate(customer.journeys):
            if journey.active:
                customer = _move(
                    customer, number, versions[journey.version], course.account, course.now, until
                )
        if customer.profile is profile:
            return msgspec.structs.replace(customer, journeys=kept(customer.journeys, course.now))
    raise AssertionError("journeys set things without end")


def _move(
    customer: Customer,
    number: int,
    compiled: Compiled,
    account: str,
    now: Instant,
    until: Instant,
) -> Customer:
    """The customer with one of its journeys moved on, and all that this one did on its way."""
    journey, profile = customer.journeys[number], customer.profile
    scenario = compiled.playbook.scenarios[journey.scenario]
    finished = _finish(scenario, compiled, profile, now)
    if finished:
        over = ended(journey, "goal" if finished == "goal" else "exited", now)
        return _with_journey(customer, number, over)
    deeds: list[Deed] = []
    answers = _answers(customer, journey, deeds, compiled, now)
    moved = advance(journey, scenario, answers, profile.zone, now, until=until, done=deeds)
    intents = [
        _intent(customer, journey, deed, compiled, account, now)
        for deed in deeds
        if isinstance(deed, Emission)
    ]
    return _intending(_with_journey(_done(customer, journey, deeds), number, moved.journey), intents)


def _done(customer: Customer, journey: Journey, deeds: Sequence[Deed]) -> Customer:
    """The customer after what a journey did, but for what it sends."""
    for deed in deeds:
        if isinstance(deed, Showing):
            customer = wishing(customer, deed, journey.journey_id)
    changed_at = max((deed.due for deed in deeds if isinstance(deed, Tagging | Setting)), default=None)
    journeys = customer.journeys
    if changed_at is not None:
        journeys = [asked_anew(other, changed_at) for other in journeys]
    return msgspec.structs.replace(
        customer,
        journeys=journeys,
        profile=_with_deeds(customer.profile, journey, deeds),
        assignments=_with_exposures(customer.assignments, deeds),
    )


def _with_journey(customer: Customer, number: int, journey: Journey) -> Customer:
    journeys = [*customer.journeys[:number], journey, *customer.journeys[number + 1 :]]
    return msgspec.structs.replace(customer, journeys=journeys)


def _answers(
    customer: Customer, journey: Journey, deeds: Sequence[Deed], compiled: Compiled, now: Instant
) -> Answers:
    """What the customer says to the journey's questions, with all that the journey did in this very move."""

    def profile() -> Profile:
        return _with_deeds(customer.profile, journey, deeds)

    def holds_from(tree: pb.Expression, start: Instant) -> Instant | None:
        known = profile()
        return start if compiled.holds(tree, known, start) else compiled.next_change(tree, known, start)

    def variant(split: pb.Split) -> str:
        experiment = compiled.playbook.experiments[split.experiment]
        return variant_of(split, experiment, customer.assignments, customer.unit)

    return Answers(lambda tree: compiled.holds(tree, profile(), now), holds_from, variant)


def _with_deeds(profile: Profile, journey: Journey, deeds: Iterable[Deed]) -> Profile:
    """The profile with the tags and attributes that a journey set and took away; a later step of it wins."""
    tags, attributes = profile.tags, profile.attributes
    for deed in deeds:
        if not isinstance(deed, Tagging | Setting):
            continue
        value = not deed.remove if isinstance(deed, Tagging) else deed.value
        register = Register(value, deed.due, f"{JOURNEY}{journey.journey_id}:{deed.number:04}")
        if isinstance(deed, Tagging):
            tags = {**tags, deed.tag: later(tags.get(deed.tag), register)}
        else:
            attributes = {**attributes, deed.name: later(attributes.get(deed.name), register)}
    if tags is profile.tags and attributes is profile.attributes:
        return profile
    return msgspec.structs.replace(profile, tags=tags, attributes=attributes)


def _with_exposures(assignments: dict[str, str], deeds: Iterable[Deed]) -> dict[str, str]:
    """At the first exposure the variant is written down: changed weights and a later linking move nobody."""
    exposures = {deed.experiment: deed.variant for deed in deeds if isinstance(deed, Exposure)}
    return {**assignments, **exposures}


def _intending(customer: Customer, intents: Sequence[Intent]) -> Customer:
    counts = Counter(customer.intended)
    counts.update(intent.source for intent in intents)
    return msgspec.structs.replace(
        customer, outbox=with_overtaken([*customer.outbox, *intents]), intended=dict(counts)
    )


def _intent(
    customer: Customer, journey: Journey, emission: Emission, compiled: Compiled, account: str, now: Instant
) -> Intent:
    step, scenario = emission.step, compiled.playbook.scenarios[journey.scenario]
    message = compiled.playbook.messages[step.message]
    user, occurrence = customer.line_user_id, str(journey.occurrence)
    return Intent(
        send_id=send_id_of(account, journey.scenario, journey.journey_id, step.name, user, occurrence),
        customer_id=customer.customer_id,
        line_user_id=user,
        kind=message.kind,
        source=journey.scenario,
        journey=journey.journey_id,
        step=step.name,
        occurrence=occurrence,
        message=step.message,
        message_hash=message.hash,
        playbook=compiled.version,
        rank=scenario.rank,
        made_at=now,
        expires_at=min(now + EXPIRES_MAX, now + step_expiry(step)),
        values=frozen_values(message, customer.profile, compiled.context, now),
        scenario=journey.scenario,
        variant=emission.variant,
        hold_seconds_max=step.hold_seconds_max,
        category=message.category,
        due_at=emission.due,
    )


def step_expiry(step: pb.Send) -> dt.timedelta:
    """How long after its making a step's message may still be pushed."""
    return dt.timedelta(seconds=step.expires_seconds)


def frozen_values(message: pb.Message, profile: Profile, context: Context, now: Instant) -> dict[str, object]:
    """What the message's variables stand for, for good: facts for its slots, attributes, else what it falls back to."""
    values: dict[str, object] = {}
    for name, fallback in message.fallbacks.items():
        slot = message.slots.get(name)
        known = profile.attribute(name) if slot is None else slot_value(slot, profile, context, now)
        values[name] = fallback if known is None else known
    return values


def slot_value(slot: pb.Slot, profile: Profile, context: Context, now: Instant) -> Scalar | None:
    """What the context says under the slot's key, or under the key that the customer's attribute holds; None if nothing."""
    key = profile.attribute(slot.by) if slot.by else slot.key
    return fact_value(context, slot.context, key, now) if isinstance(key, str) else None
