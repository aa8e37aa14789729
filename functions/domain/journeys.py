"""Journeys: one customer's passage through one scenario, as a pure function of events, profile and time."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from typing import Literal

import msgspec

from functions.domain import playbook as pb
from functions.domain.arbitration import Upcoming
from functions.domain.events import Event
from functions.domain.instants import DAY, Instant, local_day_at, next_local_time
from functions.domain.tracking import SegmentChange

JourneyStatus = Literal["active", "done", "exited", "goal", "expired"]

Cause = Event | SegmentChange
"""What may start a journey."""

STEPS_MAX = 1000
SEGMENT_REENTRY_SECONDS_MIN = 3600
ENDED_KEPT = 20


class Journey(msgspec.Struct, frozen=True, omit_defaults=True):
    """`at` is the number of the step it stands at; `due` when time moves it on; `awaits` the event that does.

    `occurrence` counts this customer's passages through the scenario, from 1; `version` is the playbook's. `asked_from`:
    since when the condition that is waited for has not held; `sent` the names of the send steps it has passed;
    `variant` the arm of the split that it passed last, as "experiment:variant".
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
    asked_from: Instant | None = None
    sent: list[str] = []
    variant: str = ""

    @property
    def active(self) -> bool:
        """Whether it still goes on."""
        return self.status == "active"


def fingerprint(identity: str) -> str:
    """12 hex digits that stand for an event's identity where the whole id would be too long to keep."""
    return hashlib.sha256(identity.encode()).hexdigest()[:12]


def may_enter(scenario: pb.Scenario, name: str, journeys: list[Journey], cause: Cause, now: Instant) -> bool:
    """Whether an event or a change of segment may start a journey: fresh, allowed by the re-entry rule, none running."""
    if not scenario.on or not _starts(scenario.entry, cause):
        return False
    if now - _happened_at(cause) > dt.timedelta(seconds=scenario.entry.fresh_seconds):
        return False
    mine = [journey for journey in journeys if journey.scenario == name]
    if any(journey.active for journey in mine) or any(j.trigger == fingerprint(cause.identity) for j in mine):
        return False
    if not mine:
        return True
    if scenario.reentry_seconds is None:
        return False
    pause = scenario.reentry_seconds
    if isinstance(cause, SegmentChange):
        # What a journey does may be what starts it again: without a pause that would never end.
        pause = max(pause, SEGMENT_REENTRY_SECONDS_MIN)
    last = max(journey.entered_at for journey in mine)
    return cause.occurred_at - last >= dt.timedelta(seconds=pause)


def _starts(entry: pb.Entry, cause: Cause) -> bool:
    """Whether this is what the entry is about; only what is confirmed starts anything."""
    if isinstance(cause, SegmentChange):
        return entry.segment in cause.names and entry.on == cause.on
    return bool(entry.event) and cause.name == entry.event and cause.status == "confirmed"


def _happened_at(cause: Cause) -> Instant:
    """When that happened whose freshness counts: an old event that comes late makes no new member of anybody."""
    return cause.since if isinstance(cause, SegmentChange) else cause.occurred_at


def entered(name: str, version: str, customer_id: str, journeys: list[Journey], cause: Cause) -> Journey:
    """A new journey that starts with this. Its days are counted from when it happened."""
    occurrence = 1 + max((j.occurrence for j in journeys if j.scenario == name), default=0)
    trigger = fingerprint(cause.identity)
    return Journey(
        journey_id=fingerprint(f"{name}\x1f{customer_id}\x1f{cause.identity}"),
        scenario=name,
        version=version,
        occurrence=occurrence,
        entered_at=cause.occurred_at,
        trigger=trigger,
        since=cause.occurred_at,
    )


def ended(journey: Journey, status: JourneyStatus, now: Instant) -> Journey:
    """The journey at its end."""
    return msgspec.structs.replace(journey, status=status, ended_at=now, due=None, awaits="", asked_from=None)


def asked_anew(journey: Journey, at: Instant) -> Journey:
    """The journey where the profile is another from `at` on: a condition that it waits for has not held before."""
    if not journey.active or at <= (journey.asked_from or journey.since or journey.entered_at):
        return journey
    return msgspec.structs.replace(journey, asked_from=at)


def is_kept_out(scenario: pb.Scenario, journeys: list[Journey]) -> bool:
    """Whether a journey goes on beside which none may begin here."""
    return any(journey.active and journey.scenario in scenario.not_with for journey in journeys)


def making_way(scenario: pb.Scenario, journeys: list[Journey], now: Instant) -> list[Journey]:
    """The journeys when one begins here: those that it replaces are exited."""
    return [
        ended(journey, "exited", now) if journey.active and journey.scenario in scenario.replaces else journey
        for journey in journeys
    ]


def wait_ends(
    step: pb.WaitFor | pb.WaitUntilLocal, entered_at: Instant, since: Instant, zone: str
) -> Instant:
    """When a wait that began at `since` is over; a day that is past already is over at once."""
    if isinstance(step, pb.WaitFor):
        return since + dt.timedelta(seconds=step.seconds)
    if step.day is None:
        return next_local_time(since, step.at, zone)
    return max(since, local_day_at(entered_at, step.day, step.at, zone))


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
        case pb.WaitUntil():
            return _ways_on_from_condition(step, since, due)
        case _:
            return [(target, since) for target in set(ways(step, number))]


def _ways_on_from_condition(
    step: pb.WaitUntil, since: Instant, due: Instant | None
) -> list[tuple[int, Instant]]:
    """A wait that is under way knows when time will make its condition hold; of one that lies ahead nobody knows."""
    deadline = since + dt.timedelta(seconds=step.timeout_seconds)
    ways = [(step.on_timeout, deadline)]
    if due is None or due < deadline:
        ways.append((step.on_true, due or since))
    return ways


def ways(step: pb.Step, number: int) -> list[int]:
    """The numbers of the steps that may follow step `number`, all greater; none after an end."""
    match step:
        case pb.WaitForEvent():
            return [step.on_event, step.on_timeout]
        case pb.WaitUntil():
            return [step.on_true, step.on_timeout]
        case pb.Branch():
            return [*(target for _, target in step.cases), step.otherwise]
        case pb.Split():
            return [target for _, target in step.arms]
        case pb.Goto():
            return [step.to]
        case pb.End():
            return []
        case _:
            return [number + 1]


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
