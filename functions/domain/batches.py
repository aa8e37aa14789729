"""Multicast batches: the same content for up to 500 people in one call, with the guarantees of single pushes.

A batch's members are claimed one by one under the batch's key, and then *sealed*: members and content are written once,
before the first call, so that every call is the same. Whatever was not sealed was never asked of LINE. What has happened
to a sealed batch stands in its *journal*, whose places are taken one after the other: whoever takes a place has read all
before it, so that nobody calls LINE any more once somebody has declared the batch void.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from functions.domain.campaigns import Chunk, Run, intent_of
from functions.domain.compiled import Compiled
from functions.domain.instants import Instant
from functions.domain.sends import BatchOrder, Intent, send_id_of

MULTICAST_MAX = 500
"""Recipients of one call (LINE's Messaging API reference, multicast)."""
MULTICAST_MIN = 10
"""Fewer are pushed one by one: what a batch keeps in the bucket costs as much as the claims of a few people."""

Content = list[dict[str, Any]]

Successor = Literal["again", "halves"]
"""What follows a void batch: one with those members whom it still may be for, or two halves, so that what LINE refuses in
it is found."""


class Sealed(msgspec.Struct, frozen=True):
    """What a batch says, and to whom: positions on its page. For good."""

    members: list[int]
    content: Content
    sealed_at: Instant


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One place of the journal: a call to LINE, or that the batch is void and what follows it.

    `refused`: LINE definitely did not take this call.
    """

    act: Literal["call", "again", "halves"]
    at: Instant
    refused: bool = False


Standing = Literal["untried", "tried", "again", "halves"]


def standing(journal: Sequence[Entry]) -> Standing:
    """Where a sealed batch stands: void; `tried`, where a call may have been accepted; `untried`, where surely none was."""
    void = next((entry.act for entry in journal if entry.act != "call"), None)
    if void is not None:
        return void
    return "untried" if all(entry.refused for entry in journal) else "tried"


def orders_of_page(
    run: Run,
    compiled: Compiled,
    account: str,
    segment: int,
    number: int,
    chunk: Chunk,
    multicast_min: int = MULTICAST_MIN,
) -> list[Intent | BatchOrder]:
    """A page's orders: people who are told the same in batches, where they are many enough, and all others alone."""
    alone: list[Intent | BatchOrder] = []
    batches: list[Intent | BatchOrder] = []
    message = compiled.playbook.messages[compiled.playbook.campaigns[run.campaign].message]
    for members in _told_the_same(chunk):
        if len(members) < multicast_min or message.is_personal:
            alone += [intent_of(chunk.recipients[one], run, compiled, account) for one in members]
            continue
        for start in range(0, len(members), MULTICAST_MAX):
            part = members[start : start + MULTICAST_MAX]
            batches.append(batch_order(account, run.source, segment, number, part))
    return [*alone, *batches]


def _told_the_same(chunk: Chunk) -> Iterator[list[int]]:
    """Positions on the page by the values that their message is filled with; nobody's LINE user is there twice."""
    groups: dict[bytes, dict[str, int]] = {}
    for position, recipient in enumerate(chunk.recipients):
        values = msgspec.json.encode(recipient.values, order="deterministic")
        groups.setdefault(values, {}).setdefault(recipient.line_user_id, position)
    yield from (list(group.values()) for group in groups.values())


def batch_order(
    account: str, source: str, segment: int, number: int, members: Sequence[int], way: str = "1"
) -> BatchOrder:
    """A batch of a page. Its name says what it is of, and by which way it came about; never an attempt."""
    page = f"{segment}/{number}/{','.join(map(str, members))}"
    return BatchOrder(
        send_id_of(account, source, "batch", page, "", way), source, segment, number, [*members]
    )


def successors(order: BatchOrder, sealed: Sealed, kind: Successor, account: str) -> list[BatchOrder]:
    """What comes after a void batch: the same however often it is worked out."""
    members, way = sealed.members, f"{order.send_id}/{kind}"
    middle = len(members) // 2
    parts = [members] if kind == "again" or not middle else [members[:middle], members[middle:]]
    return [batch_order(account, order.source, order.segment, order.number, part, way) for part in parts]
