"""What a person decides about a link, as events: they come in through the inbox like everything else."""

from functions.domain.events import OPERATOR_EVENTS, Event
from functions.domain.instants import Instant
from functions.domain.journeys import fingerprint
from functions.domain.link_changes import MergeEntry
from functions.domain.links import Link

REVIEW = "review"


def given(link: Link, customer_id: str, by: str, why: str, at: Instant) -> Event:
    """The LINE user is this customer's, whoever's it was. Void where the link is no longer the one that was looked at."""
    promised = link.claim_rewards and link.claimed_by == customer_id
    return _decided(link, "give", "line_linked", customer_id, by, why, at, reward=promised)


def kept_free(link: Link, by: str, why: str, at: Instant) -> Event:
    """A claim on a LINE user that is nobody's comes to nothing."""
    return _decided(link, "free", "line_unlinked", link.claimed_by, by, why, at)


def undo_of(link: Link, by: str, why: str, at: Instant) -> Event:
    """The tie is taken back: the two never were one."""
    return _decided(link, "undo", "line_unlinked", link.customer_id, by, why, at, undo=True)


def parting_of(entry: MergeEntry, by: str, why: str, at: Instant) -> Event:
    """That two customers are one is taken back. Void where it was taken back already, or is said anew since."""
    told = fingerprint(f"{entry.customer_id}\x1f{entry.event_id}")
    return Event(
        event_id=f"{OPERATOR_EVENTS}part:{told}",
        customer_id=entry.customer_id,
        name="customers_merged",
        occurred_at=max(at, entry.at),
        source=f"operator:{by}",
        properties={"into": entry.into, "undo": True, "seen": entry.event_id, "why": why},
    )


def _decided(
    link: Link, what: str, name: str, customer_id: str, by: str, why: str, at: Instant, **more: bool
) -> Event:
    """Named after what was looked at, so that the same decision given twice is one."""
    told = fingerprint(f"{link.line_user_id}\x1f{customer_id}")
    return Event(
        event_id=f"{OPERATOR_EVENTS}{what}:{told}:{link.version}",
        customer_id=customer_id,
        name=name,
        occurred_at=max(at, link.changed_at, link.claimed_at or at),
        source=f"operator:{by}",
        properties={
            "line_user_id": link.line_user_id,
            "method": REVIEW,
            "seen_version": link.version,
            "why": why,
            **more,
        },
    )
