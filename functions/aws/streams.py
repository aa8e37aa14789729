"""DynamoDB streams → what was written, by table."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from functions.aws.items import decode_customer
from functions.domain.events import Event
from functions.domain.fact_rows import CustomerWritten, EventKept, SendWritten, Written
from functions.domain.instants import Instant
from functions.domain.sends import SendRecord
from functions.ports.facts import Unreadable

RESTORED = "restored"
"""The attribute of rows that a restore has put back: what they say became facts when it happened, and is told once."""
_record = msgspec.json.Decoder(SendRecord)
_event = msgspec.json.Decoder(Event)


class StreamedTables(NamedTuple):
    """The names of the tables that are followed."""

    sends: str
    events: str
    customers: str


def writes_in(event: Mapping[str, Any], tables: StreamedTables) -> Iterator[Written | Unreadable]:
    """The writes of a batch in order, each read when its turn comes: a batch may be two thousand customers, before and after.

    Deletions are none: what was true once stays a fact, until it is erased. Rows of other kinds that live beside, such as an
    account's counters, have no such body and are passed over.
    """
    for record in event.get("Records", []):
        change = record["dynamodb"]
        if record["eventName"] == "REMOVE" or "body" not in change.get("NewImage", {}):
            continue
        if record["eventName"] == "INSERT" and RESTORED in change["NewImage"]:
            continue
        table = _table_of(record.get("eventSourceARN", ""))
        written: Written | Unreadable | None
        try:
            written = _written(table, change, tables)
        except (LookupError, ValueError, TypeError) as error:
            written = Unreadable(table, type(error).__name__)
        if written is not None:
            yield written


def _written(table: str, change: Any, tables: StreamedTables) -> Written | None:
    image, told_at = change["NewImage"], _instant(change["ApproximateCreationDateTime"])
    if table == tables.sends:
        return SendWritten(_record.decode(image["body"]["S"]), told_at)
    if table == tables.events:
        return EventKept(image["pk"]["S"], _event.decode(image["body"]["S"]), told_at)
    if table == tables.customers:
        before = change.get("OldImage")
        return CustomerWritten(decode_customer(before) if before else None, decode_customer(image), told_at)
    return None


def _instant(value: Any) -> Instant:
    """Lambda gives seconds since 1970."""
    return dt.datetime.fromtimestamp(float(value), dt.UTC)


def _table_of(arn: str) -> str:
    """`arn:aws:dynamodb:…:table/NAME/stream/…` → NAME."""
    return arn.partition(":table/")[2].partition("/")[0]
