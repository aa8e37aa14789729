"""The segments whose members are known at any time, and what it is to enter or leave one."""

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple

import msgspec

from functions.domain.instants import Instant, format_instant
from functions.domain.playbook import Segment
from functions.domain.profiles import Profile
from functions.domain.segments import compile_next_change, compile_predicate, reads_context
from functions.domain.segments.turns import NextChange
from functions.domain.segments.values import Predicate


class SegmentChange(msgspec.Struct, frozen=True):
    """A customer entered or left a segment at `at`; `since` is when that happened which was the cause of it."""

    hash: str
    names: frozenset[str]
    on: Literal["entered", "left"]
    at: Instant
    since: Instant

    @property
    def identity(self) -> str:
        """The same for the same change, however often it is found."""
        return f"segment:{self.hash}:{self.on}:{format_instant(self.at)}"

    @property
    def occurred_at(self) -> Instant:
        """As an event has it: from here the days of a journey are counted."""
        return self.at


class Tracked(NamedTuple):
    """One meaning, under all its names in a playbook."""

    hash: str
    names: frozenset[str]
    holds: Predicate
    next_change: NextChange


def track(segments: Mapping[str, Segment]) -> dict[str, Tracked]:
    """The segments to keep members of, by hash. What reads context facts is none: it changes without the customer."""
    trees = {segment.hash: segment.when for segment in segments.values() if not reads_context(segment.when)}
    return {
        key: Tracked(
            key,
            frozenset(name for name, segment in segments.items() if segment.hash == key),
            compile_predicate(tree),
            compile_next_change(tree),
        )
        for key, tree in sorted(trees.items())
    }


def members(profile: Profile, tracked: Collection[Tracked], at: Instant) -> list[str]:
    """The hashes of the segments that hold on what is confirmed, sorted."""
    return sorted(one.hash for one in tracked if one.holds(profile, at))


def next_change_of(profile: Profile, tracked: Collection[Tracked], at: Instant) -> Instant | None:
    """The first instant after `at` at which time alone changes any of them; None where it never does."""
    changes = (one.next_change(profile, at) for one in tracked)
    return min((change for change in changes if change is not None), default=None)
