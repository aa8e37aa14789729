"""Who is who: the tie between a LINE user and a customer, and what happens to both when it is made or ended."""

from typing import Literal

import msgspec

from functions.domain.customers import SEEN_KEPT, Alias, Customer, has_folded
from functions.domain.events import Event
from functions.domain.gate import Gate, merged, new_gate
from functions.domain.instants import Instant
from functions.domain.journeys import Journey, asked_anew
from functions.domain.line_events import anonymous_id
from functions.domain.menus import with_order
from functions.domain.profiles import Register, later, profile_union, union_must_refold

LinkStatus = Literal["linked", "conflict", "unlinked"]


class Link(msgspec.Struct, frozen=True, omit_defaults=True):
    """The tie of one LINE user. `customer_id` is the customer it is tied to, or was last; `claimed_by` who else says so."""

    line_user_id: str
    customer_id: str
    method: str
    status: LinkStatus
    linked_at: Instant
    changed_at: Instant
    event_id: str
    claimed_by: str = ""
    version: int = 0

    @property
    def owner(self) -> str:
        """The customer id under which this LINE user's events are folded."""
        return anonymous_id(self.line_user_id) if self.status == "unlinked" else self.customer_id


class AuditEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One change of a link: what it was before, what after, which event said so and when."""

    line_user_id: str
    at: Instant
    event_id: str
    source: str
    before: Link | None
    after: Link


def link_after(before: Link | None, event: Event) -> Link | None:
    """The link after `line_linked` or `line_unlinked`; None where it changes nothing (older news, or known already).

    A LINE user who is tied to another customer stays with that one; the claim is noted as a conflict.
    """
    user = str(event.properties["line_user_id"])
    if before and _is_older_news(before, event):
        return None
    if event.name == "line_unlinked":
        return _unlinked(before, event)
    same = before is not None and before.customer_id == event.customer_id
    if before and before.status != "unlinked" and not same:
        return _changed(before, event, "conflict", claimed_by=event.customer_id)
    return Link(
        line_user_id=user,
        customer_id=event.customer_id,
        method=str(event.properties.get("method") or "crm"),
        status="linked",
        linked_at=before.linked_at if before and same and before.status == "linked" else event.occurred_at,
        changed_at=event.occurred_at,
        event_id=event.event_id,
        version=before.version if before else 0,
    )


def _is_older_news(before: Link, event: Event) -> bool:
    """What one customer's unlink says is no news to another customer's link."""
    if before.status == "unlinked" and before.customer_id != event.customer_id:
        return False
    return (event.occurred_at, event.event_id) <= (before.changed_at, before.event_id)


def _unlinked(before: Link | None, event: Event) -> Link | None:
    """An unlink that overtakes its link is kept, so that the link, which is older, finds it."""
    if before is None:
        user, at = str(event.properties["line_user_id"]), event.occurred_at
        return Link(
            user, event.customer_id, "crm", "unlinked", linked_at=at, changed_at=at, event_id=event.event_id
        )
    if before.status == "unlinked" or before.customer_id != event.customer_id:
        return None
    return _changed(before, event, "unlinked")


def _changed(before: Link, event: Event, status: LinkStatus, claimed_by: str = "") -> Link:
    return msgspec.structs.replace(
        before, status=status, claimed_by=claimed_by, changed_at=event.occurred_at, event_id=event.event_id
    )


class Tied(msgspec.Struct, frozen=True):
    """Both sides after a link was made or ended; all are written together or not at all."""

    customer: Customer
    friend: Customer
    gate: Gate
    friend_gate: Gate


def tie(sides: Tied, event: Event) -> Tied:
    """The customer and the anonymous friend become one: profile, journeys, consent, contacts and claims carry over."""
    user = str(event.properties["line_user_id"])
    link = Register(user, event.occurred_at, event.event_id)
    customer, friend = sides.customer, sides.friend
    link_now = later(customer.link, link)
    profile = profile_union(customer.profile, friend.profile)
    customer = msgspec.structs.replace(
        customer,
        link=link_now,
        profile=msgspec.structs.replace(profile, linked=bool(link_now.value)),
        refold=customer.refold or friend.refold or not _is_union(customer, friend),
        seen=[*friend.seen, *customer.seen][-SEEN_KEPT:],
        journeys=_one_each(customer, friend, event.occurred_at),
        outbox=[*customer.outbox, *friend.outbox],
        intended=_added(customer.intended, friend.intended),
        menu=later(friend.menu, customer.menu) if customer.menu else friend.menu,
        assignments={**friend.assignments, **customer.assignments},
        first_id=_unit_of(customer, friend),
        aliases=list(
            dict.fromkeys([*customer.aliases, Alias(friend.customer_id, since=friend.history_from)])
        ),
        folded_by=_folded_by(customer, friend),
    )
    customer = with_order(customer)  # what was wished before there was anybody to see it, or somebody else
    customer = _in_segments_of_both(customer, friend, event.occurred_at)
    gate = msgspec.structs.replace(merged(sides.gate, sides.friend_gate), link=later(sides.gate.link, link))
    return Tied(
        customer=customer,
        friend=Customer(friend.customer_id, friend.version, merged_into=customer.customer_id),
        gate=gate,
        friend_gate=Gate(friend.customer_id, sides.friend_gate.version, merged_into=customer.customer_id),
    )


def _is_union(customer: Customer, friend: Customer) -> bool:
    """Whether the two profiles add up to that of both histories. Who were one before may both know an event."""
    parted = any(alias.customer_id == friend.customer_id and alias.until for alias in customer.aliases)
    return not parted and not union_must_refold(customer.profile, friend.profile)


def _unit_of(customer: Customer, friend: Customer) -> str:
    """The unit of whoever has been through something already, so that no experiment or holdout moves the person."""
    if customer.assignments or customer.journeys or not (friend.assignments or friend.journeys):
        return customer.unit
    return friend.unit


def _folded_by(customer: Customer, friend: Customer) -> str:
    """The dictionary of both profiles; nobody's where they differ, so that the history is folded anew."""
    known = {side.folded_by for side in (customer, friend) if has_folded(side)}
    return known.pop() if len(known) == 1 else ""


