"""Migration: a journey goes on in a newer version of its scenario, at the place that corresponds to its own.

A place is known by what lies ahead: the sends that may come next, and the waits before them. Its counterpart has the
same sends next, under their new names. What was sent is never sent again, and where the counterpart is not certain the
journey stays as it is.
"""

import datetime as dt
import itertools
from collections.abc import Mapping

import msgspec

from functions.domain import playbook as pb
from functions.domain.instants import Instant
from functions.domain.journeys import Journey, wait_ends, ways

Names = frozenset[str]
END = ""
"""Stands among the sends for the end."""


def migrated(
    journey: Journey, old: pb.Scenario, new: pb.Scenario, version: str, zone: str, now: Instant
) -> Journey:
    """The journey at its counterpart in the scenario of `version`, or as it is where there is none.

    The wait that it stands at is begun again at the instant at which it began first: days are counted as before, and a
    new length of the wait counts from there. What would be over already is over now, and not overdue.
    """
    if new.migrate is None or not journey.active:
        return journey
    if old.steps == new.steps:
        return msgspec.structs.replace(journey, version=version)
    renamed = new.migrate
    place = _counterpart(journey.at, old, new, renamed)
    sent = {*journey.sent, *(renamed.get(name, name) for name in journey.sent)}
    if place is None or sent & _sends_ahead(new)[place]:
        return journey
    return msgspec.structs.replace(
        journey,
        version=version,
        at=place,
        since=_since(journey, new.steps[place], zone, now),
        due=None,
        awaits="",
        asked_from=None,
        sent=sorted(sent),
    )


def _since(journey: Journey, step: pb.Step, zone: str, now: Instant) -> Instant:
    since = journey.since or journey.entered_at
    match step:
        case pb.WaitFor():
            return max(since, now - dt.timedelta(seconds=step.seconds))
        case pb.WaitForEvent() | pb.WaitUntil():
            return max(since, now - dt.timedelta(seconds=step.timeout_seconds))
        case pb.WaitUntilLocal():
            return since if wait_ends(step, journey.entered_at, since, zone) >= now else now
        case _:
            return now


def _counterpart(at: int, old: pb.Scenario, new: pb.Scenario, renamed: Mapping[str, str]) -> int | None:
    """The step before the same sends with as many waits still ahead, or all that there are.

    None where nothing leads to these sends, or where their waits lie side by side: nobody knows which one is meant.
    """
    next_sends = _next_sends(old)
    ahead = frozenset(renamed.get(name, name) for name in next_sends[at])
    if ahead <= {END}:
        return None
    places = [number for number, names in _next_sends(new).items() if names == ahead]
    waits = [number for number in places if isinstance(new.steps[number], pb.Wait)]
    if not waits:
        return min(places, default=None)
    if any(later not in _reached(new, wait) for wait, later in itertools.pairwise(waits)):
        return None
    mine = {at, *_reached(old, at)}
    left = sum(
        next_sends[number] == next_sends[at] and isinstance(old.steps[number], pb.Wait) for number in mine
    )
    return waits[-min(max(left, 1), len(waits))]


def _reached(scenario: pb.Scenario, number: int) -> set[int]:
    """All steps that may come after this one, each before the end of the list."""
    found: set[int] = set()
    waiting = ways(scenario.steps[number], number)
    while waiting:
        step = waiting.pop()
        if step not in found and step < len(scenario.steps):
            found.add(step)
            waiting += ways(scenario.steps[step], step)
    return found


def _next_sends(scenario: pb.Scenario) -> dict[int, Names]:
    """For each step, in order, the sends that may come next from there. Jumps lead ahead, so the last is known first."""
    found: dict[int, Names] = {len(scenario.steps): frozenset({END})}
    for number in reversed(range(len(scenario.steps))):
        step = scenario.steps[number]
        if isinstance(step, pb.Send):
            found[number] = frozenset({step.name})
        else:
            names = [found[way] for way in ways(step, number)]
            found[number] = frozenset[str]().union(*names) if names else frozenset({END})
    return {number: found[number] for number in range(len(scenario.steps))}


def _sends_ahead(scenario: pb.Scenario) -> dict[int, Names]:
    """For each step, every send that may still come."""
    found: dict[int, Names] = {len(scenario.steps): frozenset()}
    for number in reversed(range(len(scenario.steps))):
        step = scenario.steps[number]
        own = frozenset({step.name}) if isinstance(step, pb.Send) else frozenset[str]()
        found[number] = own.union(*(found[way] for way in ways(step, number)))
    return found
