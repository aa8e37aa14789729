"""What the queues carry, but for intents (functions/domain/sends.py)."""

import datetime as dt
from typing import Any

import msgspec

from functions.domain.events import Event
from functions.domain.instants import Instant
from functions.domain.sends import Order


class CampaignRun(msgspec.Struct, frozen=True):
    """An order to evaluate: run one occurrence of a campaign."""

    campaign: str
    occurrence: Instant


class BackfillSegment(msgspec.Struct, frozen=True):
    """An order to evaluate: go on with one scan segment of a back-fill."""

    backfill: str
    segment: int


class AuditPart(msgspec.Struct, frozen=True):
    """An order to evaluate: audit one part of all customers, under the name of an audit."""

    audit: str
    part: int


EvaluateOrder = CampaignRun | BackfillSegment | AuditPart


class LoadOrder(msgspec.Struct, frozen=True):
    """An order to load: go on with the load of one file."""

    load: str


class FileDropped(msgspec.Struct, frozen=True):
    """That a file came: its key, its version (its tag where the bucket keeps none) and its size in bytes."""

    key: str
    version: str
    size: int


class MeasureDay(msgspec.Struct, frozen=True, omit_defaults=True):
    """An order to measure: merge what has come in, then measure each day from `first` to `measure`, in order, or `measure`
    alone. None: the last day that is over, and those before it that were missed."""

    measure: dt.date | None = None
    first: dt.date | None = None


class BusEvents(msgspec.Struct, frozen=True):
    """Raw events that came by the EventBridge bus, in one of its own events, whose id is `bus_id`."""

    bus_id: str
    events: list[Any]


class LineReceived(msgspec.Struct, frozen=True, tag="line"):
    """One raw event of a LINE webhook."""

    raw: Any
    received_at: Instant


class EventsReceived(msgspec.Struct, frozen=True, omit_defaults=True, tag="events"):
    """Checked CRM events of one customer. History is folded, and starts no journey."""

    customer_id: str
    events: list[Event]
    history: bool = False


class CustomerDue(msgspec.Struct, frozen=True, omit_defaults=True, tag="due"):
    """A customer whose timer has come up. It is at least `due` by now, whatever the worker's own clock says."""

    customer_id: str
    due: Instant | None = None


class CustomerRefresh(msgspec.Struct, frozen=True, omit_defaults=True, tag="refresh"):
    """A customer to look at under the playbook in force. `starts`: hashes of segments whose members count as having
    entered at `asked_at`."""

    customer_id: str
    asked_at: Instant
    starts: list[str] = []


class LinkAttemptDue(msgspec.Struct, frozen=True, tag="link_attempt"):
    """An attempt to link that is over by `due`: whoever began it is told where nobody has taken it up."""

    attempt_id: str
    due: Instant


InboxMessage = LineReceived | EventsReceived | CustomerDue | CustomerRefresh | LinkAttemptDue


class MissedMinute(msgspec.Struct, frozen=True):
    """A minute's schedule that EventBridge could not deliver."""

    scheduled_at: Instant


Payload = (
    Order | InboxMessage | EvaluateOrder | MissedMinute | LoadOrder | FileDropped | BusEvents | MeasureDay
)
"""What a dead letter may carry."""
