"""Journeys: one customer's passage through one scenario, as a pure function of events, profile and time."""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from functions.domain import playbook as pb
from functions.domain.arbitration import Upcoming
from functions.domain.events import Event
from functions.domain.instants import DAY, Instant, local_day_at, next_local_time

JourneyStatus = Literal["active", "done", "exited", "goal", "expired"]
Holds = Callable[[pb.Expression], bool]
"""Whether an expression holds for the customer now."""

STEPS_MAX = 1000
ENDED_KEPT = 20


class Journey(msgspec.Struct, frozen=True, omit_defaults=True):
    """`at` is the number of the step it stands at; `due` when time moves it on; `awaits` the event that does.

    `occurrence` counts this customer's passages through the scenario, from 1; `version` is the playbook's.
    """

    journey_id: str
    scenario: str
    version: str
    occurrence: int
    entered_at: Instant
    trigger: str
    at: int = 0
    since: Instant | None = None
    due: Instant | None = None
    awaits: str = ""
    status: JourneyStatus = "active"
    ended_at: Instant | None = None

    @property
    def active(self) -> bool:
        """Whether it still goes on."""
        return self.status == "active"


class Emission(msgspec.Struct, frozen=True):
    """A send step that was reached: at which instant it was due."""

    step: pb.Send
    due: Instant


class Tagging(msgspec.Struct, frozen=True):
    """A tag step that was reached, with its number in the scenario."""

    tag: str
    remove: bool
    due: Instant
    number: int = 0


class Moved(msgspec.Struct, frozen=True):
    """The journey after it went as far as it can, and what it did on its way."""

    journey: Journey
    done: list[Emission | Tagging]


def fingerprint(identity: str) -> str:
    """12 hex digits that stand for an event's identity where the whole id would be too long to keep."""
    return hashlib.sha256(identity.encode()).hexdigest()[:12]


def may_enter(scenario: pb.Scenario, name: str, journeys: list[Journey], event: Event, now: Instant) -> bool:
    """Whether the event may start a journey: confirmed, fresh, allowed by the re-entry rule, none running."""
    if not scenario.on or event.name != scenario.entry.event or event.status != "confirmed":
        return False
    if now - event.occurred_at > dt.timedelta(seconds=scenario.entry.fresh_seconds):
        return False
    mine = [journey for journey in journeys if journey.scenario == name]
    if any(journey.active for journey in mine) or any(j.trigger == fingerprint(event.identity) for j in mine):
        return False
    if not mine:
        return True
    if scenario.reentry_seconds is None:
        return False
    last = max(journey.entered_at for journey in mine)
    return event.occurred_at - last >= dt.timedelta(seconds=scenario.reentry_seconds)


def entered(name: str, version: str, customer_id: str, journeys: list[Journey], event: Event) -> Journey:
    """A new journey that starts with this event. Its days are counted from when the event happened."""
    occurrence = 1 + max((j.occurrence for j in journeys if j.scenario == name), default=0)
    trigger = fingerprint(event.identity)
    return Journey(
        journey_id=fingerprint(f"{name}\x1f{customer_id}\x1f{event.identity}"),
        scenario=name,
        version=version,
        occurrence=occurrence,
        entered_at=event.occurred_at,
        trigger=trigger,
        since=event.occurred_at,
    )


def ended(journey: Journey, status: JourneyStatus, now: Instant) -> Journey:
    """The journey at its end."""
    return msgspec.structs.replace(journey, status=status, ended_at=now, due=None, awaits="")


def _at(journey: Journey, step: int, since: Instant) -> Journey:
    return msgspec.structs.replace(journey, at=step, since=since, due=None, awaits="")


def wait_ends(
    step: pb.WaitFor | pb.WaitUntilLocal, entered_at: Instant, since: Instant, zone: str
) -> Instant:
    """When a wait that began at `since` is over; a day that is past already is over at once."""
    if isinstance(step, pb.WaitFor):
        return since + dt.timedelta(seconds=step.seconds)
    if step.day is None:
        return next_local_time(since, step.at, zone)
    return max(since, local_day_at(entered_at, step.day, step.at, zone))


def _branch_target(step: pb.Branch, holds: Holds) -> int:
    return next((target for expression, target in step.cases if holds(expression)), step.otherwise)


def advance(
    journey: Journey,
    scenario: pb.Scenario,
    holds: Holds,
    zone: str,
    now: Instant,
    *,
    until: Instant | None = None,
    done: list[Emission | Tagging] | None = None,
) -> Moved:
    """The journey moved on as far as `until` (now, unless told) allows. Every jump leads ahead, so this ends.

    A step's own instant is when its wait was over, not when somebody looked: a late look changes no schedule.
    What is done is added to `done` as it happens, so that `holds` may take tags of this very move into account.
    """
    done = [] if done is None else done
    until = now if until is None else until
    while journey.active:
        if journey.at >= len(scenario.steps):
            journey = ended(journey, "done", now)
            break
        before = journey.at
        moved = _one_step(journey, scenario.steps[journey.at], holds, zone, now, until, done)
        if moved.active and moved.at == before:
            return Moved(moved, done)
        assert not moved.active or moved.at > before, "a step led backwards"
        journey = moved
    return Moved(journey, done)


