"""Which rows of facts follow from what was written: a line of the send log, an event, a customer before and after.

Pure, and the same whenever it is worked out again: a redelivered change makes the same rows under the same keys.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from functions.domain.compiled import Compiled
from functions.domain.customers import Customer
from functions.domain.events import BUILT_IN, Event
from functions.domain.experiments import is_held_out
from functions.domain.facts import (
    Click,
    EventFact,
    ExposureFact,
    Fact,
    Friendship,
    JourneyFact,
    Membership,
    PersonFact,
    Send,
    person,
    without_line_users,
)
from functions.domain.instants import Instant
from functions.domain.journeys import Journey
from functions.domain.line_events import is_anonymous
from functions.domain.sends import SendRecord

AGENTS = {"link_clicked": "person", "link_previewed": "preview"}
FRIEND_CHANGES = {"line_follow": "follow", "line_unfollow": "block"}
PRIVATE = frozenset({"line_user_id", "phone", "phone_hash"})
MICROSECONDS = 1_000_000

VersionOf = Callable[[str], Compiled]
"""A playbook by its version."""


class SendWritten(NamedTuple):
    """A line of the send log, and the second at which its table's stream told of it."""

    record: SendRecord
    told_at: Instant


class EventKept(NamedTuple):
    """An event, in whose history it is kept, and when the stream told of it."""

    customer_id: str
    event: Event
    told_at: Instant


class CustomerWritten(NamedTuple):
    """A customer before (None: it is new) and after a write, and when the stream told of it."""

    before: Customer | None
    after: Customer
    told_at: Instant


Written = SendWritten | EventKept | CustomerWritten


def rows_of(written: Written, version_of: VersionOf) -> list[Fact]:
    """The rows that follow from one write. Raises what `version_of` raises where a playbook is not to be had."""
    match written:
        case SendWritten(record=record, told_at=told_at):
            return [_send(record, version_of(record.playbook), told_at)]
        case EventKept(customer_id=customer_id, event=event, told_at=told_at):
            return [_event(customer_id, event, told_at)]
        case CustomerWritten(before=before, after=after, told_at=told_at):
            seen_at = _seen(told_at, after.version)
            return [
                *_memberships(before, after, version_of, seen_at),
                *_journeys(before, after, seen_at),
                *_exposures(before, after, seen_at),
                *_people(before, after, seen_at),
            ]


def _seen(told_at: Instant, version: int) -> Instant:
    """Streams tell seconds; the version keeps apart what changed twice within one."""
    return told_at.replace(microsecond=0) + dt.timedelta(microseconds=version % MICROSECONDS)


def _send(record: SendRecord, compiled: Compiled, told_at: Instant) -> Send:
    unit = record.unit or record.customer_id
    message = compiled.playbook.messages.get(record.message)
    experiment, _, variant = record.variant.rpartition(":")
    source = record.scenario or record.campaign
    return Send(
        send_id=record.send_id,
        customer_id=person(record.customer_id),
        unit=person(unit),
        at=record.at,
        made_at=record.made_at,
        status=record.status,
        reason=without_line_users(record.reason),
        kind=record.kind,
        category=message.category if message else "",
        scenario=record.scenario,
        campaign=record.campaign,
        run=record.run,
        step=record.step,
        experiment=experiment,
        variant=variant,
        message=record.message,
        message_hash=record.message_hash,
        playbook=record.playbook,
        held_out=is_held_out(compiled.playbook, source, record.kind, unit),
        holds=len(record.holds),
        # A person's word on an unknown end comes after it.
        seen_at=_seen(told_at, 1 if record.resolved else 0),
    )


def _event(customer_id: str, event: Event, told_at: Instant) -> Click | Friendship | EventFact:
    # Of whom it was told: where that customer is parted again, what is handed back to it bears the same key and counts once.
    whose, seen_at = person(event.told_of or customer_id), _seen(told_at, 0)
    if event.name in AGENTS:
        return _click(whose, event, seen_at)
    if change := FRIEND_CHANGES.get(event.name):
        return Friendship(event.identity, whose, event.occurred_at, change, seen_at)
    return EventFact(
        event_id=event.identity,
        customer_id=whose,
        name=event.name,
        at=event.occurred_at,
        status=event.status,
        source=event.source,
        imported=event.imported,
        properties=json.dumps(_public(event), ensure_ascii=False, sort_keys=True),
        seen_at=seen_at,
    )


