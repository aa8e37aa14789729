"""A customer: profile, journeys and outbox in one item, changed by one conditional write."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from functions.domain.bases import Base, has_old, lies_behind, start_of
from functions.domain.compiled import Compiled
from functions.domain.events import SAID_AT_LINE, Dictionary, Event
from functions.domain.instants import Instant
from functions.domain.journeys import Journey, fingerprint
from functions.domain.line_events import anonymous_id
from functions.domain.profiles import (
    Profile,
    Register,
    attributes_union,
    fold,
    fold_all,
    registers_union,
    written_by_journeys,
)
from functions.domain.sends import Intent, MenuOrder, Order
from functions.domain.stored import Carrying

SEEN_KEPT = 64
"""So many of the newest events are known to the item itself; older duplicates are found in the event history."""


class Alias(msgspec.Struct, frozen=True, array_like=True):
    """Somebody else's id, an anonymous friend's or a merged customer's, whose events after `since` and up to `until` are
    the customer's own (None: no bound). `told_of`: the customer whose friend or part it was said to be, where that one has
    become this customer."""

    customer_id: str
    since: Instant | None = None
    until: Instant | None = None
    told_of: str = ""

    def covers(self, event: Event) -> bool:
        """Whether an event in the friend's history is the customer's."""
        begun = self.since is None or event.occurred_at > self.since
        return begun and (self.until is None or event.occurred_at <= self.until)


class Customer(Carrying, msgspec.Struct, frozen=True, omit_defaults=True):
    """One customer. `seen` holds fingerprints of the newest events; `outbox` intents that wait to be enqueued;
    `armed_at` the instant of the one timer row; `intended` how many intents each source has made, for the accounts;
    `aliases` the friends and merged customers whose history is this customer's; `disowned` the friends whose events in its
    own history are not, for a merge was undone; a friend who was unlinked again counts its history from `history_from`
    on; `refold`: its next change folds the profile anew from the whole history, because a
    correction on one side of a tie touches the other's events.

    `menu` is the rich menu that the customer was last wished to see, and `menu_order` the order for it where that waits
    to be enqueued; `assignments` the variant of each experiment that the customer was exposed to; `first_id` the id
    under which the person was first known, where that is another; `folded_until` up to when events of a name are folded
    away, and `folding_away` that this is under way, or begins anew after a merge.

    `segments` are the hashes of the segments it is in, sorted, as the playbook `segments_of` has them; they are true
    from `evaluated_at` up to `segments_due`, when time changes one. `folded_by` names the dictionary of the profile."""

    customer_id: str
    version: int = 0
    link: Register | None = None
    profile: Profile = Profile()
    journeys: list[Journey] = []
    outbox: list[Intent] = []
    armed_at: Instant | None = None
    seen: list[str] = []
    intended: dict[str, int] = {}
    aliases: list[Alias] = []
    disowned: list[Alias] = []
    history_from: Instant | None = None
    merged_into: str = ""
    refold: bool = False
    segments: list[str] = []
    segments_of: str = ""
    evaluated_at: Instant | None = None
    segments_due: Instant | None = None
    folded_by: str = ""
    menu: Register | None = None
    menu_order: MenuOrder | None = None
    assignments: dict[str, str] = {}
    first_id: str = ""
    folded_until: dict[str, Instant] = {}
    folding_away: bool = False

    @property
    def unit(self) -> str:
        """What experiments and holdouts know the person by, before and after linking."""
        return self.first_id or self.customer_id

    @property
    def own_unit(self) -> str:
        """The unit where it is another id than the customer's; else empty, as an intent has it."""
        return "" if self.unit == self.customer_id else self.unit

    @property
    def orders(self) -> list[Order]:
        """All that waits to be enqueued."""
        return [*self.outbox, *([self.menu_order] if self.menu_order else [])]

    @property
    def line_user_id(self) -> str:
        """The LINE user that messages go to; empty where there is none."""
        return str(self.link.value or "") if self.link else ""

    def disowns(self, event: Event) -> bool:
        """Whether the event, kept in this customer's history, is somebody else's with whom its merge was undone."""
        return bool(self.disowned and self.disowned_to(event))

    def disowned_to(self, event: Event) -> str:
        """Whose the event is, where this customer disowns it: a friend's, or a customer's; else empty."""
        said = event.source in SAID_AT_LINE
        friend = anonymous_id(str(event.properties.get("line_user_id", ""))) if said else ""
        owners = [name for name in (friend, event.told_of) if name]
        return next(
            (
                name
                for name in owners
                if any(one.customer_id == name and one.covers(event) for one in self.disowned)
            ),
            "",
        )

    def is_past(self, event: Event) -> bool:
        """Whether events of its kind and time are folded away: it is counted already, or comes too late to be."""
        return lies_behind(event, self.folded_until)

    def has_seen(self, event: Event) -> bool:
        """Whether this event is among the newest that are folded in, or is none of this customer's to fold.

        A provisional event is known once its confirmation is; what happened before `history_from` belongs to the
        customer that the friend was linked to then.
        """
        if self.history_from is not None and event.occurred_at <= self.history_from:
            return True
        if self.is_past(event):
            return True
        return fingerprint(event.identity) in self.seen or fingerprint(event.event_id) in self.seen


