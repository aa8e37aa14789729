"""What a person sees of links, and what would change by a decision: read from the stores, nothing written."""

from collections.abc import Iterator
from typing import Any

import msgspec

from functions.decide.histories import history_of
from functions.domain.customers import Customer
from functions.domain.erasure import StateChange, identity_of
from functions.domain.events import SAID_AT_LINE
from functions.domain.instants import format_instant
from functions.domain.line_events import ANONYMOUS, anonymous_id, is_anonymous
from functions.domain.link_changes import MergeEntry
from functions.domain.links import AuditEntry, Link, Review, State, undo_ends_at
from functions.domain.parting import names_of
from ops.errors import UserError
from ops.stores import Stores

Told = dict[str, Any]


class Known(msgspec.Struct, frozen=True):
    """A LINE user's link, whose it is, and what was noted of it."""

    link: Link
    audit: list[AuditEntry]


class Unlinked(msgspec.Struct, frozen=True):
    """Somebody without a link: an anonymous friend, or who was erased. `identifier` is what was asked for, and kept nowhere."""

    identifier: str
    state: State
    changes: list[StateChange]


def links_known_as(stores: Stores, identifier: str) -> list[Known | Unlinked]:
    """The links of a LINE user, or all that name a customer; with what is kept of earlier erasures of it. UserError where
    nobody is known, nor ever was."""
    link = stores.identities.link_of(identifier)
    links = [link] if link else stores.identities.links_of(_standing(stores, identifier))
    found: list[Known | Unlinked] = [
        Known(one, stores.identities.audit_of(one.line_user_id)) for one in links
    ]
    erased = [
        one
        for one in map(stores.suppressions.known, (f"line#{identifier}", identity_of(identifier)))
        if one is not None
    ]
    friend = stores.customers.load(anonymous_id(identifier)) is not None
    if erased:
        state: State = links[0].status if link else erased[0].state
        return [Unlinked(identifier, state, erased[0].changes), *found]
    if not found and friend:
        return [Unlinked(identifier, "anonymous", [])]
    if not found:
        raise UserError(
            f"Nobody is linked as {identifier!r}: name a LINE user id, or a customer id that was linked once. Who was erased "
            "is found by the very id alone."
        )
    return found


def in_state(stores: Stores, state: State) -> list[Told]:
    """All LINE users in this state, for `--format json`; of who was erased the hash of each id that is suppressed."""
    if state == "erased":
        return [
            {"hash": name, "status": state, "at": format_instant(one.at), "erasure": one.erasure_id}
            for name, one in stores.suppressions.all()
            if one.state == state
        ]
    links = stores.identities.all_links()
    if state == "anonymous":
        known = {link.line_user_id for link in links}
        return [
            {"line_user_id": user, "status": state, "customer_id": None}
            for user in _friends(stores)
            if user not in known
        ]
    return [
        {
            "line_user_id": link.line_user_id,
            "status": link.status,
            "customer_id": link.customer_id or None,
            "at": format_instant(link.changed_at),
        }
        for link in links
        if link.status == state
    ]


def _friends(stores: Stores) -> Iterator[str]:
    """Every LINE user whose events are kept under no customer."""
    key = ""
    while True:
        page, key = stores.audience.page(0, 1, key)
        for customer in page:
            if is_anonymous(customer.customer_id) and not customer.merged_into:
                yield customer.customer_id.removeprefix(ANONYMOUS)
        if not key:
            return


def unlinked_json(known: Unlinked, account: str) -> Told:
    """For `--format json`."""
    return {
        "account": account,
        "id": known.identifier,
        "customer_id": None,
        "status": known.state,
        "audit": [
            {
                "at": format_instant(one.at),
                "source": one.by,
                "method": "erasure" if one.after == "erased" else "follow",
                "event_id": one.how,
                "before": {"status": one.before},
                "after": {"status": one.after},
            }
            for one in known.changes
        ],
    }


def _standing(stores: Stores, customer_id: str) -> str:
    customer = stores.customers.load(customer_id)
    while customer is not None and customer.merged_into:
        customer_id = customer.merged_into
        customer = stores.customers.load(customer_id)
    return customer_id


def link_to_decide(stores: Stores, user: str) -> Link:
    """The link of a LINE user that waits for a decision. UserError where none does."""
    link = stores.identities.link_of(user)
    if link is None or link.status != "conflict":
        raise UserError(f"Nothing waits for a decision on {user!r}; 'musubi links list' says what does.")
    return link


def link_to_undo(stores: Stores, user: str) -> Link:
    """The link of a LINE user whose last tie can be taken back. UserError, with what to do instead, where it cannot."""
    link = stores.identities.link_of(user)
    if link is None or not link.tied:
        raise UserError(f"{user!r} is linked to nobody, so there is nothing to undo.")
    ends = undo_ends_at(link)
    if stores.now() > ends:
        raise UserError(
            f"It was linked at {format_instant(link.linked_at)}, and could be undone until {format_instant(ends)}. Now it can "
            "only be unlinked: send line_unlinked. What happened so far then stays with the customer."
        )
    if stores.identities.keepsake_of(user) is None:
        raise UserError("What was kept for an undo is no longer there; send line_unlinked instead.")
    return link


def review_json(review: Review) -> Told:
    """For `--format json`."""
    return {
        "line_user_id": review.line_user_id,
        "reason": review.reason,
        "since": format_instant(review.since),
        "candidates": review.candidates,
    }


