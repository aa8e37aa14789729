"""What the lake tells since a backup, by the customer whom it concerns now."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from functions.domain.erasure import ERASED, identity_of
from functions.domain.events import Event
from functions.domain.facts import JourneyFact, Send
from ops.backups.known import Known
from ops.backups.lake import Since
from ops.stores import Stores


@dataclass(frozen=True)
class Telling:
    """Facts since a backup, and who is who."""

    stores: Stores
    since: Since
    known: Known

    @cached_property
    def _names(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for told in self.since.named:
            found[self.known.customer_of(told)].append(told)
        return dict(found)

    def sends_of(self, customer_id: str) -> list[Send]:
        """How messages to a customer ended."""
        return [one for name in self._names.get(customer_id, []) for one in self.since.sends.get(name, [])]

    def journeys_of(self, customer_id: str) -> list[JourneyFact]:
        """Beginnings and ends of a customer's journeys."""
        return [one for name in self._names.get(customer_id, []) for one in self.since.journeys.get(name, [])]

    def events_of(self, customer_id: str) -> list[Event]:
        """What happened to a customer, as far as it can be told again; as it happened."""
        names = self._names.get(customer_id, [])
        facts = [one for name in names for one in self.since.happened.get(name, [])]
        events = [event for event in map(self.known.event_of, facts) if event is not None]
        return sorted(events, key=lambda one: (one.occurred_at, one.event_id))

    def first_heard_of_since(self, seen: set[str]) -> Iterator[str]:
        """Customers of whom facts tell and the backup does not, but for whom nothing but a pseudonym is left, and the erased."""
        for customer_id, names in sorted(self._names.items()):
            is_nobodys = customer_id.startswith(f"{ERASED}:") or any(map(self.known.is_lost, names))
            if customer_id not in seen and not is_nobodys and not self._is_erased(customer_id):
                yield customer_id

    def _is_erased(self, customer_id: str) -> bool:
        if not self.known.suppressions:
            return False
        return self.stores.suppressions.find(identity_of(customer_id)) is not None
