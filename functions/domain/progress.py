"""What customers come to: events are folded and heard, memberships change, journeys start, and time moves them on."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from functions.domain.bases import Base
from functions.domain.compiled import Compiled, Versions
from functions.domain.customers import SEEN_KEPT, Customer, folded, in_order, next_due, rebuilt
from functions.domain.events import Event
from functions.domain.instants import Instant
from functions.domain.journeys import (
    Cause,
    Journey,
    asked_anew,
    entered,
    is_kept_out,
    making_way,
    may_enter,
)
from functions.domain.memberships import baselined, evaluated, is_due
from functions.domain.menus import with_order
from functions.domain.migration import migrated
from functions.domain.moves import finish, with_journeys_moved
from functions.domain.tracking import SegmentChange
from functions.domain.walk import heard

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
    brought: Iterable[Event] = (),
    *,
    quietly: bool = False,
    bases: Sequence[Base] = (),
) -> Customer:
    """The customer with the whole history folded anew, where it is unsure whether an old event was ever folded.

    Journeys hear what they may not have heard yet (`_unheard`); what one of them started from once it does not start
    from again. `brought`: the events that came just now. `quietly`: history came, or the dictionary is another, and
    what follows from that alone is no entering. `bases`: what events came to that are kept no longer.
    """
    course = _Course(current, {**versions, current.version: current}, account, now)
    unheard = _unheard(customer, history, brought)
    if quietly or not unheard:
        customer = _quietly_rebuilt(customer, history, unheard, course, bases)
    if not unheard:
        return _moved(customer, course, now)
    customer = _moved(customer, course, min(unheard[0].occurred_at, now))
    # All that follows from the unheard events follows at the newest of them, for together they are folded.
    customer = rebuilt(customer, history, current, bases)
    customer = _renewed(customer, course, unheard[-1].occurred_at)
    for event in unheard:
        customer = _moved(customer, course, min(event.occurred_at, now))
        customer = _heard(customer, event, course)
    return _moved(customer, course, now)


def _unheard(customer: Customer, history: Sequence[Event], brought: Iterable[Event]) -> list[Event]:
    """What no journey may have heard yet, in order: what came just now, and what another worker has kept and not yet
    folded, which is among the newest kept. What lies further back was heard when it came."""
    newest = [event for event in history if not event.imported][-SEEN_KEPT:]
    possible = {event.identity for event in (*newest, *brought)}
    return [
        event
        for event in in_order(history)
        if event.identity in possible and not event.imported and not customer.has_seen(event)
    ]


def _quietly_rebuilt(
    customer: Customer,
    history: Sequence[Event],
    unheard: Sequence[Event],
    course: _Course,
    bases: Sequence[Base],
) -> Customer:
    """The customer with all of the history but what came live and was never folded, and member of all that follows.

    What journeys wait for is asked anew from here on: before, as they knew the customer, it did not hold.
    """
    live = {event.identity for event in unheard}
    known = [event for event in history if event.identity not in live]
    folded_anew = rebuilt(customer, known, course.current, bases)
    if folded_anew.profile == customer.profile:
        return folded_anew
    at = min(next_due(customer) or course.now, course.now)
    journeys = [asked_anew(journey, at) for journey in folded_anew.journeys]
    folded_anew = msgspec.structs.replace(folded_anew, journeys=journeys)
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
    customer = _settled(customer, course, min(event.occurred_at, course.now))
    # What was wished while the account was blocked could not be shown, and its order was void.
    return with_order(customer) if event.name == "line_follow" else customer


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
        customer = with_journeys_moved(customer, course.versions, course.account, course.now, at)
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
        if finish(scenario, current, customer.profile, now):
            continue
        begun = entered(name, current.version, customer.customer_id, journeys, cause)
        journeys = [*making_way(scenario, journeys, now), begun]
    return msgspec.structs.replace(customer, journeys=journeys)
