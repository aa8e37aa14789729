"""What customers come to: journeys hear events, move with time, and intend messages."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from functions.domain import playbook as pb
from functions.domain.compiled import Compiled
from functions.domain.context import Context, fact_value
from functions.domain.customers import Customer, folded, in_order, rebuilt
from functions.domain.events import Event, Scalar
from functions.domain.experiments import variant_of
from functions.domain.instants import Instant
from functions.domain.journeys import Journey, ended, entered, is_kept_out, kept, making_way, may_enter
from functions.domain.menus import wishing
from functions.domain.migration import migrated
from functions.domain.profiles import JOURNEY, Profile, Register, later
from functions.domain.sends import EXPIRES_MAX, Intent, send_id_of, with_overtaken
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
"""Playbook version → playbook; holds every version that an active journey is pinned to."""


def take_in(
    customer: Customer,
    events: Iterable[Event],
    current: Compiled,
    versions: Versions,
    account: str,
    now: Instant,
) -> Customer:
    """The customer after new events, live: folded, heard by the journeys, with the intents that follow.

    Before a journey hears an event it is moved to where it stood when the event happened.
    """
    versions = {**versions, current.version: current}
    for event in in_order(events):
        customer = moved_on(customer, current, versions, account, now, until=min(event.occurred_at, now))
        customer = _heard(folded(customer, [event], current), event, current, versions, now)
    return moved_on(customer, current, versions, account, now)


def take_in_again(
    customer: Customer,
    history: Sequence[Event],
    current: Compiled,
    versions: Versions,
    account: str,
    now: Instant,
) -> Customer:
    """The customer with the whole history folded anew, where it is unsure whether an old event was ever folded.

    Journeys hear what is not among the newest and did not come as history; what one of them started from once it
    does not start from again.
    """
    versions = {**versions, current.version: current}
    unheard = [event for event in in_order(history) if not customer.has_seen(event) and not event.imported]
    customer = rebuilt(customer, history, current)
    for event in unheard:
        customer = moved_on(customer, current, versions, account, now, until=min(event.occurred_at, now))
        customer = _heard(customer, event, current, versions, now)
    return moved_on(customer, current, versions, account, now)


def _heard(customer: Customer, event: Event, current: Compiled, versions: Versions, now: Instant) -> Customer:
    return _enter(_hear(customer, event, versions), event, current, now)


def _hear(customer: Customer, event: Event, versions: Versions) -> Customer:
    journeys = [
        heard(journey, versions[journey.version].playbook.scenarios[journey.scenario], event)
        if journey.active
        else journey
        for journey in customer.journeys
    ]
    return msgspec.structs.replace(customer, journeys=journeys)


def _enter(customer: Customer, event: Event, current: Compiled, now: Instant) -> Customer:
    """One event may start several journeys: the better rank goes first, and keeps out or replaces what comes after."""
    journeys = list(customer.journeys)
    scenarios = current.playbook.scenarios
    for name in sorted(scenarios, key=lambda name: (scenarios[name].rank, name)):
        scenario = scenarios[name]
        if not may_enter(scenario, name, journeys, event, now) or is_kept_out(scenario, journeys):
            continue
        if not current.holds(scenario.entry.when, customer.profile, now):
            continue
        if _finish(scenario, current, customer.profile, now):
            continue
        begun = entered(name, current.version, customer.customer_id, journeys, event)
        journeys = [*making_way(scenario, journeys, now), begun]
    return msgspec.structs.replace(customer, journeys=journeys)


def _finish(scenario: pb.Scenario, compiled: Compiled, profile: Profile, now: Instant) -> str:
    """`goal` or `exited` where the scenario's own conditions end a journey now; empty where it goes on."""
    if scenario.goal is not None and compiled.holds(scenario.goal, profile, now):
        return "goal"
    return "exited" if compiled.stops(scenario.exit, profile, now) else ""


def moved_on(
    customer: Customer,
    current: Compiled,
    versions: Versions,
    account: str,
    now: Instant,
    *,
    until: Instant | None = None,
) -> Customer:
    """The customer with every journey as far as time (`until`; now, unless told) and profile take it.

    The intents that follow stand in the outbox.
    """
    versions = {**versions, current.version: current}
    journeys = []
    for journey in customer.journeys:
        moved = journey
        if journey.active:
            moved = _in_force(journey, current, versions, customer.profile.zone, now)
            customer, moved = _move(customer, moved, versions[moved.version], account, now, until)
        journeys.append(moved)
    return msgspec.structs.replace(customer, journeys=kept(journeys, now))


def _in_force(journey: Journey, current: Compiled, versions: Versions, zone: str, now: Instant) -> Journey:
    """The journey in the version in force, where its scenario there takes in what runs already."""
    new = current.playbook.scenarios.get(journey.scenario)
    if new is None or journey.version == current.version:
        return journey
    old = versions[journey.version].playbook.scenarios[journey.scenario]
    return migrated(journey, old, new, current.version, zone, now)


def _move(
    customer: Customer,
    journey: Journey,
    compiled: Compiled,
    account: str,
    now: Instant,
    until: Instant | None,
) -> tuple[Customer, Journey]:
    scenario = compiled.playbook.scenarios[journey.scenario]
    finished = _finish(scenario, compiled, customer.profile, now)
    if finished:
        return customer, ended(journey, "goal" if finished == "goal" else "exited", now)
    deeds: list[Deed] = []
    answers = _answers(customer, journey, deeds, compiled, now)
    moved = advance(journey, scenario, answers, customer.profile.zone, now, until=until, done=deeds)
    intents = [
        _intent(customer, journey, deed, compiled, account, now)
        for deed in deeds
        if isinstance(deed, Emission)
    ]
    for deed in deeds:
        if isinstance(deed, Showing):
            customer = wishing(customer, deed, journey.journey_id)
    changed = msgspec.structs.replace(
        customer,
        profile=_with_deeds(customer.profile, journey, deeds),
        assignments=_with_exposures(customer.assignments, deeds),
    )
    return _intending(changed, intents), moved.journey


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