def known_json(known: Known, account: str) -> Told:
    """For `--format json`; `account`: in which the link holds, for the same LINE user may be another customer's elsewhere."""
    link = known.link
    return {
        "account": account,
        "line_user_id": link.line_user_id,
        "customer_id": link.customer_id or None,
        "status": link.status,
        "method": link.method or None,
        "linked_at": format_instant(link.linked_at),
        "claimed_by": link.claimed_by or None,
        "undo_until": format_instant(undo_ends_at(link)) if link.tied else None,
        "audit": [_entry_json(entry) for entry in known.audit],
    }


def _entry_json(entry: AuditEntry) -> Told:
    return {
        "at": format_instant(entry.at),
        "source": entry.source or None,
        "method": entry.method or None,
        "event_id": entry.event_id,
        "why": entry.why or None,
        "before": _state(entry.before),
        "after": _state(entry.after),
    }


def _state(link: Link | None) -> Told:
    if link is None:
        return {"status": "anonymous", "customer_id": None, "claimed_by": None}
    return {
        "status": link.status,
        "customer_id": link.customer_id or None,
        "claimed_by": link.claimed_by or None,
    }


def foreseen_gift(stores: Stores, link: Link, customer_id: str) -> list[str]:
    """What giving the LINE user to a customer would change, a line each."""
    others = [
        one.line_user_id
        for one in stores.identities.links_of(customer_id)
        if one.tied and one.customer_id == customer_id and one.line_user_id != link.line_user_id
    ]
    lines = [f"{link.line_user_id} will be {customer_id}'s."]
    if link.customer_id == customer_id:
        lines = [
            f"{link.line_user_id} stays {customer_id}'s; the claim of {link.claimed_by} comes to nothing."
        ]
    elif link.tied:
        lines.append(
            f"It is {link.customer_id}'s now: what happened so far stays with {link.customer_id}, who gets no more messages "
            "there. If it never was theirs, undo that link first."
        )
    if others:
        lines.append(
            f"{customer_id} has {', '.join(others)} as well: messages will go to {link.line_user_id}."
        )
    return lines


def foreseen_undo(stores: Stores, link: Link) -> list[str]:
    """What taking the tie back would change, a line each."""
    user = link.line_user_id
    customer = stores.customers.load(_standing(stores, link.customer_id))
    kept = stores.identities.keepsake_of(user)
    if customer is None or kept is None:
        raise UserError("The customer is no longer there, so there is nothing to undo.")
    theirs = _events_of(stores, customer, user)
    return [
        f"{user} and {customer.customer_id} were tied at {format_instant(link.linked_at)} ({link.method}).",
        f"{theirs:,} events of LINE go back to the friend, who is anonymous again; all others stay with {customer.customer_id}.",
        f"{len(kept.friend.journeys):,} journeys that came with the friend go back to it, at the step where they are now.",
        "What was sent stays counted for both, so that nobody gets more than the caps allow.",
        f"Messages to the LINE user that wait under {customer.customer_id} are not sent.",
    ]


def _events_of(stores: Stores, customer: Customer, user: str) -> int:
    """How many events the friend would get back."""
    since = stores.identities.keepsake_of(user)
    begins = since.friend.history_from if since else None
    brought = {event.identity for event in stores.events.all_of(anonymous_id(user))}
    told = {
        event.identity
        for event in history_of(stores.events, customer).events
        if event.source in SAID_AT_LINE and event.properties.get("line_user_id") == user
        and (begins is None or event.occurred_at > begins)
    }  # fmt: skip
    return len(told | (brought if begins is None else set()))


def merge_to_undo(stores: Stores, customer_id: str) -> MergeEntry:
    """The merge of a customer that can be taken back. UserError, with what to do instead, where it cannot."""
    entry = stores.identities.merge_of(customer_id)
    if entry is None or entry.undone_by:
        raise UserError(f"{customer_id!r} is merged into nobody, so there is nothing to undo.")
    stays = _standing(stores, entry.into)
    if stays != entry.into:
        raise UserError(
            f"{customer_id!r} was merged into {entry.into!r}, who has been merged into another one since: undo that first, "
            f"with --customers {entry.into}."
        )
    if stores.now() > entry.undo_ends_at:
        raise UserError(
            f"It was merged at {format_instant(entry.at)}, and could be undone until {format_instant(entry.undo_ends_at)}. "
            "Let the CRM tell what is of whom from now on under a new customer id."
        )
    if stores.identities.keepsake_of_merge(customer_id) is None:
        raise UserError("Nothing was kept for an undo of it: it was merged by an earlier version of Musubi.")
    return entry


def foreseen_parting(stores: Stores, entry: MergeEntry) -> list[str]:
    """What taking a merge back would change, a line each."""
    kept = stores.identities.keepsake_of_merge(entry.customer_id)
    if kept is None:
        raise UserError("Nothing was kept for an undo of it.")
    names = names_of(kept)
    links = [one for one in stores.identities.links_of(entry.into) if one.tied and one.said_of in names]
    users = ", ".join(one.line_user_id for one in links) or "no LINE user"
    told = sum(event.told_of in names for event in stores.events.all_of(entry.into))
    return [
        f"{entry.customer_id} was merged into {entry.into} at {format_instant(entry.at)}.",
        f"{entry.customer_id} is a customer of its own again, with {users} and the {told:,} events told of it since.",
        f"{len(kept.friend.journeys):,} journeys that it brought go back to it, at the step where they are now.",
        "What was sent stays counted for both, so that nobody gets more than the caps allow.",
        f"Messages to its LINE users that wait under {entry.into} are not sent.",
    ]
