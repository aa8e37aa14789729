"""The customer card: one person as the system knows them."""

from typing import Any

from functions.domain.compiled import Compiled
from functions.domain.customers import Customer
from functions.domain.gate import Gate
from functions.domain.instants import Instant, format_instant
from functions.domain.journeys import Journey
from functions.domain.line_events import anonymous_id, is_anonymous
from functions.domain.playbook import Send
from functions.domain.sends import SendRecord
from ops.stores import Stores

Card = dict[str, Any]


def find_customer(stores: Stores, identifier: str) -> Customer | None:
    """The customer with this customer id, or the one whom this LINE user is; None where nobody is known."""
    link = stores.identities.link_of(identifier)
    candidates = [link.owner] if link else [identifier, anonymous_id(identifier)]
    for candidate in candidates:
        customer = stores.customers.load(candidate)
        while customer is not None and customer.merged_into:
            customer = stores.customers.load(customer.merged_into)
        if customer is not None:
            return customer
    return None


def card_of(stores: Stores, customer: Customer) -> Card:
    """The card, in the form of the contract."""
    compiled, now = stores.playbooks.in_force(), stores.now()
    gate = stores.customers.load_gate(customer.customer_id)
    owners = {customer.customer_id, *(alias.customer_id for alias in customer.aliases)}
    sends = [record for owner in owners for record in stores.sends.of_customer(owner)]
    return {
        "customer_id": customer.customer_id,
        "links": _links(stores, customer),
        "consent": _consent(gate),
        "consent_records": _consent_records(customer),
        "attributes": {
            name: register.value for name, register in sorted(customer.profile.attributes.items())
        },
        "tags": customer.profile.tag_names,
        "segments": _segments(customer, compiled, now),
        "journeys": [_journey(stores, journey) for journey in customer.journeys],
        "sends": [_send(record) for record in sorted(sends, key=lambda record: record.at)],
    }


def _links(stores: Stores, customer: Customer) -> list[Card]:
    if is_anonymous(customer.customer_id):
        user = customer.line_user_id
        return [{"line_user_id": user, "method": "follow", "status": "anonymous", "linked_at": None}]
    return [
        {
            "line_user_id": link.line_user_id,
            "method": link.method,
            "status": link.status,
            "linked_at": format_instant(link.linked_at),
        }
        for link in stores.identities.links_of(customer.customer_id)
    ]


def _consent(gate: Gate | None) -> dict[str, bool]:
    return (
        {purpose: bool(register.value) for purpose, register in sorted(gate.consent.items())} if gate else {}
    )


def _consent_records(customer: Customer) -> Card:
    """By purpose: whether given, to which version of the text, when, and which source said so."""
    return {
        purpose: {
            "given": bool(told.value),
            "version": told.version or None,
            "source": told.source or None,
            "at": format_instant(told.at),
        }
        for purpose, told in sorted(customer.profile.consent.items())
    }


def _segments(customer: Customer, compiled: Compiled, now: Instant) -> list[str]:
    segments = compiled.playbook.segments
    return sorted(name for name in segments if compiled.holds(segments[name].when, customer.profile, now))


def _journey(stores: Stores, journey: Journey) -> Card:
    """Where a journey stands: its next message, or the end."""
    scenario = stores.playbooks.version(journey.version).playbook.scenarios[journey.scenario]
    ahead = (step.name for step in scenario.steps[journey.at :] if isinstance(step, Send))
    step = next(ahead, "end") if journey.active else "end"
    return {"scenario": journey.scenario, "version": journey.version, "step": step, "status": journey.status}


def _send(record: SendRecord) -> Card:
    return {
        "send_id": record.send_id,
        "status": record.status,
        "reason": record.reason or None,
        "scenario": record.scenario or None,
        "campaign": record.campaign or None,
        "step": record.step,
        "variant": record.variant or None,
        "message": record.message,
        "at": format_instant(record.at),
        **resolution_card(record),
    }


def resolution_card(record: SendRecord) -> Card:
    """What a person has said of an unknown end, under `resolved`; nothing where nobody has."""
    if (one := record.resolved) is None:
        return {}
    return {
        "resolved": {
            "was": one.status,
            "reason": one.reason or None,
            "by": one.by,
            "at": format_instant(one.at),
            "why": one.why,
        }
    }
