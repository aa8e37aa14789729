"""Parting: it turns out that two customers whom the CRM had made one are two. As with a tie that is undone, histories say what
happened, a keepsake says what no event does, and nothing that was sent is forgotten."""

from collections.abc import Sequence

import msgspec

from functions.domain.customers import Alias, Customer
from functions.domain.events import Event
from functions.domain.gate import Gate
from functions.domain.identity import Tied, cut_off, now_to
from functions.domain.line_events import is_anonymous
from functions.domain.links import Link, newest_of
from functions.domain.undoing import Belonging, Histories, Keepsake, customer_after, friend_after, remembering
from functions.domain.undoing_gates import customers_gate, friends_gate


def names_of(kept: Keepsake) -> list[str]:
    """The ids that go: of the customer that was no more, and of those that had become it before."""
    names = (alias.customer_id for alias in kept.friend.aliases)
    return [kept.friend.customer_id, *(name for name in names if not is_anonymous(name))]


def released(customer: Customer, kept: Keepsake) -> Customer:
    """The customer that stays, with whom the other one no longer shares any history."""
    names = names_of(kept)
    return msgspec.structs.replace(
        customer,
        aliases=[one for one in customer.aliases if one.told_of not in names],
        disowned=[*customer.disowned, *map(Alias, names)],
    )


def regained(customer: Customer, kept: Keepsake) -> Customer:
    """The other one, as it was before, with the friends and parts that are its own by now. `customer`: who it was merged into,
    which may have parted with some of them."""
    before, name = kept.friend, kept.friend.customer_id
    own = [one for one in customer.aliases if one.told_of in names_of(kept) and one.customer_id != name]
    told = [one if one.told_of != name else msgspec.structs.replace(one, told_of="") for one in own]
    friends = [one for one in customer.disowned if is_anonymous(one.customer_id)]
    return msgspec.structs.replace(
        before, aliases=told, disowned=list(dict.fromkeys([*before.disowned, *friends]))
    )


def parted(
    sides: Tied,
    kept: Keepsake,
    histories: Histories,
    event: Event,
    mine: Sequence[Link],
    theirs: Sequence[Link],
) -> Tied:
    """Both as they would be had they never been one, less what has been sent.

    `histories` are as they are when the one has released the other; `mine` and `theirs` the links of each of both from now on.
    """
    again = regained(sides.customer, kept)
    sides = msgspec.structs.replace(sides, customer=released(sides.customer, kept))
    friends = Belonging(sides.customer, kept, histories.friend)
    customer = customer_after(sides.customer, kept, friends, event.occurred_at)
    kept_link, given_link = now_to(newest_of(mine), event), now_to(newest_of(theirs), event)
    users = {link.line_user_id for link in theirs}
    gate = customers_gate(sides.gate, kept.gate, kept.friend_gate, histories.customer, histories.friend)
    fresh = Gate(kept.friend.customer_id, link=given_link)
    friend_gate = friends_gate(fresh, sides.gate, kept.friend_gate, users, kept.at, histories.friend)
    friend = friend_after(sides, kept, friends, histories, event, given_link)
    if given_link.value:
        friend = remembering(friend, customer.journeys, event.occurred_at)
    if kept_link.value:
        customer = remembering(customer, friends.friends, event.occurred_at)
    friend = msgspec.structs.replace(friend, aliases=again.aliases, disowned=again.disowned)
    return Tied(
        customer=cut_off(customer, kept_link),
        friend=cut_off(friend, given_link),
        gate=msgspec.structs.replace(gate, link=kept_link),
        friend_gate=msgspec.structs.replace(
            friend_gate, version=sides.friend_gate.version, beyond=sides.friend_gate.beyond
        ),
    )
