"""Undoing a tie: it turns out that the LINE user and the customer never were one person.

What happened is in the histories, and both profiles are folded anew from those. What no event says (journeys and what
they set, experiments, the menu) is kept aside when a tie is made, in its keepsake. Nothing that was sent is forgotten: the
contacts and the claims stay with both, so that no cap is lowered, and journeys do not go back to what they have said.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from functions.domain.customers import SEEN_KEPT, Alias, Customer
from functions.domain.events import Event
from functions.domain.gate import Gate, new_gate
from functions.domain.identity import Tied, cut_off, now_to
from functions.domain.instants import Instant
from functions.domain.journeys import Journey, asked_anew, ended, fingerprint
from functions.domain.line_events import anonymous_id
from functions.domain.links import Link
from functions.domain.menus import with_order
from functions.domain.profiles import JOURNEY, Profile, later, registers_union, written_by_journeys
from functions.domain.registers import Register
from functions.domain.undoing_gates import customers_gate, friends_gate

Registers = dict[str, Register]


class Keepsake(msgspec.Struct, frozen=True, omit_defaults=True):
    """Both sides as they were before the tie: whole of the friend, and of the customer what no event says. Two customers may
    have been tied so, too: then `friend` is the one that is no more, and `line_user_id` is empty."""

    line_user_id: str
    event_id: str
    at: Instant
    customer: Customer
    friend: Customer
    gate: Gate
    friend_gate: Gate


def keepsake_of(sides: Tied, event: Event) -> Keepsake:
    """What to keep of both sides before they are tied."""
    return Keepsake(
        str(event.properties.get("line_user_id", "")),
        event.event_id,
        event.occurred_at,
        msgspec.structs.replace(
            sides.customer, profile=written_by_journeys(sides.customer.profile), seen=[], outbox=[]
        ),
        msgspec.structs.replace(sides.friend, outbox=[]),
        msgspec.structs.replace(sides.gate, contacts=[], claims=[], holds=[]),
        msgspec.structs.replace(sides.friend_gate, claims=[], holds=[]),
    )


class Histories(msgspec.Struct, frozen=True):
    """The kept events of the customer without the friend's, and those of the friend, each in the order they were kept.

    `unheard`: the identities of those that another worker has kept and nobody has folded yet.
    """

    customer: Sequence[Event]
    friend: Sequence[Event]
    unheard: frozenset[str] = frozenset()


def disowned(customer: Customer, line_user_id: str, since: Instant | None, until: Instant) -> Customer:
    """The customer with whom the friend no longer shares any history of this last tie."""
    friend_id = anonymous_id(line_user_id)
    aliases = [one for one in customer.aliases if one.customer_id != friend_id or one.until is not None]
    return msgspec.structs.replace(
        customer, aliases=aliases, disowned=[*customer.disowned, Alias(friend_id, since, until)]
    )


def undone(sides: Tied, kept: Keepsake, histories: Histories, event: Event, heir: Link | None = None) -> Tied:
    """Both sides as they would be had they never been tied, less what has been sent. `heir`: as with `untie`.

    `sides.customer` has disowned the friend already; `histories` are as they are then.
    """
    user, at = kept.line_user_id, event.occurred_at
    friends = Belonging(sides.customer, kept, histories.friend)
    mine = sides.customer.line_user_id == user
    cut = now_to(heir, event)
    customer = customer_after(sides.customer, kept, friends, at)
    if heir is not None:  # who stays may have gone the friend's ways, too
        customer = remembering(customer, friends.friends, at)
    gate = customers_gate(sides.gate, kept.gate, kept.friend_gate, histories.customer, histories.friend)
    fresh = new_gate(anonymous_id(user), user, at, event.event_id)
    friend_gate = friends_gate(fresh, sides.gate, kept.friend_gate, {user}, kept.at, histories.friend)
    link = Register(user, at, event.event_id)
    return Tied(
        customer=cut_off(customer, cut) if mine else customer,
        friend=with_order(friend_after(sides, kept, friends, histories, event, link)),
        gate=msgspec.structs.replace(gate, link=cut) if mine else gate,
        friend_gate=msgspec.structs.replace(
            friend_gate, version=sides.friend_gate.version, beyond=sides.friend_gate.beyond
        ),
    )


def remembering(customer: Customer, journeys: Iterable[Journey], at: Instant) -> Customer:
    """The customer who knows of these journeys that they were, so that it goes on none of these ways once more: while both were
    one, messages went to the LINE users of either."""
    known = {one.journey_id for one in customer.journeys}
    been = [
        ended(one, "exited", at) if one.active else one for one in journeys if one.journey_id not in known
    ]
    return msgspec.structs.replace(customer, journeys=[*customer.journeys, *been])


class Belonging:
    """Which journeys, and what journeys set, are the friend's: those it brought, and those that its own events began."""

    def __init__(self, customer: Customer, kept: Keepsake, history: Iterable[Event]) -> None:
        own = {journey.journey_id for journey in kept.customer.journeys}
        brought = {
            journey.journey_id for journey in kept.friend.journeys
        } - own  # what both knew, each goes on knowing
        began = {fingerprint(event.identity) for event in history}
        self.friends = [one for one in customer.journeys if one.journey_id in brought or one.trigger in began]
        self.customers = [one for one in customer.journeys if one not in self.friends]
        self._ids = brought | {one.journey_id for one in self.friends}
        self._own = written_by_journeys(customer.profile)
        theirs = written_by_journeys(kept.friend.profile)
        self._brought = [*theirs.attributes.items(), *theirs.tags.items()]

    def wished(self, menu: Register | None) -> bool:
        """Whether a journey of the friend's wished for this menu."""
        return menu is not None and self._is_friends(menu)

    def _is_friends(self, register: Register) -> bool:
        return _journey_of(register) in self._ids

    def own(self, *, friends: bool) -> Profile:
        """What the journeys of one of both set."""

        def wanted(name: str, register: Register) -> bool:
            return (self._is_friends(register) or (name, register) in self._brought) == friends

        own = self._own
        return msgspec.structs.replace(
            own, attributes=_only(own.attributes, wanted), tags=_only(own.tags, wanted)
        )


