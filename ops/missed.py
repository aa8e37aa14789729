"""Who of a campaign run did not get it, or not yet: one row a person, streamed in the order of the frozen list."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from functions.domain.accounts import STRENGTH, number_of
from functions.domain.instants import format_instant
from functions.domain.sends import SendRecord
from ops.held import HeldMessage, held_of
from ops.runs import FrozenLists, Person, RunFiles, named, run_files
from ops.stores import Stores

WINDOW = 800
"""So many people are looked up together."""
COLUMNS = ("run", "customer_id", "status", "reason", "held_until", "at", "send_id")


class Missed(msgspec.Struct, frozen=True):
    """Somebody on the list without the message. `status`: held, queued, or how it ended; instants are texts, or empty."""

    run: str
    customer_id: str
    status: str
    reason: str
    held_until: str
    at: str
    send_id: str

    def as_json(self) -> dict[str, Any]:
        """One row of an export."""
        return {name: getattr(self, name) for name in COLUMNS}


def missed(stores: Stores, campaign: str) -> Iterator[Missed]:
    """Everybody on the frozen lists of a campaign, or of one run, whose message has no end or another than sent.

    Half a read unit a person; some 80 bytes a person of one run, and what is held of it, stay in memory.
    """
    lists = FrozenLists(stores)
    for files in run_files(stores, named(campaign)):
        yield from _of_run(stores, lists, files)


def _of_run(stores: Stores, lists: FrozenLists, files: RunFiles) -> Iterator[Missed]:
    twins, people = lists.frozen(files).twins, lists.people(files)
    of_twins: dict[int, tuple[Person, SendRecord | None]] = {}
    held = {one.send_id: one for one in held_of(stores, files.source)}
    while window := list(islice(people, WINDOW)):
        ended = {
            (record.customer_id, record.send_id): record
            for record in stores.reports.at({one.key: None for one in window})
        }
        for one in window:
            record = ended.get((one.customer_id, one.send_id))
            number = number_of(one.send_id)
            if number in twins:
                of_twins[number] = _likelier(of_twins.get(number), (one, record))
            elif record is None or record.status != "sent":
                yield _row(files.source, one, record, held)
    for one, record in of_twins.values():
        if record is None or record.status != "sent":
            yield _row(files.source, one, record, held)


def _likelier(
    earlier: tuple[Person, SendRecord | None] | None, later: tuple[Person, SendRecord | None]
) -> tuple[Person, SendRecord | None]:
    """Of one message under two customer ids, the end that is likelier to have arrived."""
    if earlier is None or earlier[1] is None:
        return later
    if later[1] is None:
        return earlier
    return max(earlier, later, key=lambda one: STRENGTH[one[1].status] if one[1] else -1)


def _row(source: str, one: Person, record: SendRecord | None, held: dict[str, HeldMessage]) -> Missed:
    if record is not None:
        at = format_instant(record.at)
        return Missed(source, one.customer_id, record.status, record.reason, "", at, one.send_id)
    waiting = held.get(one.send_id)
    if waiting is None or waiting.until is None:
        return Missed(source, one.customer_id, "queued", "", "", "", one.send_id)
    until = format_instant(waiting.until)
    return Missed(source, one.customer_id, "held", waiting.reason, until, "", one.send_id)
