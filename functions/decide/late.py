"""The part of decide that sets aside what comes when its kind and time are folded away.

The base tells no copy from what was never heard: both lie behind its line, and neither is counted. But nothing is dropped:
each waits among the rejected events, with why, and is counted (`EventsTooOld`). Edges refuse the same a month earlier, so
that only what was on its way for longer comes here, or what was let in by a retention that is shorter now.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from functions.domain.events import TOO_OLD, Event
from functions.domain.instants import Instant, format_instant
from functions.ports.account import Measures
from functions.rejected import RejectedEvents

EVENTS_TOO_OLD = "EventsTooOld"


@dataclass(frozen=True, slots=True)
class SetAside:
    """The ports of this part."""

    rejected: RejectedEvents
    measures: Measures
    now: Callable[[], Instant]

    def keep(self, late: Iterable[Event]) -> None:
        """Keep these events for a person to judge, each once. A repeat of the message changes nothing within the day."""
        unique = {event.identity: event for event in late}
        if not unique:
            return
        self.rejected.keep([_rejected(event) for event in unique.values()], self.now())
        self.measures.count(EVENTS_TOO_OLD, len(unique))


def _rejected(event: Event) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "code": TOO_OLD,
        "message": f"{event.name} of that time is folded away: a copy is counted already, and what was never heard cannot be "
        "added. Where it has to count, tell it anew under another event_id and a later 'occurred_at'.",
        "event": _as_told(event),
    }


def _as_told(event: Event) -> dict[str, Any]:
    """The event as the ingest contract has it."""
    return {
        "event_id": event.event_id,
        "customer_id": event.told_of or event.customer_id,
        "name": event.name,
        "occurred_at": format_instant(event.occurred_at),
        "status": event.status,
        "source": event.source,
        "properties": dict(event.properties),
    }
