"""What the ways in keep for repair: nothing of erased people. What they take in of them is dropped by decide."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from functions.domain.instants import Instant
from functions.ports.account import Measures
from functions.ports.customers import Suppressions

ERASED_DROPPED = "ErasedDropped"


class RejectedEvents(Protocol):
    """Where events that were not taken in wait for repair."""

    def keep(self, rejected: list[dict[str, Any]], received_at: Instant) -> None:
        """Keep the raw events with their faults."""


class Unmended(Protocol):
    """What of it waits for long."""

    def waits_since(self, before: Instant) -> bool:
        """Whether anything that came before that day is neither mended nor given up."""


@dataclass(frozen=True, slots=True)
class KeepOfTheLiving:
    """Rejected events, without those of erased people: they are dropped, and counted."""

    inner: RejectedEvents
    suppressions: Suppressions
    measures: Measures

    def keep(self, rejected: list[dict[str, Any]], received_at: Instant) -> None:
        """Keep the raw events with their faults. One read for each person whom a rejected event names."""
        erased = {name for name in _named(rejected) if self.suppressions.find(name) is not None}
        kept = [one for one in rejected if not erased & set(_identities(one.get("event")))]
        if len(kept) < len(rejected):
            self.measures.count(ERASED_DROPPED, len(rejected) - len(kept))
        if kept:
            self.inner.keep(kept, received_at)


def _named(rejected: list[dict[str, Any]]) -> list[str]:
    return sorted({name for one in rejected for name in _identities(one.get("event"))})


def _identities(raw: Any) -> Iterator[str]:
    """Whom a raw event names, as far as it can be read."""
    if not isinstance(raw, Mapping):
        return
    properties = raw.get("properties")
    user = properties.get("line_user_id") if isinstance(properties, Mapping) else None
    for kind, name in (("customer", raw.get("customer_id")), ("line", user)):
        if isinstance(name, str) and name:
            yield f"{kind}#{name}"
