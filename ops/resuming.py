"""Bringing back what a block held: its messages leave their timers for the queue at once, not when they come up."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from functions.domain.account import scopes_of
from functions.domain.sends import Intent
from functions.ports.timers import DueRow
from ops.stores import Stores

SCAN_SEGMENTS = 8


class Freed(NamedTuple):
    """What was lifted: these reasons, of this scope; no `kinds`: of all of them."""

    reasons: tuple[str, ...]
    scope: str
    kinds: tuple[str, ...] = ()


class BroughtBack(NamedTuple):
    """How many messages went into the queue, and how many it did not take: those stay in their timers."""

    taken: int
    left: int


def bring_back(
    stores: Stores, freed: Freed, tell: Callable[[int], None] = lambda _count: None
) -> BroughtBack:
    """Every held message that waits for what was lifted, and for no other block. `tell` hears of each page's number.

    A row is taken away after its message is enqueued: a crash between brings it twice, and the gate counts it once.
    """
    _ = stores.timers, stores.send_queue, stores.playbooks  # opened by one thread

    def segment(number: int) -> BroughtBack:
        taken = left = 0
        for rows in stores.timers.held(number, SCAN_SEGMENTS):
            mine = [(row, row.intent) for row in rows if row.intent and _is_freed(stores, freed, row.intent)]
            page = _enqueued(stores, mine)
            taken, left = taken + page, left + len(mine) - page
            tell(page)
        return BroughtBack(taken, left)

    with ThreadPoolExecutor(SCAN_SEGMENTS) as pool:
        parts = list(pool.map(segment, range(SCAN_SEGMENTS)))
    return BroughtBack(sum(part.taken for part in parts), sum(part.left for part in parts))


def _is_freed(stores: Stores, freed: Freed, intent: Intent) -> bool:
    if not intent.holds or intent.holds[-1].reason not in freed.reasons:
        return False
    if freed.kinds and intent.kind not in freed.kinds:
        return False
    playbooks = stores.playbooks
    scopes = scopes_of(intent, playbooks.in_force().playbook, playbooks.version(intent.playbook).playbook)
    blocks, now = stores.account_state.read().blocks, stores.now()
    return freed.scope in scopes and not any(block.concerns(intent.kind, scopes, now) for block in blocks)


def _enqueued(stores: Stores, held: list[tuple[DueRow, Intent]]) -> int:
    taken = set(stores.send_queue.put([intent for _, intent in held]))
    gone = [row for row, intent in held if intent.send_id in taken]
    for row in gone:
        stores.timers.taken(row)
    return len(gone)