def _one_step(
    journey: Journey,
    step: pb.Step,
    holds: Holds,
    zone: str,
    now: Instant,
    until: Instant,
    done: list[Emission | Tagging],
) -> Journey:
    since = journey.since or journey.entered_at
    onward = journey.at + 1
    match step:
        case pb.Send():
            return _send(journey, step, since, now, done)
        case pb.SetTag():
            done.append(Tagging(step.tag, step.remove, since, journey.at))
            return _at(journey, onward, since)
        case pb.WaitFor() | pb.WaitUntilLocal():
            due = journey.due or wait_ends(step, journey.entered_at, since, zone)
            return _at(journey, onward, due) if due <= until else msgspec.structs.replace(journey, due=due)
        case pb.WaitForEvent():
            due = journey.due or since + dt.timedelta(seconds=step.timeout_seconds)
            if due <= until:
                return _at(journey, step.on_timeout, due)
            return msgspec.structs.replace(journey, due=due, awaits=step.event)
        case pb.Branch():
            return _at(journey, _branch_target(step, holds), since)
        case pb.Goto():
            return _at(journey, step.to, since)
        case pb.End():
            return ended(journey, "done", now)


def _send(
    journey: Journey, step: pb.Send, due: Instant, now: Instant, done: list[Emission | Tagging]
) -> Journey:
    """A step that is overdue by more than its own tolerance ends the journey: old history floods nobody."""
    if now - due > dt.timedelta(seconds=step.tolerance_seconds):
        return ended(journey, "expired", now)
    done.append(Emission(step, due))
    return _at(journey, journey.at + 1, due)


def heard(journey: Journey, scenario: pb.Scenario, event: Event) -> Journey:
    """The journey after an event that it may be waiting for."""
    if not journey.active or journey.awaits != event.name or event.status != "confirmed":
        return journey
    step = scenario.steps[journey.at]
    if not isinstance(step, pb.WaitForEvent) or event.occurred_at < (journey.since or journey.entered_at):
        return journey
    if journey.due is not None and event.occurred_at >= journey.due:
        return journey
    return _at(journey, step.on_event, event.occurred_at)


def upcoming(
    journey: Journey, scenario: pb.Scenario, messages: dict[str, pb.Message], zone: str, until: Instant
) -> list[Upcoming]:
    """The sends that time may bring this journey to by `until`, each at its earliest, whatever its branches decide.

    What only an event would bring is not foreseen.
    """
    return [
        Upcoming(at, message.kind, scenario.rank, message.category, step.hold_seconds_max)
        for step, at in _sends_ahead(journey, scenario, zone, until)
        for message in (messages[step.message],)
    ]


def _sends_ahead(
    journey: Journey, scenario: pb.Scenario, zone: str, until: Instant
) -> Iterator[tuple[pb.Send, Instant]]:
    earliest: dict[int, Instant] = {journey.at: journey.since or journey.entered_at}
    for number in range(journey.at, min(len(scenario.steps), STEPS_MAX)):
        since = earliest.get(number)
        if since is None or since > until:
            continue
        step = scenario.steps[number]
        due = journey.due if number == journey.at else None
        if isinstance(step, pb.Send):
            yield step, since
        for target, at in _ways_on(step, number, since, due, journey.entered_at, zone):
            earliest[target] = min(earliest.get(target, at), at)


def _ways_on(
    step: pb.Step, number: int, since: Instant, due: Instant | None, entered_at: Instant, zone: str
) -> list[tuple[int, Instant]]:
    match step:
        case pb.WaitFor() | pb.WaitUntilLocal():
            return [(number + 1, due or wait_ends(step, entered_at, since, zone))]
        case pb.WaitForEvent():
            return [(step.on_timeout, due or since + dt.timedelta(seconds=step.timeout_seconds))]
        case pb.Branch():
            return [(target, since) for target in {step.otherwise, *(target for _, target in step.cases)}]
        case pb.Goto():
            return [(step.to, since)]
        case pb.End():
            return []
        case _:
            return [(number + 1, since)]


def kept(journeys: list[Journey], now: Instant) -> list[Journey]:
    """All that are active, and of the ended ones each scenario's last passage and the newest few of the rest."""
    last: dict[str, Journey] = {}
    for journey in journeys:
        if not journey.active and (
            journey.scenario not in last or last[journey.scenario].occurrence < journey.occurrence
        ):
            last[journey.scenario] = journey
    ended_ones = sorted(
        (j for j in journeys if not j.active), key=lambda j: j.ended_at or now - DAY, reverse=True
    )
    keep = {id(j) for j in (*last.values(), *ended_ones[:ENDED_KEPT])}
    return [j for j in journeys if j.active or id(j) in keep]
