"""A forecast says what the flows then do."""

import datetime as dt
import random

import msgspec
import pytest

from ops.plan.lives import Person
from tests.fakes.world import World
from tests.ops.plan.worlds import (
    PEOPLE,
    as_event,
    busy_book,
    counted,
    ends_by_day,
    lived,
    people_in,
    some_event,
    terms_in,
)

SEEDS = range(6)


@pytest.mark.parametrize("seed", SEEDS)
def test_fourteen_days_of_the_flows_send_what_the_forecast_said(seed: int) -> None:
    world, dice = World(busy_book()), random.Random(seed)
    lived(world, dice, days_back=9)
    people = people_in(world)
    [tally] = counted(people, terms_in(world, world.book, days_ahead=14))
    before = len(world.records())
    world.advance(days=14)
    sent, suppressed = ends_by_day(world, before)
    assert sent == tally.sent
    assert suppressed == tally.suppressed
    assert sum(sent.values()) > PEOPLE
    assert sum(tally.held.values())
    assert not world.dead()


@pytest.mark.parametrize("seed", SEEDS)
def test_events_that_are_expected_do_to_the_forecast_what_they_do_to_the_flows(seed: int) -> None:
    world, dice = World(busy_book()), random.Random(seed)
    lived(world, dice, days_back=5)
    people, terms = people_in(world), terms_in(world, world.book, days_ahead=14)
    before, end = len(world.records()), terms.end
    events = []
    while world.now < end:
        world.advance(to=min(end, world.now + dt.timedelta(hours=dice.uniform(2, 14))))
        if world.now < end:
            raw = some_event(world, dice)
            events.append(as_event(raw))
            world.ingest(raw)
            world.run()
    ahead: dict[str, list[object]] = {}
    for event in events:
        ahead.setdefault(event.customer_id, []).append(event)
    known = {person.customer_id for person in people}
    newcomers = [Person(name) for name in sorted(ahead.keys() - known)]
    expected = [
        msgspec.structs.replace(person, ahead=ahead.get(person.customer_id, []))
        for person in [*people, *newcomers]
    ]
    [tally] = counted(expected, terms)
    sent, suppressed = ends_by_day(world, before)
    assert sent == tally.sent
    assert suppressed == tally.suppressed
    assert sum(tally.entered.values()) > len(SEEDS)