def _click(whose: str, event: Event, seen_at: Instant) -> Click:
    told = {key: str(value) for key, value in event.properties.items()}
    return Click(
        click_id=event.identity,
        customer_id=whose,
        at=event.occurred_at,
        send_id=told.get("send_id", ""),
        link=told.get("link", ""),
        variant=told.get("variant", "").rpartition(":")[2],
        scenario=told.get("scenario", ""),
        campaign=told.get("campaign", ""),
        step=told.get("step", ""),
        agent=told.get("agent") or AGENTS[event.name],
        seen_at=seen_at,
    )


def _public(event: Event) -> dict[str, Any]:
    """What may stand in files that analysts read. A chat's words and a profile's attributes are nobody's fact; LINE's
    own events have no properties here."""
    if (event.name.startswith("line_") and event.name not in BUILT_IN) or event.name == "profile_updated":
        return {}
    return {key: without_line_users(value) for key, value in event.properties.items() if key not in PRIVATE}


def _moment(before: Customer | None, after: Customer, seen_at: Instant) -> Instant:
    """When a customer was as it is, by the clock of whoever wrote it: at least when it was evaluated or linked last. Of whom
    a tie leaves but the name of who it became, that is what it was before; the stream's own clock is no clock of events."""
    told = [
        at
        for one in (before, after)
        if one is not None
        for at in (one.evaluated_at, one.link.at if one.link else None)
        if at is not None
    ]
    return max(told, default=seen_at)


def _segments(customer: Customer | None, version_of: VersionOf) -> set[str]:
    """The names of the segments that a customer is in, under the playbook that they were evaluated with."""
    if customer is None or not customer.segments:
        return set()
    tracked = version_of(customer.segments_of).tracked
    return {name for one in customer.segments if one in tracked for name in tracked[one].names}


def _memberships(
    before: Customer | None, after: Customer, version_of: VersionOf, seen_at: Instant
) -> Iterator[Membership]:
    if before is not None and (before.segments, before.segments_of) == (after.segments, after.segments_of):
        return
    was, now = _segments(before, version_of), _segments(after, version_of)
    for segment in sorted(was ^ now):
        yield Membership(
            customer_id=person(after.customer_id),
            segment=segment,
            change="entered" if segment in now else "left",
            at=_moment(before, after, seen_at),
            playbook=after.segments_of,
            seen_at=seen_at,
        )


def _journeys(before: Customer | None, after: Customer, seen_at: Instant) -> Iterator[JourneyFact]:
    known = {journey.journey_id: journey for journey in before.journeys} if before else {}
    for journey in after.journeys:
        was = known.get(journey.journey_id)
        if was is None:
            yield _journey(after, journey, "entered", journey.entered_at, seen_at)
        if not journey.active and (was is None or was.active):
            at = journey.ended_at or _moment(before, after, seen_at)
            yield _journey(after, journey, journey.status, at, seen_at)


def _journey(after: Customer, journey: Journey, change: str, at: Instant, seen_at: Instant) -> JourneyFact:
    return JourneyFact(
        journey_id=journey.journey_id,
        customer_id=person(after.customer_id),
        scenario=journey.scenario,
        playbook=journey.version,
        occurrence=journey.occurrence,
        change=change,
        at=at,
        variant=journey.variant,
        seen_at=seen_at,
    )


def _exposures(before: Customer | None, after: Customer, seen_at: Instant) -> Iterator[ExposureFact]:
    known = before.assignments if before else {}
    for experiment, variant in sorted(after.assignments.items()):
        if known.get(experiment) != variant:
            yield ExposureFact(
                unit=person(after.unit),
                customer_id=person(after.customer_id),
                experiment=experiment,
                variant=variant,
                at=_moment(before, after, seen_at),
                playbook=after.segments_of,
                seen_at=seen_at,
            )


def _people(before: Customer | None, after: Customer, seen_at: Instant) -> Iterator[PersonFact]:
    now = _person(after, _moment(before, after, seen_at), seen_at)
    told = ("owner", "unit", "linked")
    if before is None or any(
        getattr(_person(before, now.at, seen_at), name) != getattr(now, name) for name in told
    ):
        yield now


def _person(customer: Customer, at: Instant, seen_at: Instant) -> PersonFact:
    return PersonFact(
        customer_id=person(customer.customer_id),
        owner=person(customer.merged_into or customer.customer_id),
        unit=person(customer.unit),
        linked=bool(customer.line_user_id) and not is_anonymous(customer.customer_id),
        at=at,
        seen_at=seen_at,
    )


def encoded(row: Fact) -> bytes:
    """A row as a line of JSON."""
    return msgspec.json.encode(row)
