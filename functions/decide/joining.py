"""The part of decide that makes one customer of two, as the CRM did."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from functions.decide.linking import ATTEMPTS_MAX, both_sides, confirmed, standing
from functions.domain.events import Event
from functions.domain.identity import joined
from functions.domain.line_events import is_anonymous
from functions.domain.link_changes import Joining, LinkChange, MergeEntry, Reward
from functions.domain.links import AuditEntry, Link, newest_of, review_of, without_claim
from functions.ports import Conflict, Customers, Identities, Playbooks


@dataclass(frozen=True, slots=True)
class JoinCustomers:
    """The ports of this part."""

    identities: Identities
    customers: Customers
    playbooks: Playbooks

    def join_all(self, customer_id: str, events: Iterable[Event]) -> None:
        """Every `customers_merged`, in order: both customers, both gates and all links in one transaction.

        Who was merged before stays where it is, and nobody is merged into itself. Raises Conflict where a race is lost
        too often.
        """
        for event in confirmed(list(events), "customers_merged"):
            self._join(customer_id, event)

    def _join(self, customer_id: str, event: Event) -> None:
        into = str(event.properties["into"])
        if is_anonymous(into) or is_anonymous(customer_id):
            return
        for _ in range(ATTEMPTS_MAX):
            winner = standing(self.customers, into)
            sides = both_sides(self.customers, winner, customer_id, event.occurred_at)
            if sides.friend.merged_into or winner == customer_id:
                return
            entry = MergeEntry(customer_id, winner, event.occurred_at, event.event_id, event.source)
            links = [_moved(link, entry) for link in self.identities.links_of(customer_id)]
            newest = newest_of(
                [change.link for change in links if change.link.customer_id == winner]
                + [link for link in self.identities.links_of(winner) if link.customer_id == winner]
            )
            sides = joined(sides, event, newest, self.playbooks.in_force().playbook.scenarios)
            try:
                self.identities.save_joined(Joining(sides, entry, links, self._reward(entry)))
            except Conflict:
                continue
            return
        raise Conflict("the customers are contended")

    def _reward(self, entry: MergeEntry) -> Reward | None:
        """Whoever was rewarded as the one is not rewarded again as the other."""
        if not self.identities.is_rewarded("", entry.customer_id) or self.identities.is_rewarded(
            "", entry.into
        ):
            return None
        return Reward("", entry.into, entry.at, entry.event_id)


def _moved(link: Link, entry: MergeEntry) -> LinkChange:
    """The link as one of the other customer's; a claim between the two of them is settled."""
    names = {entry.customer_id: entry.into}
    owner, claimant = (names.get(one, one) for one in (link.customer_id, link.claimed_by))
    after = msgspec.structs.replace(link, customer_id=owner, claimed_by=claimant)
    if owner and owner == claimant:
        after = msgspec.structs.replace(without_claim(after), status="linked")
    audit = AuditEntry(
        link.line_user_id, entry.at, entry.event_id, entry.source, link, after, method="customers_merged"
    )
    return LinkChange(after, audit, review=review_of(after))
