"""Intents of journeys: a step that was reached becomes a decision to send, whole and frozen."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence

import msgspec

from functions.domain import playbook as pb
from functions.domain.compiled import Compiled
from functions.domain.context import Context, fact_value
from functions.domain.customers import Customer
from functions.domain.events import Scalar
from functions.domain.instants import Instant
from functions.domain.journeys import Journey
from functions.domain.profiles import Profile
from functions.domain.sends import EXPIRES_MAX, Intent, send_id_of, with_overtaken
from functions.domain.walk import Emission


def intending(customer: Customer, intents: Sequence[Intent]) -> Customer:
    """The customer with these in the outbox, counted for the accounts by what made them."""
    counts = Counter(customer.intended)
    counts.update(intent.source for intent in intents)
    return msgspec.structs.replace(
        customer, outbox=with_overtaken([*customer.outbox, *intents]), intended=dict(counts)
    )


def intent_of_step(
    customer: Customer, journey: Journey, emission: Emission, compiled: Compiled, account: str, now: Instant
) -> Intent:
    """The intent of a send step that a journey reached: whole, with its values frozen."""
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
        unit=customer.own_unit,
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
