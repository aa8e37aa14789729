"""Everyone targeted has one end, every campaign ran and is balanced, and nothing is left in any queue."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator

from functions.domain.campaigns import is_occurrence, next_occurrence
from functions.domain.instants import format_instant
from functions.domain.playbook import Playbook
from functions.domain.sends import SendRecord
from tests.simulation.invariants.messages import named
from tests.simulation.world import SimulatedWorld

RUN_WITHIN = dt.timedelta(hours=8)
"""A run begins so soon, faults or not, or is begun when the dead letters are sent back."""
OCCURRENCES_MAX = 10


def accounts_close(world: SimulatedWorld) -> Iterator[str]:
    """Everyone targeted has one end, and the end is not less than what LINE saw."""
    records: dict[str, list[SendRecord]] = defaultdict(list)
    for record in world.records():
        records[record.send_id].append(record)
    accepted = {one.intent.send_id: one for one in world.witness.accepted}
    for send_id, intent in world.witness.intents.items():
        if send_id not in records:
            yield f"lost: {send_id[:8]} ({intent.message}, {intent.source}/{intent.step}) has no end"
    for send_id, ends in records.items():
        if len(ends) > 1:
            yield f"{len(ends)} ends: {send_id[:8]}: {[(one.customer_id, one.status, one.reason) for one in ends]}"
        for end in ends:
            if end.status == "sent" and send_id not in accepted:
                yield f"recorded as sent, never accepted: {send_id[:8]} ({end.message})"
            if end.status in ("suppressed", "failed") and send_id in accepted:
                yield f"recorded as {end.status} ({end.reason}), yet accepted: {named(accepted[send_id])}"
    yield from _targeted(world, records)


def _targeted(world: SimulatedWorld, records: dict[str, list[SendRecord]]) -> Iterator[str]:
    targeted = Counter(world.runs.targeted)
    for customer_id in sorted(world.customers.customer_bodies):
        targeted.update(world.customer(customer_id).intended)
    ended = Counter(ends[0].run or ends[0].scenario for ends in records.values())
    for source in sorted(targeted.keys() | ended.keys()):
        if targeted[source] != ended[source]:
            yield f"the accounts of {source} do not close: {targeted[source]} targeted, {ended[source]} ended"


def campaigns_ran(world: SimulatedWorld) -> Iterator[str]:
    """Every occurrence that came ran; whatever was begun knows whom it is for, and every page of it is enqueued."""
    for source, run in world.witness.runs.items():
        if source not in world.runs.targeted:
            yield f"{source} was begun, and its list was never finished"
        for segment in range(run.scan_segments):
            number = 0
            while (chunk := world.runs.chunk(run, segment, number)) is not None:
                if not world.runs.is_enqueued(run, segment, number):
                    yield f"page {segment}/{number} of {source} was never enqueued"
                if not chunk.next_key:
                    break
                number += 1
    for name, occurrence in _came(world):
        if name not in world.book.campaigns:
            continue  # its order died, and was sent back when the playbook in force no longer had it
        if f"{name}@{format_instant(occurrence)}" not in world.witness.runs:
            yield f"{name} never ran at {occurrence}"


def _came(world: SimulatedWorld) -> Iterator[tuple[str, dt.datetime]]:
    """The occurrences that came while their campaign was in force, and stayed so: what a next playbook no longer has may
    have been too late to begin."""
    assert world.calm_at is not None
    ends = [at for at, _ in world.books[1:]]
    for number, (begun, book) in enumerate(world.books):
        end = min(ends[number], world.calm_at) if number < len(ends) else world.calm_at
        later = [other for _, other in world.books[number + 1 :]]
        for name, campaign in book.campaigns.items():
            at = begun
            for _ in range(OCCURRENCES_MAX):
                following = next_occurrence(campaign, book.zone, at)
                if following is None or following >= end:
                    break
                if following + RUN_WITHIN < end or all(_runs(other, name, following) for other in later):
                    yield name, following
                at = following


def _runs(book: Playbook, name: str, at: dt.datetime) -> bool:
    """Whether the campaign is to run at this hour: one that was moved is not begun late at the hour of before."""
    return name in book.campaigns and is_occurrence(book.campaigns[name], book.zone, at)


def nothing_left_over(world: SimulatedWorld) -> Iterator[str]:
    """Nothing waits for ever: no message in a queue or among the dead, no intent in an outbox or in a timer.

    An outbox may keep what was enqueued and has ended, where emptying it failed: the next change enqueues it once more.
    """
    ended = {record.send_id for record in world.records()}
    for name, queue in (
        ("inbox", world.inbox_queue),
        ("send", world.send_queue),
        ("evaluate", world.evaluate_queue),
    ):
        if queue.waiting:
            yield f"{len(queue.waiting)} messages wait in the {name} queue at the end: {queue.waiting[0].body[:200]}"
        for body, error in queue.dead[:1]:
            yield f"{len(queue.dead)} dead letters of the {name} queue ({error!r}): {body[:200]}"
    for due, intent in world.timers.held:
        yield f"held until {due} at the end: {intent.send_id[:8]} ({intent.message})"
    for customer_id in sorted(world.customers.customer_bodies):
        for intent in world.customer(customer_id).outbox:
            if intent.send_id not in ended:
                yield f"in the outbox of {customer_id} at the end: {intent.send_id[:8]} ({intent.message})"
