"""Who a person is: every id under which anything may be kept, found from any one of them."""

from collections.abc import Collection, Iterator

from functions.domain.erasure import Person
from functions.domain.line_events import ANONYMOUS, anonymous_id, is_anonymous
from functions.domain.links import State
from ops.stores import Stores

HOPS_MAX = 100
"""More ids than any person has."""


def person_of(stores: Stores, identifier: str, token: str, without: Collection[str] = ()) -> Person | None:
    """The person known by this customer id or LINE user id; None where nothing is kept under it.

    A LINE user belongs to the customer that it is tied to, or was last, unless somebody else has been tied to it since.
    `without`: ids that are somebody else's in truth, as after a link that was a mistake.
    """
    kept_out = {*without, *map(anonymous_id, without)}
    customers: set[str] = set()
    users: set[str] = set()
    waiting = _starts(stores, identifier)
    for _ in range(HOPS_MAX):
        if not waiting:
            break
        one = waiting.pop()
        if one in kept_out or one in customers:
            continue
        customers.add(one)
        if is_anonymous(one):
            users.add(one.removeprefix(ANONYMOUS))
        waiting |= set(_neighbours(stores, one)) - customers
    if not customers:
        return None
    named = sorted(customers | set(map(anonymous_id, users)))
    return Person(named, sorted(users), token)


def _starts(stores: Stores, identifier: str) -> set[str]:
    """The ids among which something is kept under what was given."""
    found = {one for one in (identifier, anonymous_id(identifier)) if _is_known(stores, one)}
    link = stores.identities.link_of(identifier)
    return found | ({anonymous_id(identifier), link.owner} if link else set())


def _is_known(stores: Stores, customer_id: str) -> bool:
    gate, customer = stores.customers.load_both(customer_id)
    return bool(
        gate
        or customer
        or stores.events.identities_of(customer_id)
        or stores.sends.of_customer(customer_id)
        or stores.identities.links_of(customer_id)
    )


def _neighbours(stores: Stores, customer_id: str) -> Iterator[str]:
    """The other ids of the person whom this is one of."""
    gate, customer = stores.customers.load_both(customer_id)
    for row in (gate, customer):
        if row is not None and row.merged_into:
            yield row.merged_into
    if is_anonymous(customer_id):
        link = stores.identities.link_of(customer_id.removeprefix(ANONYMOUS))
        if link is not None and link.customer_id:
            yield link.customer_id
        return
    for link in stores.identities.links_of(customer_id):
        if link.customer_id == customer_id:
            yield anonymous_id(link.line_user_id)
    for alias in customer.aliases if customer else []:
        link = stores.identities.link_of(alias.customer_id.removeprefix(ANONYMOUS))
        if link is None or link.customer_id == customer_id:
            yield alias.customer_id


def state_before(stores: Stores, identity: str) -> State:
    """What a LINE user was, or whether a customer had any, before it is erased; `identity` as in `Person.identities`."""
    kind, _, name = identity.partition("#")
    if kind == "line":
        link = stores.identities.link_of(name)
        return link.status if link else "anonymous"
    links = stores.identities.links_of(name)
    tied = any(link.tied and link.customer_id == name for link in links)
    return "linked" if tied else "unlinked" if links else "anonymous"
