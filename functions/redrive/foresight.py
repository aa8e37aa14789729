"""What a replay would do with a payload: read as the gate reads it, decided as the gate decides, and nothing written."""

from collections.abc import Callable
from dataclasses import dataclass

from functions.domain.claims import decide
from functions.domain.customers import Customer
from functions.domain.dead_letters import RERUN, STAYS, UNREADABLE, Prediction, Subject, ended, predicted
from functions.domain.gate import Gate
from functions.domain.instants import Instant, format_instant
from functions.domain.line_events import anonymous_id
from functions.domain.sends import BatchOrder, Intent, MenuOrder
from functions.domain.situations import situation_of, versions_needed
from functions.ports.account import AccountState
from functions.ports.customers import Customers
from functions.ports.errors import MusubiError
from functions.ports.messages import (
    AuditPart,
    BackfillSegment,
    BusEvents,
    CampaignRun,
    CustomerDue,
    CustomerRefresh,
    EventsReceived,
    FileDropped,
    LineReceived,
    LinkAttemptDue,
    LoadOrder,
    MissedMinute,
    Payload,
)
from functions.ports.playbooks import Playbooks
from functions.ports.sending import Sends

HOPS_MAX = 4


@dataclass(frozen=True, slots=True)
class Foresight:
    """The ports of this part."""

    customers: Customers
    sends: Sends
    playbooks: Playbooks
    account_state: AccountState
    now: Callable[[], Instant]

    def of(self, payload: Payload | None) -> Prediction:
        """What would become of it now."""
        match payload:
            case None:
                return STAYS
            case Intent():
                try:
                    return self._intent(payload)
                except MusubiError as error:
                    return Prediction("fails", str(error))
                except (LookupError, TypeError, ValueError) as error:
                    # What the gate stumbles over here it will stumble over again. The text may quote the payload.
                    return Prediction("fails", type(error).__name__)
            case _:
                return RERUN

    def _intent(self, intent: Intent) -> Prediction:
        record = self.sends.find(intent.customer_id, intent.made_at, intent.send_id)
        if record is not None:
            return ended(record)
        gate, customer = self._read(intent.customer_id)
        if gate is None or customer is None:
            return Prediction("suppressed", "erased")
        versions = {name: self.playbooks.version(name) for name in versions_needed(intent, customer)}
        current, now = self.playbooks.in_force(), self.now()
        situation = situation_of(intent, customer, current, versions, now, self.account_state.read())
        claim = gate.claim(intent.send_id)
        # Rendering is pure: what was claimed comes out the same.
        content = claim.hash if claim else ""
        return predicted(decide(intent, gate, current.rules, situation, content, now), claim)

    def _read(self, customer_id: str) -> tuple[Gate | None, Customer | None]:
        """Gate and customer, of whoever the customer was merged into."""
        for _ in range(HOPS_MAX):
            gate, customer = self.customers.load_both(customer_id)
            if gate is None or not gate.merged_into:
                return gate, customer
            customer_id = gate.merged_into
        return None, None


def subject_of(payload: Payload | None) -> Subject:
    """The shape of a payload: its kind, its ids, its names, and nothing that it says."""
    match payload:
        case None:
            return UNREADABLE
        case Intent() as one:
            return Subject(
                "intent", one.customer_id, one.line_user_id, one.scenario, one.campaign, one.step, one.send_id
            )
        case MenuOrder() as one:
            return Subject("rich_menu", one.customer_id, one.line_user_id, detail=one.menu)
        case EventsReceived(customer_id=customer, events=events):
            names = sorted({event.name for event in events})
            return Subject("events", customer, detail=f"{len(events)}: {', '.join(names)}")
        case LineReceived(raw=raw):
            return _line_subject(raw)
        case CustomerDue(customer_id=customer):
            return Subject("due", customer)
        case CustomerRefresh(customer_id=customer):
            return Subject("refresh", customer)
        case LinkAttemptDue():
            return Subject("link_attempt")
        case _:
            return _order_subject(payload)


def _line_subject(raw: object) -> Subject:
    event = raw if isinstance(raw, dict) else {}
    source = event.get("source")
    user = source.get("userId") if isinstance(source, dict) else None
    user = user if isinstance(user, str) else ""
    return Subject("line_event", anonymous_id(user) if user else "", user, detail=str(event.get("type", "")))


def _order_subject(payload: Payload) -> Subject:
    """Orders that concern many, or nobody in particular."""
    match payload:
        case CampaignRun(campaign=campaign, occurrence=occurrence):
            return Subject("campaign_run", campaign=campaign, detail=format_instant(occurrence))
        case BackfillSegment(backfill=backfill, segment=segment):
            return Subject("backfill", detail=f"{backfill}, segment {segment}")
        case AuditPart(audit=audit, part=part):
            return Subject("audit", detail=f"{audit}, part {part}")
        case BatchOrder() as one:
            campaign, _, begun = one.source.partition("@")
            detail = f"{begun}, {len(one.members)} people"
            return Subject("batch", campaign=campaign, detail=detail, send_id=one.send_id)
        case MissedMinute(scheduled_at=at):
            return Subject("tick", detail=format_instant(at))
        case FileDropped(key=key):
            return Subject("file", detail=key)
        case BusEvents(events=raw):
            return Subject("bus_events", detail=f"{len(raw)} events")
        case LoadOrder(load=load):
            return Subject("load", detail=load)
        case _:
            return Subject(type(payload).__name__)