def new_customer(customer_id: str, line_user_id: str, at: Instant, event_id: str) -> Customer:
    """A customer first heard of; an anonymous friend is linked to itself."""
    link = Register(line_user_id, at, event_id) if line_user_id else None
    return Customer(customer_id, link=link)


def has_folded(customer: Customer) -> bool:
    """Whether anything was ever folded; the tie to a CRM customer is in the profile without an event's fold."""
    return bool(customer.folded_by) or customer.profile != Profile(linked=customer.profile.linked)


def in_order(events: Iterable[Event]) -> list[Event]:
    """As they happened, which need not be as they came."""
    return sorted(events, key=lambda event: (event.occurred_at, event.event_id, event.status))


def folded(customer: Customer, events: Iterable[Event], current: Compiled) -> Customer:
    """The customer with these new events in the profile; no journey hears of them.

    A provisional event whose confirmation is known already says nothing any more.
    """
    for event in events:
        if not customer.has_seen(event):
            profile = fold(customer.profile, event, current.dictionary)
            seen = [*customer.seen, fingerprint(event.identity)][-SEEN_KEPT:]
            customer = msgspec.structs.replace(
                customer, profile=profile, seen=seen, folded_by=current.dictionary_hash
            )
    return customer


def rebuilt(
    customer: Customer, history: Sequence[Event], current: Compiled, bases: Sequence[Base] = ()
) -> Customer:
    """The customer with the profile folded anew from all events kept, and from what older ones came to
    (`bases`); what journeys set stays, and so does the tie.

    `history` is in the order in which it was kept: what another worker has kept and not yet folded is among the
    newest, and so is known not to be new when that worker comes to fold it.
    """
    start = customer.history_from
    events = [event for event in history if start is None or event.occurred_at > start]
    profile = fold_all(in_order(events), current.dictionary, start_of(bases, current.dictionary))
    profile = _with_own(profile, customer.profile)
    newest = [fingerprint(event.identity) for event in events if not event.imported][-SEEN_KEPT:]
    seen = _newest([*customer.seen, *newest])
    return msgspec.structs.replace(
        customer, profile=profile, seen=seen, refold=False, folded_by=current.dictionary_hash
    )


def _with_own(folded_anew: Profile, before: Profile) -> Profile:
    own = written_by_journeys(before)
    return msgspec.structs.replace(
        folded_anew,
        attributes=attributes_union(folded_anew.attributes, own.attributes),
        tags=registers_union(folded_anew.tags, own.tags),
        linked=own.linked,
    )


def _newest(seen: list[str]) -> list[str]:
    return list(dict.fromkeys(reversed(seen)))[:SEEN_KEPT][::-1]


def folds_away(customer: Customer, lines: Mapping[str, Instant], dictionary: Dictionary) -> bool:
    """Whether events of the customer are to be folded into its base, or that was begun and not ended."""
    if customer.merged_into or not (lines or customer.folding_away):
        return False
    return customer.folding_away or has_old(customer.profile, customer.folded_until, lines, dictionary)


def pinned_versions(customer: Customer) -> set[str]:
    """The playbook versions that the active journeys go by."""
    return {journey.version for journey in customer.journeys if journey.active}


def needed_versions(customer: Customer) -> set[str]:
    """The pinned versions, and the one that the memberships are kept under."""
    return pinned_versions(customer) | ({customer.segments_of} if customer.segments_of else set())


def next_due(customer: Customer) -> Instant | None:
    """When time next moves any of the journeys, or changes a membership."""
    dues = [journey.due for journey in customer.journeys if journey.active]
    return min((due for due in (*dues, customer.segments_due) if due is not None), default=None)


def emptied(customer: Customer, enqueued: Iterable[str]) -> Customer:
    """The customer without the orders that are enqueued now."""
    gone = set(enqueued)
    order = customer.menu_order
    return msgspec.structs.replace(
        customer,
        outbox=[intent for intent in customer.outbox if intent.send_id not in gone],
        menu_order=None if order and order.send_id in gone else order,
    )
