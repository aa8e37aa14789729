"""What happened, from a deployment's own tables and from what the CRM told: no fact, and nothing derived of one."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec
import pandas as pd

from functions.aws.items import decode_customer
from functions.aws.parallel_scans import scanned
from functions.domain.compiled import Compiled
from functions.domain.customers import Customer
from functions.domain.events import Event
from functions.domain.experiments import is_held_out
from functions.domain.facts import person
from functions.domain.instants import Instant
from functions.domain.sends import SendRecord
from ops.recount.happened import Happened
from ops.stores import Stores

FRIEND_CHANGES = {"line_follow": "follow", "line_unfollow": "block"}
ASSIGNED = ["customer_id", "experiment", "variant"]
_event = msgspec.json.Decoder(Event)


class Raw(NamedTuple):
    """The tables' rows. `kept`: in whose history each event is kept; `told`: what the CRM told."""

    sends: list[SendRecord]
    customers: list[Customer]
    kept: list[tuple[str, Event]]
    told: list[Event]


def raw_of(stores: Stores, told: Iterable[Event]) -> Raw:
    """Read everything of a small deployment."""
    client, names = stores.target.client("dynamodb"), stores.settings
    events = (item for item in scanned(client, names.table_events, ConsistentRead=True) if "body" in item)
    return Raw(
        sends=list(stores.sends.all()),
        customers=[
            decode_customer(item) for item in scanned(client, names.table_customers, ConsistentRead=True)
        ],
        kept=[(item["pk"]["S"], _event.decode(item["body"]["S"])) for item in events],
        told=list({event.event_id: event for event in told}.values()),
    )


def happened_of(raw: Raw, compiled: Compiled, memberships: pd.DataFrame) -> Happened:
    """The rows as a recount reads them. Everybody bears the ids of the tables: of friends, LINE's. `memberships`: who
    entered and left what and when, of which the tables keep but the end (`members_of`)."""
    about_line = [(whose, one) for whose, one in raw.kept if one.name in FRIEND_CHANGES]
    return Happened(
        events=_frame(
            (_event_row(one) for one in raw.told),
            "event_id customer_id name at status properties",
        ),
        sends=pd.DataFrame([_send_row(one, compiled) for one in raw.sends]),
        clicks=_frame(
            (
                {
                    "at": _naive(one.occurred_at),
                    "agent": one.properties.get("agent") or "person",
                    "send_id": one.properties.get("send_id"),
                }
                for _, one in raw.kept
                if one.name == "link_clicked"
            ),
            "at agent send_id",
        ),
        friendships=_frame(
            (
                {"customer_id": whose, "at": _naive(one.occurred_at), "change": FRIEND_CHANGES[one.name]}
                for whose, one in about_line
            ),
            "customer_id at change",
        ),
        people=pd.DataFrame(list(_people(raw.customers))),
        memberships=memberships,
    )


def history_of(raw: Raw) -> pd.DataFrame:
    """Every event that is kept but for clicks and friendships, which nobody told of."""
    rows = (
        {"at": _naive(one.occurred_at), "source": one.source, "imported": one.imported}
        for _, one in raw.kept
        if one.name not in FRIEND_CHANGES and not one.name.startswith("link_")
    )
    return _frame(rows, "at source imported")


def assigned(raw: Raw) -> pd.DataFrame:
    """Which arm each customer was given for good."""
    rows = [
        (one.merged_into or one.customer_id, experiment, variant)
        for one in raw.customers
        for experiment, variant in one.assignments.items()
    ]
    return pd.DataFrame(rows, columns=ASSIGNED).drop_duplicates()


def with_ids_of(customers: Iterable[Customer], facts: pd.DataFrame) -> pd.DataFrame:
    """Rows of facts with the ids of the tables in place of the pseudonyms."""
    known_as = {person(one.customer_id): one.customer_id for one in customers}
    return facts.assign(customer_id=facts["customer_id"].map(lambda one: known_as.get(one, one)))


def _frame(rows: Iterable[dict[str, Any]], columns: str) -> pd.DataFrame:
    """A frame that has its columns, and instants in `at`, though it has no rows."""
    found = pd.DataFrame(list(rows), columns=columns.split())
    return found.assign(at=pd.to_datetime(found["at"]))


def _naive(at: Any) -> pd.Timestamp:
    return pd.Timestamp(at).tz_convert("UTC").tz_localize(None)


def _event_row(event: Event) -> dict[str, Any]:
    names = {name: getattr(event, name) for name in ("event_id", "customer_id", "name", "status")}
    return names | {"at": _naive(event.occurred_at), "properties": event.properties}


def _send_row(record: SendRecord, compiled: Compiled) -> dict[str, Any]:
    names = ["send_id", "customer_id", "status", "reason", "kind", "scenario", "campaign", "run", "step"]
    source, unit = record.scenario or record.campaign, record.unit or record.customer_id
    return {name: getattr(record, name) for name in names} | {
        "at": _naive(record.at),
        "made_at": _naive(record.made_at),
        "variant": record.variant.rpartition(":")[2],
        "held_out": is_held_out(compiled.playbook, source, record.kind, unit),
    }


def _people(customers: Iterable[Customer]) -> Iterator[dict[str, Any]]:
    """As they are now; since when, their link says, or that of whom they became."""
    linked = {one.customer_id: one for one in customers}
    for one in customers:
        now = linked.get(one.merged_into, one)
        at = now.link.at if now.link else now.evaluated_at
        yield {
            "customer_id": one.customer_id,
            "owner": one.merged_into or one.customer_id,
            "linked": bool(one.line_user_id) and not one.customer_id.startswith("anon:"),
            "at": pd.Timestamp.min.ceil("s") if at is None else _naive(at),
        }


def members_of(customers: Iterable[Customer], compiled: Compiled, until: Instant) -> dict[str, set[str]]:
    """The names of the segments that everybody is in now, of those who were evaluated last before an instant."""
    return {
        one.customer_id: {name for each in one.segments for name in compiled.tracked[each].names}
        for one in customers
        if one.evaluated_at and one.evaluated_at < until and one.segments_of == compiled.version
    }
