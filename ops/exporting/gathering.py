"""Everything that is held of one person, in the shape that docs/operations.md tells of."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from functions.aws.parallel_scans import scanned
from functions.aws.rejects import S3RejectedEvents
from functions.domain.customers import Customer
from functions.domain.erasure import Person, is_own_row, scrubbed
from functions.domain.events import Event
from functions.domain.instants import format_instant
from ops.customer_card import card_of
from ops.explain.known import frozen_runs
from ops.stores import Stores

FORMAT = 1
Json = dict[str, Any]


def export_of(stores: Stores, person: Person) -> Json:
    """The whole of it. The identities, the timers and the rejected events are read through: nothing else leads to them."""
    customers = [found for one in person.customer_ids if (found := stores.customers.load(one))]
    living = [one for one in customers if not one.merged_into]
    gates = [gate for one in person.customer_ids if (gate := stores.customers.load_gate(one))]
    return {
        "format": FORMAT,
        "exported_at": format_instant(stores.now()),
        "ids": {"customers": person.customer_ids, "line_users": person.line_users},
        "profiles": [_profile(stores, one) for one in living],
        "consent": _consent(stores, person),
        "reachability": [_plain(gate) for gate in gates if not gate.merged_into],
        "links": list(_links(stores, person)),
        "events": _sorted(_plain(one) for own in person.customer_ids for one in stores.events.all_of(own)),
        "counted_before": [
            {"customer_id": own, **_plain(base)}
            for own in person.customer_ids
            if (base := stores.events.kept_of(own).base).version
        ],
        "sends": [_plain(one) for own in person.customer_ids for one in stores.sends.of_customer(own)],
        "campaign_lists": _lists(stores, person),
        "waiting": sorted(_waiting(stores, person), key=lambda one: (one["due"], str(one["order"]))),
        "rejected": list(_rejected(stores, person)),
    }


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)


def _sorted(events: Iterable[Json]) -> list[Json]:
    return sorted(events, key=lambda one: (one["occurred_at"], one["event_id"]))


def _profile(stores: Stores, customer: Customer) -> Json:
    """Attributes with when each was said; tags, tallies, segments, journeys as they stand."""
    card, profile = card_of(stores, customer), customer.profile
    return {
        "customer_id": customer.customer_id,
        "attributes": {
            name: {"value": one.value, "at": format_instant(one.at), "event_id": one.event_id}
            for name, one in sorted(profile.attributes.items())
        },
        "tags": profile.tag_names,
        "counted": _plain(profile.tallies),
        "provisional": _plain(profile.provisional),
        "segments": card["segments"],
        "journeys": _plain(customer.journeys),
        "outbox": _plain(customer.outbox),
        "experiments": customer.assignments,
        "aliases": _plain(customer.aliases),
    }


_CONSENT = ("consent_given", "consent_withdrawn", "line_linked")


def _consent(stores: Stores, person: Person) -> list[Json]:
    """Every word on consent: purpose, version, when, from which source; the last of a purpose counts."""
    events = (event for own in person.customer_ids for event in stores.events.all_of(own))
    words = [word for event in events if event.name in _CONSENT for word in _words(event)]
    return sorted(words, key=lambda one: (one["at"], str(one["purpose"])))


def _words(event: Event) -> Iterator[Json]:
    told = event.properties
    for purpose in told.get("consent") or [] if event.name == "line_linked" else [told.get("purpose")]:
        yield {
            "purpose": purpose,
            "given": event.name != "consent_withdrawn",
            "version": told.get("version") or told.get("consent_version"),
            "at": format_instant(event.occurred_at),
            "source": event.source,
            "event_id": event.event_id,
        }


def _links(stores: Stores, person: Person) -> Iterator[Json]:
    """Every row of the identities that is the person's, its audit included, oldest first."""
    table, client = stores.settings.table_identities, stores.target.client("dynamodb")
    rows = [
        item
        for item in scanned(client, table, ConsistentRead=True)
        if is_own_row("identities", item["pk"]["S"], item["sk"]["S"], person)
    ]
    for item in sorted(rows, key=lambda item: (item["pk"]["S"], item["sk"]["S"])):
        body = json.loads(item["body"]["S"]) if "body" in item else None
        yield {"row": f"{item['pk']['S']}/{item['sk']['S']}", "holds": body}


def _lists(stores: Stores, person: Person) -> list[Json]:
    """The campaign runs on whose frozen lists the person is."""
    return [
        {"run": one.run.source, "customer_id": own, "line_user_id": one.recipients[own]}
        for one in frozen_runs(stores)
        for own in person.customer_ids
        if own in one.recipients
    ]


def _waiting(stores: Stores, person: Person) -> Iterator[Json]:
    """Timers that wake the person, and messages that are held for them."""
    table, client = stores.settings.table_timers, stores.target.client("dynamodb")
    for item in scanned(client, table, ConsistentRead=True):
        body = json.loads(item["body"]["S"]) if "body" in item else {}
        named = {item.get("customer", {}).get("S"), body.get("customer_id"), body.get("line_user_id")}
        if named & person.ids:
            yield {"due": item["due"]["S"], "order": body or None}


def _rejected(stores: Stores, person: Person) -> Iterator[Json]:
    """Events that were not taken in and name the person."""
    for batch in S3RejectedEvents(stores.objects).all():
        for one in batch.rejections:
            if scrubbed(one.raw, person, everywhere=True) != one.raw:
                at = format_instant(one.received_at)
                yield {"received_at": at, "code": one.code, "message": one.message, "event": one.raw}
