"""The audit of a replay: who asked for what, and letter by letter what was done."""

import msgspec

from functions.domain.dead_letters import Filters
from functions.domain.instants import Instant


class Redrive(msgspec.Struct, frozen=True):
    """One replay as it was asked for. `by`: who asked."""

    redrive_id: str
    at: Instant
    by: str
    filters: Filters


class Planned(msgspec.Struct, frozen=True):
    """A letter that is about to be put back onto its queue."""

    message_id: str
    queue: str
    kind: str
    cause: str


class Page(msgspec.Struct, frozen=True, omit_defaults=True):
    """The audit of at most ten letters, written thrice: when it was planned; when the queue had taken them in, with the
    id of each new message (`put`: old id → new id); when the letters were deleted."""

    at: Instant
    planned: list[Planned] = []
    put: dict[str, str] = {}
    deleted: list[str] = []


class Trail(msgspec.Struct, frozen=True):
    """What is on record of one replay. `pages`: how many were begun; `put`: old id → new id, over all of them;
    `deleted`: old ids."""

    redrive: Redrive
    pages: int = 0
    put: dict[str, str] = {}
    deleted: frozenset[str] = frozenset()
    finished: bool = False


class Tally(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a replay has done. `put_back`: onto their queues; `cleared`: deleted only, for an earlier attempt had put them
    back; `refused`: not taken in by the queue; `unreadable`: left where they are."""

    put_back: int = 0
    cleared: int = 0
    refused: int = 0
    unreadable: int = 0

    def plus(self, **more: int) -> "Tally":
        """With so many more."""
        return msgspec.structs.replace(self, **{name: getattr(self, name) + n for name, n in more.items()})
