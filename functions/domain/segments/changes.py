"""When the answer to a segment can change by time alone."""

import math
from collections.abc import Callable, Iterator

from functions.domain.instants import Instant
from functions.domain.profiles import Profile
from functions.domain.segments.evaluation import compile_predicate
from functions.domain.segments.tree import Tree, subtrees
from functions.domain.segments.values import Reader, days_above, days_at_least, reader

NextChange = Callable[[Profile, Instant], Instant | None]


def next_change(tree: Tree, profile: Profile, now: Instant) -> Instant | None:
    """The first instant after `now` at which the answer differs from now's, if no event comes; None if none does."""
    return compile_next_change(tree)(profile, now)


def compile_next_change(tree: Tree) -> NextChange:
    """`next_change` for one tree, to be asked of many profiles. At most two candidates an age in the tree are tried."""
    ages = list(_ages(tree))
    if not ages:
        return lambda _profile, _now: None
    holds = compile_predicate(tree)

    def change(profile: Profile, now: Instant) -> Instant | None:
        before = holds(profile, now)
        candidates = {at for since, number in ages for at in _turns(since, number, profile, now)}
        return next((at for at in sorted(candidates) if holds(profile, at) != before), None)

    return change


def _ages(tree: Tree) -> Iterator[tuple[Reader, Reader]]:
    """What each comparison of an age reads: the instant it counts from, and the number on the other side."""
    for node in subtrees(tree):
        match node:
            case ["cmp", _, ["days_since", since], other] | ["cmp", _, other, ["days_since", since]]:
                yield reader(since), reader(other)


def _turns(since: Reader, number: Reader, profile: Profile, now: Instant) -> Iterator[Instant]:
    """The instants after `now` at which the age comes to be >= the number, or > the number."""
    start, limit = since(profile, now), number(profile, now)
    if start is None or type(limit) not in (int, float) or not math.isfinite(limit):
        return
    for span in (days_at_least(limit), days_above(limit)):
        try:
            at = start + span
        except OverflowError:
            continue  # beyond the calendar: never
        if at > now:
            yield at
