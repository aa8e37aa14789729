"""The part of decide that makes one customer of two, as the CRM did, and two of one again where that was a mistake."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from functions.decide.histories import history_of, unheard_of
from functions.decide.linking import ATTEMPTS_MAX, both_sides, confirmed
from functions.decide.owners import Owners, standing
from functions.domain.customers import Customer
from functions.domain.events import Event
from functions.domain.identity import Tied, joined
from functions.domain.line_events import is_anonymous
from functions.domain.link_changes import Joining, MergeEntry, Reward
from functions.domain.links import is_parting, newest_of
from functions.domain.parting import names_of, parted, regained, released
from functions.domain.undoing import Histories, Keepsake, keepsake_of
from functions.ports.customers import Customers, Events
from functions.ports.errors import Conflict
from functions.ports.identities import Identities
from functions.ports.playbooks import Playbooks


@dataclass(frozen=True, slots=True)
class JoinCustomers:
    """The ports of this part."""

    identities: Identities
    customers: Customers
    events: Events
    playbooks: Playbooks

    def join_all(self, customer_id: str, events: Iterable[Event]) -> list[str]:
        """Every `customers_merged`, in order: both customers and both gates in one transaction, then the links, each in its
        own. Who was parted by it, and has to be folded anew.

        Who was merged before stays where it is, and nobody is merged into itself. Raises Conflict where a race is lost
        too often.
        """
        anew: list[str] = []
        for event in confirmed(list(events), "customers_merged"):
            told_of = event.told_of or customer_id
            if is_parting(event):
                anew += self._part(event)
            elif not is_anonymous(told_of):
                self._join(told_of, event)
        return anew

    def _join(self, customer_id: str, event: Event) -> None:
        into = str(event.properties["into"])
        if is_anonymous(into):
            return
        for _ in range(ATTEMPTS_MAX):
            winner = standing(self.customers, into)
            sides = both_sides(self.customers, winner, customer_id, event.occurred_at)
            if sides.friend.merged_into or winner == customer_id or self._is_old(customer_id, event):
                break
            try:
                self.identities.save_joined(self._joined(sides, event))
            except Conflict:
                continue
            break
        else:
            raise Conflict("the customers are contended")
        self._bring_links(customer_id)

    def _is_old(self, customer_id: str, event: Event) -> bool:
        """Whether the two were parted since this was said."""
        entry = self.identities.merge_of(customer_id)
        return bool(entry and entry.undone_at and event.occurred_at <= entry.undone_at)

    def _joined(self, sides: Tied, event: Event) -> Joining:
        winner, loser = sides.customer.customer_id, sides.friend.customer_id
        entry = MergeEntry(loser, winner, event.occurred_at, event.event_id, event.source)
        links = [
            link
            for name in (loser, winner)
            for link in self._owners.links_of(name)
            if link.customer_id == name
        ]
        scenarios = self.playbooks.in_force().playbook.scenarios
        after = joined(sides, event, newest_of(links), scenarios)
        return Joining(after, entry, keepsake_of(sides, event), self._reward(entry))

    def _bring_links(self, customer_id: str) -> None:
        entry = self.identities.merge_of(customer_id)
        if entry is not None:
            self._owners.bring(customer_id, entry)

    @property
    def _owners(self) -> Owners:
        return Owners(self.identities, self.customers)

    def _reward(self, entry: MergeEntry) -> Reward | None:
        """Whoever was rewarded as the one is not rewarded again as the other."""
        if not self.identities.is_rewarded("", entry.customer_id) or self.identities.is_rewarded(
            "", entry.into
        ):
            return None
        return Reward("", entry.into, entry.at, entry.event_id)

    # --- parting

    def _part(self, event: Event) -> list[str]:
        """Both customers and both gates in one transaction; then what is the other one's in the history of who stays is put
        into its own, and its links go back. Who takes up a crashed worker's event goes on."""
        customer_id = event.told_of or event.customer_id
        for _ in range(ATTEMPTS_MAX):
            entry = self.identities.merge_of(customer_id)
            if entry is None or (entry.undone_by or event.event_id) != event.event_id:
                return []
            if entry.undone_by:
                break
            joining = self._parted(entry, event)
            if joining is None:
                return []
            try:
                self.identities.save_joined(joining)
            except Conflict:
                continue
            entry = joining.entry
            break
        else:
            raise Conflict("the customers are contended")
        self._hand_back(entry)
        self._owners.bring(customer_id, entry)
        return [customer_id, entry.into]

    def _parted(self, entry: MergeEntry, event: Event) -> Joining | None:
        """None where it cannot be taken back: too late, said anew since, or who stayed has become somebody else since."""
        kept = self.identities.keepsake_of_merge(entry.customer_id)
        sides = both_sides(self.customers, entry.into, entry.customer_id, event.occurred_at)
        is_other = event.properties.get("seen") != entry.event_id
        is_late = kept is None or event.occurred_at > entry.undo_ends_at
        is_other = is_other or bool(sides.customer.merged_into) or sides.friend.merged_into != entry.into
        if kept is None or is_late or is_other:
            return None
        links = [link for link in self._owners.links_of(entry.into) if link.customer_id == entry.into]
        names = names_of(kept)
        customer = released(sides.customer, kept)
        histories = self._histories(sides.customer, customer, kept)
        after = parted(
            sides,
            kept,
            histories,
            event,
            [link for link in links if link.came_by not in names],
            [link for link in links if link.came_by in names and link.tied],
        )
        undone = msgspec.structs.replace(
            entry,
            source=event.source,
            undone_by=event.event_id,
            undone_at=event.occurred_at,
            why=str(event.properties.get("why", "")),
        )
        return Joining(after, undone)

    def _histories(self, before: Customer, after: Customer, kept: Keepsake) -> Histories:
        mine = history_of(self.events, after).events
        told = [
            event
            for event in history_of(self.events, before).events
            if after.disowned_to(event) in names_of(kept)
        ]
        theirs = {
            one.identity: one for one in (*history_of(self.events, regained(before, kept)).events, *told)
        }
        return Histories(mine, list(theirs.values()), unheard_of(self.events, before))

    def _hand_back(self, entry: MergeEntry) -> None:
        """What was told of the other one while it was no more goes into its history. Whoever is at work on an event of it finds
        that it is disowned, and brings it."""
        kept, customer = self.identities.keepsake_of_merge(entry.customer_id), self.customers.load(entry.into)
        if kept is None or customer is None:
            return
        theirs = [
            msgspec.structs.replace(event, customer_id=event.told_of or entry.customer_id).of(
                entry.customer_id
            )
            for event in self.events.all_of(entry.into)
            if customer.disowned_to(event) in names_of(kept)
        ]
        self.events.put_all(entry.customer_id, theirs)
