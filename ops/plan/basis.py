"""Whom a forecast is about, and from when: the people of a file, or of a deployment."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from functions.domain.account import Block
from functions.domain.compiled import Compiled
from functions.domain.context import EMPTY, Context
from functions.domain.instants import Instant
from functions.domain.playbook import Playbook
from functions.ports.errors import Retryable
from ops.errors import UserError
from ops.evaluate import FOREVER, tell
from ops.plan import deployed, filed
from ops.plan.assumed import Replay, with_assumed
from ops.plan.lives import Person
from ops.stores import Stores


@dataclass(frozen=True)
class Basis:
    """`people` is to be read once, `total` how many come, as far as known. `in_force` is the playbook that the
    deployment goes by, `versions` those that journeys under way are pinned to."""

    people: Iterable[Person]
    total: int | None
    start: Instant
    versions: list[Playbook] = field(default_factory=list)
    context: Context = field(default_factory=lambda: EMPTY)
    in_force: Playbook | None = None
    blocks: list[Block] = field(default_factory=list)


def basis_of_file(
    file: Path, book: Playbook, at: Instant | None, days: int, replay_days: int, *, linked: bool
) -> Basis:
    """The people of a file, as of an instant (the newest event's, unless told)."""
    intake = filed.events_of(file, book, at or FOREVER)
    tell(intake)
    start = at or filed.newest(intake.by_customer)
    people: Iterable[Person] = filed.people_of(intake.by_customer, book, linked=linked)
    if replay_days:
        replay = Replay(replay_days, start, start + dt.timedelta(days=days), book.events)
        people = _replayed(people, replay)
    return Basis(people, len(intake.by_customer), start)


def _replayed(people: Iterable[Person], replay: Replay) -> Iterator[Person]:
    for person in people:
        told = [event for event in person.past if event.source != filed.ASSUMED]
        yield from replay.of(person, told, newcomer=all(e.occurred_at > replay.begins for e in told))


def basis_of_deployment(
    stores: Stores, book: Playbook, at: Instant | None, days: int, replay_days: int, *, eventful: bool
) -> Basis:
    """The people of a deployment, as of an instant (its clock's, unless told). `eventful`: events are expected.

    Histories are read only where events come, or where another dictionary folds them anew.
    """
    start = at or stores.now()
    try:
        in_force = stores.playbooks.in_force()
    except Retryable:
        raise UserError("No playbook is in force in this deployment, so it has no customers yet.") from None
    refolds = in_force.dictionary_hash != Compiled(book).dictionary_hash
    history = deployed.histories(stores) if eventful or replay_days or refolds else deployed.NOTHING
    people: Iterable[Person] = deployed.people_of(stores, history)
    if replay_days:
        people = _replayed(people, Replay(replay_days, start, start + dt.timedelta(days=days), book.events))
    versions, blocks = deployed.versions_of(stores), stores.account_state.read().blocks
    return Basis(people, None, start, versions, in_force.context, in_force.playbook, blocks)


def with_expected(
    people: Iterable[Person], file: Path, book: Playbook, start: Instant, *, linked: bool
) -> Iterator[Person]:
    """The people with the events of a file that lie after `start`; `linked` concerns those whom nobody knows yet."""
    intake = filed.events_of(file, book)
    tell(intake)
    ahead = {
        customer_id: [event for event in events if event.occurred_at > start]
        for customer_id, events in intake.by_customer.items()
    }

    def stranger(customer_id: str) -> Person:
        person = Person(customer_id)
        return filed.taken_as_linked(person, book) if linked else person

    return with_assumed(people, {name: events for name, events in ahead.items() if events}, stranger)