def _journey_of(register: Register) -> str:
    return register.event_id.removeprefix(JOURNEY).rpartition(":")[0]


def _only(registers: Registers, wanted: Callable[[str, Register], bool]) -> Registers:
    return {name: register for name, register in registers.items() if wanted(name, register)}


def _with_own(profile: Profile, *owns: Profile) -> Profile:
    """The profile with these for what journeys set, and nothing else of that kind."""
    bare = msgspec.structs.replace(
        profile,
        attributes={k: v for k, v in profile.attributes.items() if not v.event_id.startswith(JOURNEY)},
        tags={k: v for k, v in profile.tags.items() if not v.event_id.startswith(JOURNEY)},
    )
    for own in owns:
        bare = msgspec.structs.replace(
            bare,
            attributes=registers_union(bare.attributes, own.attributes),
            tags=registers_union(bare.tags, own.tags),
        )
    return bare


def _is_same(kept: Keepsake, customer: Customer) -> bool:
    """Whether the keepsake's customer is this one, and no other one meanwhile."""
    return kept.customer.customer_id == customer.customer_id


def _told_by(kept: Keepsake, customer: Customer) -> list[Profile]:
    """What journeys had set before the tie, where the keepsake's customer is this one, or has become it."""
    names = {customer.customer_id, *(alias.customer_id for alias in customer.aliases)}
    return [kept.customer.profile] if kept.customer.customer_id in names else []


