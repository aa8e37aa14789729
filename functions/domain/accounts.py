"""The accounts: targeted = sent + suppressed by reason + failed + unknown + pending, and when a campaign run is finished.

A run's frozen list is held against the send log as a set, not as a number: both sides are summed up over the names of
their messages, so that somebody who was left out is never made up for by somebody else who was not meant.
"""

import uuid
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from functions.domain.sends import Outcome

MODULUS = 1 << 128
STRENGTH: dict[Outcome, int] = {"sent": 3, "unknown": 2, "failed": 1, "suppressed": 0}
"""Of several ends of one message, under two ids of one person, the one that counts: the likeliest to have arrived."""

State = Literal[
    "freezing", "waiting for approval", "enqueueing", "running", "finished", "settled", "list is gone"
]


class Accounts(msgspec.Struct, frozen=True):
    """Messages by what became of them. `suppressed` by reason."""

    targeted: int
    sent: int
    suppressed: dict[str, int]
    failed: int
    unknown: int
    pending: int

    @property
    def ended(self) -> int:
        """How many have ended, one way or another."""
        return self.sent + sum(self.suppressed.values()) + self.failed + self.unknown

    @property
    def is_closed(self) -> bool:
        """Whether every targeted message has ended in exactly one state."""
        return self.pending == 0 and self.ended == self.targeted

    def as_json(self) -> dict[str, Any]:
        """The contract's form."""
        return msgspec.to_builtins(self)  # type: ignore[no-any-return]


def accounts_from(targeted: int, ends: Mapping[tuple[Outcome, str], int]) -> Accounts:
    """The accounts of so many messages, by the number of each (status, reason); what has no end is pending."""
    by_status: dict[str, int] = {}
    suppressed: dict[str, int] = {}
    for (status, reason), count in sorted(ends.items()):
        by_status[status] = by_status.get(status, 0) + count
        if status == "suppressed" and count:
            suppressed[reason] = suppressed.get(reason, 0) + count
    return Accounts(
        targeted=targeted,
        sent=by_status.get("sent", 0),
        suppressed=suppressed,
        failed=by_status.get("failed", 0),
        unknown=by_status.get("unknown", 0),
        pending=targeted - sum(ends.values()),
    )


class Names(msgspec.Struct, frozen=True):
    """A set of messages in 16 bytes: how many, and the sum of their names. Names are SHA-1 (uuid5): two sets that
    differ have the same sum once in 2^122."""

    count: int = 0
    total: int = 0

    def with_name(self, send_id: str) -> "Names":
        """The set with one message more, which must be new to it."""
        return Names(self.count + 1, (self.total + number_of(send_id)) % MODULUS)


def number_of(send_id: str) -> int:
    """A message's name as a number."""
    return uuid.UUID(send_id).int


class Frozen(msgspec.Struct, frozen=True):
    """How far the list of a run is. `open_segments`: scan segments of which no last page is frozen; `twins`: messages
    that are on the list under more than one customer id."""

    names: Names
    pages: int
    enqueued: int
    segments: int
    open_segments: int
    twins: frozenset[int] = frozenset()
    awaits_approval: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether everybody whom the run is for is on the list by now."""
        return self.open_segments == 0


def state_of_run(frozen: Frozen, pending: int) -> State:
    """Where a run stands."""
    if not frozen.is_whole:
        return "freezing"
    if frozen.awaits_approval:
        return "waiting for approval"
    if frozen.enqueued < frozen.pages:
        return "enqueueing"
    return "running" if pending else "finished"


def missing_of_run(frozen: Frozen, accounts: Accounts, ended: Names) -> list[str]:
    """All that keeps a run from being finished, in words; empty where it is."""
    told = []
    if not frozen.is_whole:
        told.append(
            f"{frozen.open_segments} of {frozen.segments} scan segments are not frozen to their end:"
            f" {accounts.targeted:,} are targeted at least"
        )
    if frozen.awaits_approval:
        told.append("nobody has approved it")
    if frozen.enqueued < frozen.pages:
        told.append(f"{frozen.pages - frozen.enqueued:,} of {frozen.pages:,} pages are not enqueued")
    if accounts.pending > 0:
        told.append(f"{accounts.pending:,} on its list have no end")
    if accounts.pending < 0 or (accounts.pending == 0 and ended != frozen.names):
        told.append("the send log has ends of messages that are not on its list")
    return told
