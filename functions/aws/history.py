"""The event history: every event of every customer, by its identity."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from functions.aws.items import put_new
from functions.aws.stored import STAMP, decoded, encoded, format_of, stamp_of
from functions.domain.bases import Base, Kept, split
from functions.domain.events import LAST_KEY, Event
from functions.ports.errors import Conflict, Retryable

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_event = msgspec.json.Decoder(Event)
_base = msgspec.json.Decoder(Base)
BATCH_MAX = 25
TRIES_MAX = 6
UNATTRIBUTED = "anon:#unattributed"
BASE = f"{LAST_KEY}base"
"""The sort key of what a partition's older events came to."""


def base_in(row: Mapping[str, Any]) -> Base | None:
    """The base of a partition; None where the row is an event."""
    if row["sk"]["S"] != BASE:
        return None
    return decoded(_base, row["base"]["S"].encode(), format_of(row))


class DynamoEvents:
    """The events table. `keeps` says for how many seconds of wall time an event of a name is kept; None: for good."""

    def __init__(
        self, client: "DynamoDBClient", table: str, keeps: Callable[[str], int | None] = lambda _name: None
    ) -> None:
        self._client = client
        self._table = table
        self._keeps = keeps

    def put_new(self, event: Event) -> bool:
        """Keep the event, on condition that its identity is not kept yet; whether it was new."""
        return put_new(self._client, self._table, self._row(event.customer_id, event))

    def put_all(self, customer_id: str, events: Sequence[Event]) -> None:
        """Keep many events of one customer, 25 a request; what a batch leaves unwritten is written again, bounded."""
        for start in range(0, len(events), BATCH_MAX):
            puts = [
                {"PutRequest": {"Item": self._row(customer_id, event)}}
                for event in events[start : start + BATCH_MAX]
            ]
            self._write({self._table: puts})

    def _write(self, wanted: Any) -> None:
        for attempt in range(TRIES_MAX):
            wanted = self._client.batch_write_item(RequestItems=wanted).get("UnprocessedItems")
            if not wanted:
                return
            time.sleep(0.05 * 2**attempt)
        raise Retryable("the event history is throttled")

    def has(self, customer_id: str, identity: str) -> bool:
        """Whether an event with this identity is kept, read consistently."""
        key = {"pk": {"S": customer_id}, "sk": {"S": identity}}
        answer = self._client.get_item(
            TableName=self._table, Key=key, ConsistentRead=True, ProjectionExpression="pk"
        )
        return "Item" in answer

    def identities_of(self, customer_id: str) -> set[str]:
        """The identities of all events kept of a customer."""
        found = {item["sk"]["S"] for item in self._query(customer_id, ProjectionExpression="sk")}
        return found - {BASE}

    def all_of(self, customer_id: str) -> list[Event]:
        """All events kept of a customer, in the order in which they were kept."""
        return self.kept_of(customer_id).events

    def kept_of(self, customer_id: str) -> Kept:
        """The same events, with what older ones came to. The base's key is the last of all, so that it is read last."""
        items, base = list(self._query(customer_id)), Base()
        if items and (last := base_in(items[-1])) is not None:
            base = last
            items.pop()
        items.sort(key=lambda item: int(item["kept"]["N"]))
        return split((_event.decode(item["body"]["S"]) for item in items), base)

    def save_base(self, customer_id: str, base: Base) -> None:
        """Write the base on condition that it is still at its version, and raise that by one. Raises Conflict."""
        after = msgspec.structs.replace(base, version=base.version + 1)
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": customer_id},
                    "sk": {"S": BASE},
                    "version": {"N": str(after.version)},
                    STAMP: stamp_of(after),
                    "base": {"S": encoded(after).decode()},  # no event: whoever reads bodies passes it over
                },
                # There is none yet, or it is the one that this one was made from.
                ConditionExpression="attribute_not_exists(pk) OR version = :was",
                ExpressionAttributeValues={":was": {"N": str(base.version)}},
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise Conflict("the base has changed") from error

    def remove(self, customer_id: str, identities: Sequence[str]) -> None:
        """Delete these rows, 25 a request; those that are gone already stay so."""
        for start in range(0, len(identities), BATCH_MAX):
            deletes = [
                {"DeleteRequest": {"Key": {"pk": {"S": customer_id}, "sk": {"S": identity}}}}
                for identity in identities[start : start + BATCH_MAX]
            ]
            self._write({self._table: deletes})

    def keep_unattributed(self, event: Event) -> None:
        """Keep an event that LINE ties to nobody."""
        self._client.put_item(TableName=self._table, Item=self._row(UNATTRIBUTED, event))

    def _query(self, customer_id: str, **more: Any) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": customer_id}},
            ConsistentRead=True,
            **more,
        )
        for page in pages:
            yield from page["Items"]

    def _row(self, customer_id: str, event: Event) -> dict[str, Any]:
        body = msgspec.json.encode(event).decode()
        row = {
            "pk": {"S": customer_id},
            "sk": {"S": event.identity},
            "kept": {"N": str(time.time_ns())},
            "body": {"S": body},
        }
        if (seconds := self._keeps(event.name)) is not None:
            row["ttl"] = {"N": str(time.time_ns() // 1_000_000_000 + seconds)}
        return row