def _in_segments_of_both(customer: Customer, friend: Customer, at: Instant) -> Customer:
    """Member of what either was in: nobody enters what one of the two entered before. Due at the tie itself, which may
    change any."""
    versions = {side.segments_of for side in (customer, friend) if side.evaluated_at is not None}
    evaluations = [side.evaluated_at for side in (customer, friend) if side.evaluated_at is not None]
    return msgspec.structs.replace(
        customer,
        segments=sorted({*customer.segments, *friend.segments}),
        segments_of=versions.pop() if len(versions) == 1 else "",
        evaluated_at=max(evaluations, default=None),
        segments_due=max(at, *evaluations) if evaluations else None,
    )


def _one_each(customer: Customer, friend: Customer, at: Instant) -> list[Journey]:
    """The friend's journeys beside the customer's; where both go through one scenario, the customer's goes on. What they
    wait for is asked anew of the one profile."""
    running = {journey.scenario for journey in customer.journeys if journey.active}
    carried = [j for j in friend.journeys if not (j.active and j.scenario in running)]
    return [asked_anew(journey, at) for journey in (*customer.journeys, *carried)]


def _added(left: dict[str, int], right: dict[str, int]) -> dict[str, int]:
    return {name: left.get(name, 0) + right.get(name, 0) for name in sorted(left.keys() | right.keys())}


def untie(sides: Tied, event: Event) -> Tied:
    """The tie is ended: the friend is anonymous again.

    It keeps what is the LINE user's own: contacts that count against caps, claims of what was pushed to it, every
    withdrawal of consent. What happened before belongs to the customer, and what happened since to the friend: an
    unlink may come late, so that both are folded anew at their next change.
    """
    user = str(event.properties["line_user_id"])
    at, cut = event.occurred_at, Register(None, event.occurred_at, event.event_id)
    mine = sides.customer.line_user_id == user
    friend_id = anonymous_id(user)
    own = msgspec.structs.replace(
        sides.gate,
        claims=[claim for claim in sides.gate.claims if claim.to == user],
        consent={purpose: register for purpose, register in sides.gate.consent.items() if not register.value},
        holds=[],
        cases={},
    )
    friend_gate = merged(new_gate(friend_id, user, at, event.event_id), own)
    aliases = [
        msgspec.structs.replace(alias, until=at)
        if alias.customer_id == friend_id and alias.until is None
        else alias
        for alias in sides.customer.aliases
    ]
    customer = msgspec.structs.replace(sides.customer, aliases=aliases, refold=True)
    friend = Customer(friend_id, sides.friend.version, Register(user, at, event.event_id), refold=True)
    return Tied(
        customer=_cut_off(customer, cut) if mine else customer,
        friend=msgspec.structs.replace(friend, history_from=at),
        gate=msgspec.structs.replace(sides.gate, link=cut) if mine else sides.gate,
        friend_gate=msgspec.structs.replace(friend_gate, version=sides.friend_gate.version),
    )


def _cut_off(customer: Customer, cut: Register) -> Customer:
    profile = msgspec.structs.replace(customer.profile, linked=False)
    return msgspec.structs.replace(customer, link=cut, profile=profile)
