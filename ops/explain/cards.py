"""The explanation of one person, in the form of the contract."""

from collections import Counter
from typing import Any

from functions.domain.instants import format_instant
from functions.domain.journeys import Journey
from functions.domain.sends import Intent, SendRecord, send_id_of
from ops.customer_card import resolution_card
from ops.explain.ends import conditions_of
from ops.explain.entries import because_of, campaign_cards, scenario_cards
from ops.explain.known import Known

Card = dict[str, Any]


def explanation_of(known: Known, scenario: str = "") -> Card:
    """`scenario`: only what has to do with this one."""
    waiting = [intent for intent in known.waiting if scenario in ("", intent.scenario)]
    return {
        "customer_id": known.customer.customer_id,
        "identity": _identity(known),
        "sends": [_send(known, record) for record in known.records if scenario in ("", record.scenario)],
        "pending": [_pending(known, intent) for intent in waiting],
        "scenarios": scenario_cards(known, scenario),
        "campaigns": [] if scenario else campaign_cards(known),
        "unexplained": unexplained(known, scenario) if known.whole else [],
    }


def _identity(known: Known) -> Card:
    customer, gate = known.customer, known.gate
    return {
        "line_user_id": customer.line_user_id or None,
        "linked_at": format_instant(customer.link.at) if customer.link and customer.line_user_id else None,
        "reachable": bool(gate and gate.reaches(customer.line_user_id)),
        "consent": {name: bool(one.value) for name, one in sorted(gate.consent.items())} if gate else {},
        "open_cases": gate.open_flags() if gate else [],
        "also": known.owners[1:],
        "zone": customer.profile.zone,
    }


def _send(known: Known, record: SendRecord) -> Card:
    return {
        "send_id": record.send_id,
        "message": record.message,
        "version": record.message_hash,
        "kind": record.kind,
        "status": record.status,
        "reason": record.reason or None,
        "at": format_instant(record.at),
        "made_at": format_instant(record.made_at),
        "step": record.step,
        "variant": record.variant or None,
        "scenario": record.scenario or None,
        "campaign": record.campaign or None,
        "because": _because(known, record),
        "why": conditions_of(known, record, _journey(known, record)),
        "holds": _holds(record),
        "facts": record.facts,
        **resolution_card(record),
    }


def _because(known: Known, record: SendRecord | Intent) -> str:
    """What the message was made for."""
    if record.campaign:
        run = record.run if isinstance(record, SendRecord) else record.source
        playbook = known.version(record.playbook).playbook
        campaign = playbook.campaigns.get(record.campaign)
        return f"campaign run {run}, segment {campaign.segment if campaign else 'of an older playbook'}"
    journey = _journey(known, record)
    if journey is None:
        return f"a journey through {record.scenario} that is kept no more"
    scenario = known.version(journey.version).playbook.scenarios[journey.scenario]
    return f"{journey.scenario}, step {record.step}, begun by {because_of(known, journey, scenario)}"


def _journey(known: Known, record: SendRecord | Intent) -> Journey | None:
    """The journey that made it: the one whose name for this step it bears."""
    for journey in known.customer.journeys:
        made = send_id_of(
            known.account,
            journey.scenario,
            journey.journey_id,
            record.step,
            record.line_user_id,
            str(journey.occurrence),
        )
        if made == record.send_id:
            return journey
    return None


def _holds(one: SendRecord | Intent) -> list[list[str]]:
    """Since when, for what and until when it waited."""
    return [[format_instant(note.at), note.reason, format_instant(note.until)] for note in one.holds]


def _pending(known: Known, intent: Intent) -> Card:
    """A message that waits: held, until when and for what, or on its way to the queue."""
    held = next((one for one in known.held if one.intent.send_id == intent.send_id), None)
    return {
        "send_id": intent.send_id,
        "message": intent.message,
        "where": "held" if held else "outbox",
        "reason": intent.holds[-1].reason if intent.holds else None,
        "holds": _holds(intent),
        "until": format_instant(held.until) if held else None,
        "made_at": format_instant(intent.made_at),
        "expires_at": format_instant(intent.expires_at),
        "step": intent.step,
        "scenario": intent.scenario or None,
        "campaign": intent.campaign or None,
        "because": _because(known, intent),
    }


def unexplained(known: Known, scenario: str = "") -> list[str]:
    """What the person was meant to get and of which nothing is known: neither an end, nor that it waits.

    What is in a queue at this moment counts too: ask again when the queues are empty.
    """
    there = Counter(record.run or record.scenario for record in known.records)
    there.update(intent.source for intent in known.waiting)
    meant = Counter(known.customer.intended)
    meant.update(frozen.run.source for frozen in known.runs if known.targeted_by(frozen))
    return [
        f"{meant[source] - there[source]} of {source}"
        for source in sorted(meant)
        if meant[source] > there[source] and scenario in ("", source)
    ]
