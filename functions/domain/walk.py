"""The walk of a journey through its scenario's steps, as far as time, events and the profile take it."""

import datetime as dt
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from functions.domain import playbook as pb
from functions.domain.events import Event, Scalar
from functions.domain.instants import Instant
from functions.domain.journeys import Journey, asked_anew, ended, wait_ends


class Answers(NamedTuple):
    """What a journey asks about its customer on the way.

    `holds`: whether an expression holds now. `holds_from`: the first instant, at or after the given one, at which it
    holds if no event comes; None if it never does. `variant`: the customer's arm of a split.
    """

    holds: Callable[[pb.Expression], bool]
    holds_from: Callable[[pb.Expression, Instant], Instant | None]
    variant: Callable[[pb.Split], str]


class Emission(msgspec.Struct, frozen=True):
    """A send step that was reached: at which instant it was due, and by which variant the journey came."""

    step: pb.Send
    due: Instant
    variant: str = ""


class Tagging(msgspec.Struct, frozen=True):
    """A tag step that was reached, with its number in the scenario."""

    tag: str
    remove: bool
    due: Instant
    number: int = 0


class Setting(msgspec.Struct, frozen=True):
    """A step that sets an attribute was reached, with its number in the scenario."""

    name: str
    value: Scalar
    due: Instant
    number: int = 0


class Exposure(msgspec.Struct, frozen=True):
    """A split was reached, and this variant taken."""

    experiment: str
    variant: str
    due: Instant


class Showing(msgspec.Struct, frozen=True):
    """A rich menu step was reached, with its number in the scenario; an empty menu is the account's default."""

    menu: str
    due: Instant
    number: int = 0


Deed = Emission | Tagging | Setting | Exposure | Showing


class Moved(msgspec.Struct, frozen=True):
    """The journey after it went as far as it can, and what it did on its way."""

    journey: Journey
    done: list[Deed]


def advance(
    journey: Journey,
    scenario: pb.Scenario,
    answers: Answers,
    zone: str,
    now: Instant,
    *,
    until: Instant | None = None,
    done: list[Deed] | None = None,
) -> Moved:
    """The journey moved on as far as `until` (now, unless told) allows. Every jump leads ahead, so this ends.

    A step's own instant is when its wait was over, not when somebody looked: a late look changes no schedule.
    What is done is added to `done` as it happens, so that `answers` may take what this very move did into account.
    """
    done = [] if done is None else done
    until = now if until is None else until
    while journey.active:
        if journey.at >= len(scenario.steps):
            journey = ended(journey, "done", now)
            break
        before = journey.at
        moved = _one_step(journey, scenario.steps[journey.at], answers, zone, now, until, done)
        if moved.active and moved.at == before:
            return Moved(moved, done)
        assert not moved.active or moved.at > before, "a step led backwards"
        journey = moved
    return Moved(journey, done)


def _one_step(
    journey: Journey,
    step: pb.Step,
    answers: Answers,
    zone: str,
    now: Instant,
    until: Instant,
    done: list[Deed],
) -> Journey:
    since = journey.since or journey.entered_at
    match step:
        case pb.WaitFor() | pb.WaitUntilLocal() | pb.WaitForEvent() | pb.WaitUntil():
            return _waited(journey, step, since, answers, zone, until)
        case pb.Send():
            return _sent(journey, step, since, now, done)
        case pb.SetTag() | pb.SetAttribute() | pb.RichMenu():
            done.append(_deed(step, since, journey.at))
            return _at(journey, journey.at + 1, since)
        case pb.Branch():
            return _at(journey, _branch_target(step, answers), since)
        case pb.Split():
            return _split(journey, step, since, answers, done)
        case pb.Goto():
            return _at(journey, step.to, since)
        case pb.End():
            return ended(journey, "done", now)


def _waited(
    journey: Journey, step: pb.Wait, since: Instant, answers: Answers, zone: str, until: Instant
) -> Journey:
    match step:
        case pb.WaitFor() | pb.WaitUntilLocal():
            due = journey.due or wait_ends(step, journey.entered_at, since, zone)
            if due <= until:
                return _at(journey, journey.at + 1, due)
            return msgspec.structs.replace(journey, due=due)
        case pb.WaitForEvent():
            due = journey.due or since + dt.timedelta(seconds=step.timeout_seconds)
            if due <= until:
                return _at(journey, step.on_timeout, due)
            return msgspec.structs.replace(journey, due=due, awaits=step.event)
        case pb.WaitUntil():
            return _until_it_holds(journey, step, since, answers, until)


def _deed(step: pb.SetTag | pb.SetAttribute | pb.RichMenu, due: Instant, number: int) -> Deed:
    match step:
        case pb.SetTag():
            return Tagging(step.tag, step.remove, due, number)
        case pb.SetAttribute():
            return Setting(step.name, step.value, due, number)
        case pb.RichMenu():
            return Showing(step.menu, due, number)


def _at(journey: Journey, step: int, since: Instant) -> Journey:
    return msgspec.structs.replace(journey, at=step, since=since, due=None, awaits="", asked_from=None)


def _sent(journey: Journey, step: pb.Send, due: Instant, now: Instant, done: list[Deed]) -> Journey:
    """A step that is overdue by more than its own tolerance ends the journey: old history floods nobody."""
    if now - due > dt.timedelta(seconds=step.tolerance_seconds):
        return ended(journey, "expired", now)
    done.append(Emission(step, due, journey.variant))
    return _at(msgspec.structs.replace(journey, sent=[*journey.sent, step.name]), journey.at + 1, due)


def _until_it_holds(
    journey: Journey, step: pb.WaitUntil, since: Instant, answers: Answers, until: Instant
) -> Journey:
    """On at the instant at which the condition came to hold, if that is before the deadline. Who waits on is due when
    time alone will make it hold, or at the deadline."""
    deadline = since + dt.timedelta(seconds=step.timeout_seconds)
    held_at = answers.holds_from(step.until, journey.asked_from or since)
    if held_at is not None and held_at < deadline:
        if held_at <= until:
            return _at(journey, step.on_true, held_at)
        return msgspec.structs.replace(journey, due=held_at)
    if deadline <= until:
        return _at(journey, step.on_timeout, deadline)
    return msgspec.structs.replace(journey, due=deadline)


def _branch_target(step: pb.Branch, answers: Answers) -> int:
    return next((target for expression, target in step.cases if answers.holds(expression)), step.otherwise)


def _split(journey: Journey, step: pb.Split, since: Instant, answers: Answers, done: list[Deed]) -> Journey:
    variant = answers.variant(step)
    done.append(Exposure(step.experiment, variant, since))
    passed = msgspec.structs.replace(journey, variant=f"{step.experiment}:{variant}")
    return _at(passed, dict(step.arms)[variant], since)


def heard(journey: Journey, scenario: pb.Scenario, event: Event) -> Journey:
    """The journey after an event: it may be the one that is waited for, or make a condition hold from now on.

    The journey stands where it stood when the event happened, and the profile has the event in it.
    """
    if not journey.active or journey.at >= len(scenario.steps):
        return journey
    step, since = scenario.steps[journey.at], journey.since or journey.entered_at
    if isinstance(step, pb.WaitUntil):
        return asked_anew(journey, event.occurred_at)
    if not isinstance(step, pb.WaitForEvent) or journey.awaits != event.name or event.status != "confirmed":
        return journey
    if event.occurred_at < since or (journey.due is not None and event.occurred_at >= journey.due):
        return journey
    return _at(journey, step.on_event, event.occurred_at)
