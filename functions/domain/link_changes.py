"""What is written in one transaction when a link changes, or two customers become one."""

import msgspec

from functions.domain.identity import Tied
from functions.domain.instants import Instant
from functions.domain.links import UNDONE_WITHIN, AuditEntry, Link, Review
from functions.domain.stored import Carrying
from functions.domain.undoing import Keepsake


class Reward(msgspec.Struct, frozen=True):
    """The reward for linking: to a LINE user once, and to a customer once, whatever is linked, unlinked and linked again.

    `line_user_id` is empty where a customer is to count as rewarded because it was, as another one.
    """

    line_user_id: str
    customer_id: str
    at: Instant
    event_id: str


class LinkChange(msgspec.Struct, frozen=True):
    """A link's next state with its audit entry, and (where given) both sides, what is kept for an undo, the reward.

    `review` is what somebody has to decide from now on; None: nothing, also where there was something.
    """

    link: Link
    audit: AuditEntry
    sides: Tied | None = None
    review: Review | None = None
    keepsake: Keepsake | None = None
    reward: Reward | None = None


class MergeEntry(Carrying, msgspec.Struct, frozen=True, omit_defaults=True):
    """One customer became another one: the audit's entry, kept under the one that is no more. `undone_by`: the event that took
    it back, at `undone_at`; what `source` and `why` say is of that then."""

    customer_id: str
    into: str
    at: Instant
    event_id: str
    source: str
    undone_by: str = ""
    undone_at: Instant | None = None
    why: str = ""

    @property
    def undo_ends_at(self) -> Instant:
        """Until when it may be taken back."""
        return self.at + UNDONE_WITHIN


class Joining(msgspec.Struct, frozen=True):
    """Two customers become one, or two again: both sides (`friend` is the one that leads to the other), and what is kept of
    both for an undo. Their links follow, each in a transaction of its own."""

    sides: Tied
    entry: MergeEntry
    keepsake: Keepsake | None = None
    reward: Reward | None = None
