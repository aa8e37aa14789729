"""What is written in one transaction when a link changes, or two customers become one."""

import msgspec

from functions.domain.identity import Tied
from functions.domain.instants import Instant
from functions.domain.links import AuditEntry, Link, Review
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


class MergeEntry(msgspec.Struct, frozen=True):
    """One customer became another one: the audit's entry, kept under the one that is no more."""

    customer_id: str
    into: str
    at: Instant
    event_id: str
    source: str


class Joining(msgspec.Struct, frozen=True):
    """Two customers become one: both sides (`friend` is the one that leads to the other), and the links that move."""

    sides: Tied
    entry: MergeEntry
    links: list[LinkChange]
    reward: Reward | None = None
