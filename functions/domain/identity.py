"""Who is who: what happens to a LINE user's friend and a customer when they are tied, untied, or turn out to be two.

The link itself, and what one more word on it changes, is in `links` and `link_steps`; taking a tie back is in `undoing`.
"""

import datetime as dt
from collections.abc import Container, Mapping

import msgspec

from functions.domain.bases import later_lines
from functions.domain.customers import SEEN_KEPT, Alias, Customer, has_folded
from functions.domain.events import Event
from functions.domain.gate import Gate, merged, new_gate
from functions.domain.instants import Instant
from functions.domain.journeys import Journey, asked_anew, ended
from functions.domain.line_events import anonymous_id, is_anonymous
from functions.domain.link_steps import link_after
from functions.domain.links import AuditEntry, Link, LinkStatus
from functions.domain.menus import with_order
from functions.domain.playbook import Scenario
from functions.domain.profiles import Register, later, profile_union, union_must_refold

__all__ = ["AuditEntry", "Link", "LinkStatus", "Tied", "joined", "link_after", "tie", "untie"]

Scenarios = Mapping[str, Scenario]
"""Those of the playbook in force, whose re-entry rules say whether somebody may go through one twice."""


class Tied(msgspec.Struct, frozen=True):
    """Both sides after a link was made or ended; all are written together or not at all."""

    customer: Customer
    friend: Customer
    gate: Gate
    friend_gate: Gate


def tie(sides: Tied, event: Event, scenarios: Scenarios = {}) -> Tied:  # noqa: B006 — nothing changes it
    """The customer and the anonymous friend become one: profile, journeys, consent, contacts and claims carry over."""
    user = str(event.properties["line_user_id"])
    link = Register(user, event.occurred_at, event.event_id)
    alias = Alias(sides.friend.customer_id, sides.friend.history_from, told_of=event.told_of)
    return _united(sides, link, [alias], event.occurred_at, scenarios)


def joined(
    sides: Tied,
    event: Event,
    newest: Link | None = None,
    scenarios: Scenarios = {},  # noqa: B006
) -> Tied:
    """Two customers of the CRM become one: `customer` stays, and `friend`, who was a customer as well, leads to it.

    `newest`: the link of the LINE user, of either, to whom messages go now.
    """
    name = sides.friend.customer_id
    brought = [
        *(msgspec.structs.replace(one, told_of=one.told_of or name) for one in sides.friend.aliases),
        Alias(name, told_of=name),
    ]
    # Whoever was parted from one of both, and is a part of both now, is disowned no more.
    parts = {one.customer_id for one in (*sides.customer.aliases, *brought)}
    customer, friend = (
        msgspec.structs.replace(
            side,
            disowned=[
                one for one in side.disowned if is_anonymous(one.customer_id) or one.customer_id not in parts
            ],
        )
        for side in (sides.customer, sides.friend)
    )
    sides = msgspec.structs.replace(sides, customer=customer, friend=friend)
    return _united(sides, said_by(newest) if newest else None, brought, event.occurred_at, scenarios)


def said_by(link: Link) -> Register:
    """The LINE user of a link, as of its last word."""
    return Register(link.line_user_id, link.changed_at, link.event_id)


def _with_link(before: Register | None, link: Register | None) -> Register | None:
    """The LINE user linked last; that there was none for a while does not stand against anybody."""
    if link is None or before is None or not before.value:
        return link or before
    return later(before, link)


