"""ingest: CRM events by HTTP, or by the EventBridge bus. Checked one by one against the dictionary; the good go on, the others are kept."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from functions.domain.bearer_keys import bears
from functions.domain.events import ID_CHARACTERS_MAX, Event, Fault, check_event
from functions.domain.instants import Instant
from functions.domain.json_bodies import DEPTH_MAX, parsed
from functions.ports.account import AccountState
from functions.ports.messages import BusEvents, EventsReceived
from functions.ports.playbooks import Playbooks
from functions.ports.queues import Inbox
from functions.rejected import RejectedEvents

BODY_BYTES_MAX = 1024 * 1024
EVENTS_MAX = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and its JSON body."""

    status: int
    body: dict[str, Any]


def _error(status: int, message: str) -> Answer:
    return Answer(status, {"message": message})


@dataclass(frozen=True, slots=True)
class Ingest:
    """The ports of this flow."""

    ingest_keys: Callable[[], Sequence[str]]
    playbooks: Playbooks
    inbox: Inbox
    rejected: RejectedEvents
    account_state: AccountState
    now: Callable[[], Instant]

    def ingest(self, body: bytes, authorization: str) -> Answer:
        """202 with what was taken in and what was not · 400 · 401 · 413. Raises Retryable: the caller repeats."""
        if len(body) > BODY_BYTES_MAX:
            return _error(413, "The body is over 1 MB; send fewer events a request.")
        if not bears(authorization, self.ingest_keys()):
            return _error(401, "Send the header 'Authorization: Bearer <ingest key>' with the right key.")
        raw_events = _events_of(body)
        if raw_events is None:
            return _error(
                400,
                f'The body must be JSON of the form {{"events": [...]}}, nested {DEPTH_MAX} levels at most.',
            )
        if len(raw_events) > EVENTS_MAX:
            return _error(413, f"{len(raw_events)} events; at most {EVENTS_MAX} a request.")
        return self._taken_in(raw_events)

    def take(self, told: BusEvents) -> None:
        """The same of what came by the bus, which let in only whom AWS knows. Raises Retryable: it comes again."""
        self._taken_in(told.events)

    def _taken_in(self, raw_events: list[Any]) -> Answer:
        now, playbook = self.now(), self.playbooks.in_force().playbook
        accepted: dict[str, list[Event]] = {}
        rejected: list[dict[str, Any]] = []
        for index, raw in enumerate(raw_events):
            event = check_event(raw, playbook.events, now, playbook.retention.events)
            if isinstance(event, Fault):
                rejected.append(
                    {"index": index, "event_id": _id_of(raw), "code": event.code, "message": event.message}
                )
            else:
                accepted.setdefault(event.customer_id, []).append(event)
        if rejected:
            self.rejected.keep([{**fault, "event": raw_events[fault["index"]]} for fault in rejected], now)
        self.inbox.put([EventsReceived(customer_id, events) for customer_id, events in accepted.items()])
        # Only the sources that the playbook names, so that the account's row does not grow with what a CRM writes.
        for source in sorted(_sources_of(accepted.values()) & playbook.sources.keys()):
            self.account_state.heard_from(source, now)
        return Answer(202, {"accepted": len(raw_events) - len(rejected), "rejected": rejected})


def _sources_of(batches: Iterable[list[Event]]) -> set[str]:
    return {event.source for batch in batches for event in batch}


def _id_of(raw: Any) -> str | None:
    """The event's id, where it may be one: an answer repeats nothing longer."""
    event_id = raw.get("event_id") if isinstance(raw, dict) else None
    return event_id if isinstance(event_id, str) and len(event_id) <= ID_CHARACTERS_MAX else None


def _events_of(body: bytes) -> list[Any] | None:
    try:
        told = parsed(body)
    except ValueError:
        return None
    events = told.get("events") if isinstance(told, dict) else None
    return events if isinstance(events, list) else None
