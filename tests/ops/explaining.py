"""What is known of one person, read from the fakes' world as the command reads it from a deployment."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import msgspec

from functions.domain.campaigns import Chunk, Run
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
        records=sorted(
            (r for r in world.records() if r.customer_id in owners), key=lambda r: (r.at, r.send_id)
        ),
        events=in_order(events.values()),
        held=[Held(until, intent) for until, intent in world.timers.held if intent.customer_id in owners],
        runs=[
            FrozenRun(
                run, {one.customer_id: one.line_user_id for _, _, chunk in chunks for one in chunk.recipients}
            )
            for run, chunks in frozen_runs_in(world)
        ],
    )


def frozen_runs_in(world: World) -> list[tuple[Run, list[tuple[int, int, Chunk]]]]:
    """Every run with its pages: scan segment, number, page."""
    found = []
    for source in world.runs.targeted:
        campaign, occurrence = source.split("@")
        run = world.runs.find(campaign, parse_instant(occurrence))
        assert run is not None
        found.append((run, list(_pages(world, run))))
    return found


def _pages(world: World, run: Run) -> Iterator[tuple[int, int, Chunk]]:
    for segment in range(run.scan_segments):
        for number in itertools.count():
            chunk = world.runs.chunk(run, segment, number)
            if chunk is None:
                break
            yield segment, number, chunk


def explained_in(world: World, customer_id: str = "c1") -> Card:
    """The card, as JSON would bring it."""
    card = explanation_of(known_in(world, customer_id))
    return msgspec.convert(json.loads(json.dumps(card)), Card)


def scenario_of(card: Card, name: str = "path") -> Card:
    found: list[Card] = [one for one in card["scenarios"] if one["scenario"] == name]
    assert len(found) == 1
    return found[0]