def customer_after(customer: Customer, kept: Keepsake, friends: Belonging, at: Instant) -> Customer:
    """The customer without what is the friend's; both are folded anew at their next change."""
    before = kept.customer
    passed = {journey.variant.partition(":")[0] for journey in friends.customers}
    brought = kept.friend.assignments.keys() - before.assignments.keys() - passed
    theirs = friends.wished(customer.menu)
    return msgspec.structs.replace(
        customer,
        journeys=[asked_anew(_gone_on(one, before), at) for one in friends.customers],
        profile=_with_own(customer.profile, *_told_by(kept, customer), friends.own(friends=False)),
        assignments={key: value for key, value in customer.assignments.items() if key not in brought},
        first_id=before.first_id if _is_same(kept, customer) else customer.first_id,
        menu=before.menu if theirs else customer.menu,
        menu_order=None if theirs else customer.menu_order,
        refold=True,
        segments_of="",
    )


def _gone_on(journey: Journey, before: Customer) -> Journey:
    """A journey of the customer's own that only the tie ended goes on."""
    was = next((one for one in before.journeys if one.journey_id == journey.journey_id), None)
    ended_by_tie = was is not None and was.active and journey.status == "exited" and not _moved(was, journey)
    return was if was is not None and ended_by_tie else journey


def _moved(was: Journey, now: Journey) -> bool:
    return (was.at, was.sent, was.occurrence) != (now.at, now.sent, now.occurrence)


def friend_after(
    sides: Tied, kept: Keepsake, friends: Belonging, histories: Histories, event: Event, link: Register
) -> Customer:
    """The friend with what is its own, at the step where the customer has come to."""
    customer, before, at = sides.customer, kept.friend, event.occurred_at
    carried = friends.friends
    known = {journey.journey_id for journey in carried}
    lost = [_where_shared(one, kept, customer) for one in _lost(kept) if one.journey_id not in known]
    since = {
        name: variant
        for name, variant in customer.assignments.items()
        if name not in kept.customer.assignments
    }
    return msgspec.structs.replace(
        before,
        version=sides.friend.version,
        beyond=sides.friend.beyond,
        link=link,
        profile=_with_own(before.profile, written_by_journeys(before.profile), friends.own(friends=True)),
        journeys=[asked_anew(journey, at) for journey in (*lost, *carried)],
        seen=_heard(histories),
        assignments={**since, **before.assignments},
        intended={},
        armed_at=None,
        merged_into="",
        menu=_menu_after(customer, before, friends, event),
        refold=True,
        segments_of="",
    )


def _lost(kept: Keepsake) -> list[Journey]:
    """The journeys of the friend's that the tie ended, and those that were over already. One that went on, and is the
    customer's no more, has gone to somebody else with whom the customer was parted."""
    running = {one.scenario for one in kept.customer.journeys if one.active}
    return [one for one in kept.friend.journeys if not one.active or one.scenario in running]


def _where_shared(journey: Journey, kept: Keepsake, customer: Customer) -> Journey:
    """A journey that the tie ended, for the customer was on the same way: it goes on where that one came to, so that
    nothing is said twice."""
    shared = next(
        (one for one in kept.customer.journeys if one.scenario == journey.scenario and one.active), None
    )
    if shared is None or not journey.active:
        return journey
    now = next((one for one in customer.journeys if one.journey_id == shared.journey_id), None)
    if now is None:  # it ended so long ago that nobody remembers how
        return msgspec.structs.replace(journey, status="done", due=None, awaits="", asked_from=None)
    return msgspec.structs.replace(
        now,
        journey_id=journey.journey_id,
        entered_at=journey.entered_at,
        trigger=journey.trigger,
        sent=list(dict.fromkeys([*journey.sent, *now.sent])),
    )


def _heard(histories: Histories) -> list[str]:
    """The friend's newest events as far as journeys have heard them."""
    newest = [event for event in histories.friend if not event.imported][-SEEN_KEPT:]
    return [fingerprint(event.identity) for event in newest if event.identity not in histories.unheard]


def _menu_after(customer: Customer, before: Customer, friends: Belonging, event: Event) -> Register | None:
    """What the friend was wished to see by its own journeys; the account's default where it sees the customer's."""
    if customer.menu is None or friends.wished(customer.menu):
        return later(before.menu, customer.menu) if customer.menu else before.menu
    if before.menu == customer.menu:
        return before.menu
    again = before.menu.value if before.menu else ""
    return Register(again, event.occurred_at, event.event_id)
