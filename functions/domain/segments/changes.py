"""When the answer to a segment changes by time alone."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from functions.domain.context import EMPTY, Context
from functions.domain.instants import Instant
from functions.domain.profiles import Profile
from functions.domain.segments.evaluation import compile_predicate
from functions.domain.segments.tree import CALENDAR, Tree, subtrees
from functions.domain.segments.turns import NextChange, leaf_change
from functions.domain.segments.values import Predicate

_CYCLE = dt.timedelta(days=13 * 366)
"""Every way in which a year's days can fall, leap years before, in and after it included, comes in so many days."""


def next_change(tree: Tree, profile: Profile, now: Instant, context: Context = EMPTY) -> Instant | None:
    """The first instant after `now` at which the answer differs from now's, if no event comes; None if none does."""
    return compile_next_change(tree, context)(profile, now)


def compile_next_change(tree: Tree, context: Context = EMPTY) -> NextChange:
    """`next_change` for one tree, to be asked of many profiles."""
    change = _signal(tree, context).change
    return change or (lambda _profile, _now: None)


class _Signal(NamedTuple):
    """A condition as it goes through time. `change`: None where time alone never changes it; `yearly`: it goes by the
    local day of the year and nothing else."""

    holds: Predicate
    change: NextChange | None
    yearly: bool


def _signal(tree: Tree, context: Context) -> _Signal:
    holds = compile_predicate(tree, context)
    match tree:
        case ["and" | "or" as word, *parts]:
            return _joined([_signal(part, context) for part in parts], holds, blocking=word == "or")
        case ["not", part]:
            inner = _signal(part, context)
            return _Signal(holds, inner.change, inner.yearly)
    change = leaf_change(tree, context)
    return _Signal(holds, change, change is not None and _is_yearly(tree))


def _is_yearly(tree: Tree) -> bool:
    moving = {node[0] for node in subtrees(tree)}
    if "month_of" in moving:
        return True
    return CALENDAR[1] in moving and not moving & {"count_in", "sum_in", "context"}


def _joined(parts: Sequence[_Signal], holds: Predicate, *, blocking: bool) -> _Signal:
    """`and`, where False is the answer of one part that decides the whole; `or`, where True is."""
    moving = [part for part in parts if part.change is not None]

    def change(profile: Profile, now: Instant) -> Instant | None:
        if holds(profile, now) is blocking:
            return _released(parts, profile, now, blocking=blocking)
        changes = (part.change(profile, now) for part in moving if part.change is not None)
        return min((at for at in changes if at is not None), default=None)

    return _Signal(holds, change if moving else None, bool(moving) and all(part.yearly for part in moving))


def _released(parts: Sequence[_Signal], profile: Profile, now: Instant, *, blocking: bool) -> Instant | None:
    """When no part decides the whole any more. It cannot be before the last of those that do now has changed."""
    at = since = now
    while True:
        deciding = [part for part in parts if part.holds(profile, at) is blocking]
        if not deciding:
            return at
        if not all(part.yearly for part in deciding):
            since = at
        elif at - since > _CYCLE:
            return None  # the days of the year on which they let go never meet
        changes = [part.change(profile, at) if part.change is not None else None for part in deciding]
        if None in changes:
            return None
        at = max(change for change in changes if change is not None)
