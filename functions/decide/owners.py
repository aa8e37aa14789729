"""Whose links are: each names the customer that the LINE user was said to be, and follows what that one has become."""

from dataclasses import dataclass

import msgspec

from functions.domain.customers import Customer
from functions.domain.line_events import is_anonymous
from functions.domain.link_changes import LinkChange, MergeEntry
from functions.domain.links import AuditEntry, Link, review_of, without_claim
from functions.ports.customers import Customers
from functions.ports.errors import Conflict, Retryable
from functions.ports.identities import Identities

HOPS_MAX = 8
ATTEMPTS_MAX = 8


@dataclass(frozen=True, slots=True)
class Owners:
    """The ports of this part."""

    identities: Identities
    customers: Customers

    def link_of(self, user: str) -> Link | None:
        """The link of a LINE user, naming whom it is of now. Its next write says so."""
        link = self.identities.link_of(user)
        return self.brought(link) if link else None

    def links_of(self, customer_id: str) -> list[Link]:
        """The links that name this customer now, as owner or as claimant. Those that have yet to be brought along are found
        under the ids that became this one: first, for who brings one meanwhile puts it under this id."""
        customer = self.customers.load(customer_id)
        found: dict[str, Link] = {}
        for name in [*_parts(customer), customer_id]:
            found |= {link.line_user_id: self.brought(link) for link in self.identities.links_of(name)}
        return [one for _, one in sorted(found.items()) if customer_id in (one.customer_id, one.claimed_by)]

    def brought(self, link: Link) -> Link:
        """The link with whom its owner and its claimant have become; the same where they have not."""
        owner = standing(self.customers, link.said_of) if link.said_of else ""
        claimant = standing(self.customers, link.claimed_by) if link.claimed_by else ""
        came_by = link.said_of if link.said_of != owner else ""
        after = msgspec.structs.replace(link, customer_id=owner, claimed_by=claimant, came_by=came_by)
        if owner and owner == claimant:  # a claim between the two of them is settled
            after = msgspec.structs.replace(without_claim(after), status="linked")
        return after

    def bring(self, customer_id: str, entry: MergeEntry) -> None:
        """Bring along every link that names a customer, each in a transaction of its own: whoever takes up a crashed worker's
        event goes on, and until then each is found by what it names."""
        for link in self.identities.links_of(customer_id):
            self._bring(link.line_user_id, entry)

    def _bring(self, user: str, entry: MergeEntry) -> None:
        for _ in range(ATTEMPTS_MAX):
            link = self.identities.link_of(user)
            after = self.brought(link) if link else None
            if link is None or after is None or after == link:
                return
            audit = AuditEntry(
                user,
                entry.undone_at or entry.at,
                entry.undone_by or entry.event_id,
                entry.source,
                link,
                after,
                method="customers_parted" if entry.undone_by else "customers_merged",
                why=entry.why,
            )
            try:
                self.identities.save_tied(LinkChange(after, audit, review=review_of(after)))
            except Conflict:
                continue
            return
        raise Conflict("the link is contended")


def _parts(customer: Customer | None) -> list[str]:
    """The customers that became this one."""
    names = (alias.customer_id for alias in customer.aliases) if customer else ()
    return [name for name in names if not is_anonymous(name)]


def standing(customers: Customers, customer_id: str) -> str:
    """The customer that this one was merged into, or itself."""
    for _ in range(HOPS_MAX):
        customer = customers.load(customer_id)
        if customer is None or not customer.merged_into:
            return customer_id
        customer_id = customer.merged_into
    raise Retryable("customers are merged in a circle")