def _united(
    sides: Tied, link: Register | None, brought: list[Alias], at: Instant, scenarios: Scenarios
) -> Tied:
    customer, friend = sides.customer, sides.friend
    link_now = _with_link(customer.link, link)
    profile = profile_union(customer.profile, friend.profile)
    customer = msgspec.structs.replace(
        customer,
        link=link_now,
        profile=msgspec.structs.replace(profile, linked=bool(link_now and link_now.value)),
        refold=customer.refold or friend.refold or not _is_union(customer, friend),
        seen=[*friend.seen, *customer.seen][-SEEN_KEPT:],
        journeys=_one_each(customer, friend, at, scenarios),
        outbox=[*customer.outbox, *friend.outbox],
        intended=_added(customer.intended, friend.intended),
        menu=later(friend.menu, customer.menu) if customer.menu else friend.menu,
        assignments={**friend.assignments, **customer.assignments},
        first_id=_unit_of(customer, friend),
        aliases=list(dict.fromkeys([*customer.aliases, *brought])),
        disowned=list(dict.fromkeys([*customer.disowned, *friend.disowned])),
        folded_by=_folded_by(customer, friend),
        folded_until=later_lines(customer.folded_until, friend.folded_until),
        # Of what lies behind the line of one of the two, the other may still keep rows.
        folding_away=bool(customer.folded_until or friend.folded_until),
    )
    customer = with_order(customer)  # what was wished before there was anybody to see it, or somebody else
    customer = _in_segments_of_both(customer, friend, at)
    gate = msgspec.structs.replace(
        merged(sides.gate, sides.friend_gate), link=_with_link(sides.gate.link, link)
    )
    return Tied(
        customer=customer,
        friend=Customer(
            friend.customer_id, friend.version, merged_into=customer.customer_id, beyond=friend.beyond
        ),
        gate=gate,
        friend_gate=Gate(
            friend.customer_id,
            sides.friend_gate.version,
            merged_into=customer.customer_id,
            beyond=sides.friend_gate.beyond,
        ),
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


def _one_each(customer: Customer, friend: Customer, at: Instant, scenarios: Scenarios) -> list[Journey]:
    """The friend's journeys beside the customer's; where both go through one scenario, the customer's goes on. What they
    wait for is asked anew of the one profile. Nobody goes on where the other has been, unless one may go there again."""
    running = {journey.scenario for journey in customer.journeys if journey.active}
    known = {journey.journey_id for journey in customer.journeys}
    gone_on = {one.journey_id: one for one in friend.journeys if one.active and one.scenario not in running}
    mine = [gone_on.get(one.journey_id, one) for one in customer.journeys]
    carried = [
        j for j in friend.journeys if j.journey_id not in known and not (j.active and j.scenario in running)
    ]
    own = [_unless_been(j, friend.journeys, at, scenarios) for j in mine]
    carried = [_unless_been(j, customer.journeys, at, scenarios) for j in carried]
    return [asked_anew(journey, at) for journey in (*own, *carried)]


def _unless_been(journey: Journey, others: list[Journey], at: Instant, scenarios: Scenarios) -> Journey:
    """The journey; at its end where the other of the two went through the same scenario, too lately to do so again."""
    scenario = scenarios.get(journey.scenario)
    if scenario is None or not journey.active:
        return journey
    been = [
        one
        for one in others
        if one.scenario == journey.scenario and not one.active and one.journey_id != journey.journey_id
    ]
    if any(_forbids(scenario, one, journey) for one in been):
        return ended(journey, "exited", at)
    return journey


def _forbids(scenario: Scenario, one: Journey, other: Journey) -> bool:
    if scenario.reentry_seconds is None:
        return True
    return abs(one.entered_at - other.entered_at) < dt.timedelta(seconds=scenario.reentry_seconds)


def _added(left: dict[str, int], right: dict[str, int]) -> dict[str, int]:
    return {name: left.get(name, 0) + right.get(name, 0) for name in sorted(left.keys() | right.keys())}


def untie(
    sides: Tied,
    event: Event,
    heir: Link | None = None,
    scenarios: Scenarios = {},  # noqa: B006
    brought: Container[str] = (),
) -> Tied:
    """The tie is ended: the friend is anonymous again. `heir`: the link of another LINE user of the customer, to whom
    messages go now; `brought`: the journeys that came with the friend.

    It keeps what is the LINE user's own: contacts that count against caps, claims of what was pushed to it, every
    withdrawal of consent. What happened before belongs to the customer, and what happened since to the friend: an
    unlink may come late, so that both are folded anew at their next change.
    """
    user = str(event.properties["line_user_id"])
    at = event.occurred_at
    cut = now_to(heir, event)
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
    friend = Customer(
        friend_id,
        sides.friend.version,
        Register(user, at, event.event_id),
        journeys=[_been(one, at) for one in sides.customer.journeys if _is_friends(one, scenarios, brought)],
        refold=True,
        beyond=sides.friend.beyond,
    )
    return Tied(
        customer=cut_off(customer, cut) if mine else customer,
        friend=msgspec.structs.replace(friend, history_from=at),
        gate=msgspec.structs.replace(sides.gate, link=cut) if mine else sides.gate,
        friend_gate=msgspec.structs.replace(
            friend_gate, version=sides.friend_gate.version, beyond=sides.friend_gate.beyond
        ),
    )


def now_to(heir: Link | None, event: Event) -> Register:
    """Whom messages go to when a LINE user is unlinked: another one of the customer's, or nobody."""
    return said_by(heir) if heir else Register(None, event.occurred_at, event.event_id)


def _is_friends(journey: Journey, scenarios: Scenarios, brought: Container[str]) -> bool:
    """Whether the LINE user itself began it: it came with the friend, or started from what LINE told."""
    scenario = scenarios.get(journey.scenario)
    told_by_line = scenario is not None and scenario.entry.event.startswith("line_")
    return told_by_line or journey.journey_id in brought


def _been(journey: Journey, at: Instant) -> Journey:
    """It goes on with the customer; the friend remembers that it was there, so that it is not told the same again."""
    return ended(journey, "exited", at) if journey.active else journey


def cut_off(customer: Customer, cut: Register) -> Customer:
    """The customer with another LINE user, or none, to send to."""
    profile = msgspec.structs.replace(customer.profile, linked=bool(cut.value))
    return with_order(msgspec.structs.replace(customer, link=cut, profile=profile))
