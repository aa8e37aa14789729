"""Links: which customer each LINE user is tied to, who else says so, and who has to decide."""

import datetime as dt
from collections.abc import Sequence
from typing import Literal

import msgspec

from functions.domain.events import OPERATOR_EVENTS, Event
from functions.domain.instants import Instant
from functions.domain.line_events import anonymous_id
from functions.domain.stored import Carrying

LinkStatus = Literal["linked", "conflict", "unlinked"]
State = Literal["anonymous", "linked", "conflict", "unlinked", "erased"]
"""Of a LINE user: without a link it is anonymous; of who was erased no link is left, but a suppression says so."""
ReviewReason = Literal["two_customers", "several_line_users", "phone"]

UNDONE_WITHIN = dt.timedelta(days=30)
"""For so long after it a tie may be undone."""
KEEPSAKES_KEPT = dt.timedelta(days=35)


class Link(Carrying, msgspec.Struct, frozen=True, omit_defaults=True):
    """The tie of one LINE user. `customer_id` is the customer it is tied to, or was last; empty where there was none.

    In a conflict `claimed_by` is who else says so (empty: several, whom the review names), with the claim's method and
    whether it asked for the reward. `claimed_at` and `claim_id` are of the last claim, also where it came to nothing.
    `came_by`: the customer that the LINE user was said to be, where that one has become `customer_id`. Whoever that one is
    now, the LINE user is: `customer_id` is brought after it.
    """

    line_user_id: str
    customer_id: str
    method: str
    status: LinkStatus
    linked_at: Instant
    changed_at: Instant
    event_id: str
    claimed_by: str = ""
    claim_method: str = ""
    claim_id: str = ""
    claimed_at: Instant | None = None
    claim_rewards: bool = False
    came_by: str = ""
    version: int = 0

    @property
    def tied(self) -> bool:
        """Whether a customer owns it now: also in a conflict, until somebody decides otherwise."""
        return bool(self.customer_id) and self.status in ("linked", "conflict")

    @property
    def said_of(self) -> str:
        """The customer that the LINE user was said to be, whoever that one has become."""
        return self.came_by or self.customer_id

    @property
    def owner(self) -> str:
        """The customer id under which this LINE user's events are folded."""
        return self.customer_id if self.tied else anonymous_id(self.line_user_id)


class AuditEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One change of a link: what it was before, what after, which event said so, when, from where and by which method.

    `source` is the event's: the CRM's name, `line`, or `operator:<name>` where a person decided; `why` is theirs.
    """

    line_user_id: str
    at: Instant
    event_id: str
    source: str
    before: Link | None
    after: Link
    method: str = ""
    why: str = ""


class Review(msgspec.Struct, frozen=True, omit_defaults=True):
    """A link that waits for somebody's decision: why, since when, and the customers who may be the LINE user."""

    line_user_id: str
    reason: ReviewReason
    since: Instant
    candidates: list[str]


def method_of(event: Event) -> str:
    """How the event says that it came about."""
    return str(event.properties.get("method") or "crm")


def is_decision(event: Event) -> bool:
    """Whether a person decided this. Such ids cannot come from outside."""
    return event.event_id.startswith(OPERATOR_EVENTS)


def is_undo(event: Event) -> bool:
    """Whether it takes a tie back as if it had never been."""
    return event.name == "line_unlinked" and is_decision(event) and bool(event.properties.get("undo"))


def is_parting(event: Event) -> bool:
    """Whether it takes back that two customers are one."""
    return event.name == "customers_merged" and is_decision(event) and bool(event.properties.get("undo"))


def without_claim(link: Link) -> Link:
    """The link without the claim of anybody else."""
    return msgspec.structs.replace(
        link, claimed_by="", claim_method="", claim_id="", claimed_at=None, claim_rewards=False
    )


def newest_of(links: Sequence[Link]) -> Link | None:
    """Of a customer's links the tied one that was said last: messages go to its LINE user."""
    tied = [link for link in links if link.tied]
    return max(tied, key=lambda link: (link.changed_at, link.event_id), default=None)


def review_of(link: Link, reason: ReviewReason | None = None) -> Review | None:
    """What somebody has to decide about this link; None where nothing waits."""
    if link.status != "conflict":
        return None
    candidates = [one for one in (link.customer_id, link.claimed_by) if one]
    since = link.claimed_at or link.changed_at
    told = reason or ("two_customers" if link.customer_id else "several_line_users")
    return Review(link.line_user_id, told, since, candidates)


def undo_ends_at(link: Link) -> Instant:
    """Until when the tie may be undone."""
    return link.linked_at + UNDONE_WITHIN
