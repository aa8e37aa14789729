"""What is known of one person, read from the fakes' world as the command reads it from a deployment."""

import json
from typing import Any

import msgspec

from functions.domain.campaigns import Run
from functions.domain.customers import in_order
from functions.domain.instants import parse_instant
from ops.explain.cards import explanation_of
from ops.explain.known import FrozenRun, Known, owners_of
from ops.plan.lives import Held
from tests.fakes.world import ACCOUNT, World

Card = dict[str, Any]


def known_in(world: World, customer_id: str = "c1") -> Known:
    customer = world.customer(customer_id)
    owners = owners_of(customer)
    events = {event.identity: event for owner in owners for event in world.events.all_of(owner)}
    return Known(
        account=ACCOUNT,
        now=world.now,
        current=world.playbooks.in_force(),
        version=world.playbooks.version,
        customer=customer,
        gate=world.customers.load_gate(customer_id),
        records=[record for record in world.records() if record.customer_id in owners],
        events=in_order(events.values()),
        held=[Held(until, intent) for until, intent in world.timers.held if intent.customer_id in owners],
        runs=[frozen_run(world, source) for source in world.runs.targeted],
    )


def frozen_run(world: World, source: str) -> FrozenRun:
    campaign, occurrence = source.split("@")
    run = world.runs.find(campaign, parse_instant(occurrence))
    assert run is not None
    return FrozenRun(run, {one.customer_id: one.line_user_id for one in _recipients(world, run)})


def _recipients(world: World, run: Run) -> list[Any]:
    found = []
    for segment in range(run.scan_segments):
        number = 0
        while chunk := world.runs.chunk(run, segment, number):
            found += chunk.recipients
            number += 1
    return found


def explained_in(world: World, customer_id: str = "c1") -> Card:
    """The card, as JSON would bring it."""
    card = explanation_of(known_in(world, customer_id))
    return msgspec.convert(json.loads(json.dumps(card)), Card)


def scenario_of(card: Card, name: str = "path") -> Card:
    found: list[Card] = [one for one in card["scenarios"] if one["scenario"] == name]
    assert len(found) == 1
    return found[0]
