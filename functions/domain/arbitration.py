"""Who yields to whom: a message goes only where that delays nothing better within the windows that they share."""

import datetime as dt
import heapq
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from functions.domain.caps import counts, first_refusal, leaves_at
from functions.domain.gate import Contact
from functions.domain.instants import Instant
from functions.domain.playbook import Cap, Kind

_FIRST = -1


class Upcoming(msgspec.Struct, frozen=True):
    """A message that will want to be sent. `hold_seconds_max`: its own patience; None: that of the cap it meets."""

    at: Instant
    kind: Kind
    rank: int
    category: str = ""
    hold_seconds_max: int | None = None


class _Play(NamedTuple):
    """When each of the wishes goes (None: never), all that counts in the end, and whether `mine` could go."""

    went: list[Instant | None]
    taken: list[Contact]
    let: bool = True


def yields_until(
    mine: Upcoming, better: Sequence[Upcoming], contacts: Sequence[Contact], caps: Sequence[Cap], zone: str
) -> Instant | None:
    """When `mine` may go without delaying any of the better ones that share a cap with it; None: at its own instant.

    Played out: once with the better ones alone, once with `mine` among them. What goes later then, or no longer goes,
    was delayed. There is always such an instant: when all that counts with it has left.
    """
    shared = [cap for cap in caps if counts(cap, mine.kind, mine.category)]

    def shares(kind: Kind, category: str) -> bool:
        return any(counts(cap, kind, category) for cap in shared)

    watched = [number for number, one in enumerate(better) if shares(one.kind, one.category)]
    if not watched:
        return None
    alone = _played(better, contacts, caps, zone)

    def fits(at: Instant) -> bool:
        among = _played(better, contacts, caps, zone, msgspec.structs.replace(mine, at=at))
        return among.let and not any(_is_delayed(alone.went[n], among.went[n]) for n in watched)

    if fits(mine.at):
        return None
    leaving = {
        leaves_at(cap, one.at, zone)
        for cap in shared
        for one in alone.taken
        if counts(cap, one.kind, one.category)
    }
    return next(at for at in sorted(leaving) if at > mine.at and fits(at))


def _is_delayed(alone: Instant | None, among: Instant | None) -> bool:
    """Whether what goes when it is alone goes later among others, or no longer."""
    return alone is not None and (among is None or among > alone)


def _played(
    wishes: Sequence[Upcoming],
    contacts: Sequence[Contact],
    caps: Sequence[Cap],
    zone: str,
    mine: Upcoming | None = None,
) -> _Play:
    """What becomes of the wishes as time goes on: sent, held and tried again, or dropped, each as the gate would.

    `mine`, where given, goes at its instant before all others, or not at all.
    """
    went: list[Instant | None] = [None] * len(wishes)
    taken = list(contacts)
    queue = [(one.at, one.rank, number) for number, one in enumerate(wishes)]
    if mine is not None:
        queue.append((mine.at, _FIRST, _FIRST))
    heapq.heapify(queue)
    while queue:
        at, rank, number = heapq.heappop(queue)
        one = mine if number == _FIRST and mine is not None else wishes[number]
        refused = first_refusal(caps, taken, one.kind, one.category, zone, at)
        if refused is None:
            taken.append(Contact("", one.kind, at, one.category))
            if number != _FIRST:
                went[number] = at
            continue
        if number == _FIRST:
            return _Play(went, taken, let=False)
        cap, opens = refused
        patience = cap.hold_seconds_max if one.hold_seconds_max is None else one.hold_seconds_max
        if opens - at <= dt.timedelta(seconds=patience):
            heapq.heappush(queue, (opens, rank, number))
    return _Play(went, taken)
