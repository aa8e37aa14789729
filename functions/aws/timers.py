"""Timers: due work in buckets of a minute and a shard, so that reading what is due costs the same however much waits."""

import time
import zlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from functions.aws.items import is_condition_failure
from functions.aws.queues import decode_order
from functions.domain.instants import Instant, format_instant, parse_instant
from functions.domain.sends import BatchOrder, Intent, MenuOrder, Order
from functions.ports.errors import Retryable
from functions.ports.timers import DueRow

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

BATCH_MAX = 25
TRIES_MAX = 6
_KINDS: dict[type[Order], str] = {Intent: "intent", BatchOrder: "batch", MenuOrder: "menu"}


def bucket(minute: Instant, shard: int) -> str:
    """The partition key of one minute's rows in one shard."""
    return f"{minute:%Y-%m-%dT%H:%MZ}#{shard}"


class DynamoTimers:
    """The timers table.

    A row's key names what and when it is due: whatever copies a queue has made of an order, those that wait for the same
    instant are one. What a worker whose clock is a little behind holds again for the instant that has just fired waits in
    the queue, being so short a hold, and never meets the deletion of the row that was fired.
    """

    def __init__(self, client: "DynamoDBClient", table: str, shards: int) -> None:
        self._client = client
        self._table = table
        self._shards = shards

    def arm(self, customer_id: str, due: Instant, now: Instant) -> None:
        """Wake this customer at `due`, or now if that is past."""
        self._put(customer_id, f"customer#{customer_id}", due, now, {"customer": {"S": customer_id}})

    def look_at_link(self, attempt_id: str, due: Instant, now: Instant) -> None:
        """Look at `due` whether this attempt to link was taken up."""
        self._put(attempt_id, f"link#{attempt_id}", due, now, {"link": {"S": attempt_id}})

    def hold(self, order: Order, until: Instant, now: Instant) -> None:
        """Take this order up again at `until`. What waits of one customer waits in one shard."""
        body = {"body": {"S": msgspec.json.encode(order).decode()}}
        of = order.send_id if isinstance(order, BatchOrder) else order.customer_id
        self._put(of, f"{_KINDS[type(order)]}#{order.send_id}", until, now, body)

    def armed_row(self, customer_id: str, due: Instant, now: Instant) -> dict[str, Any]:
        """The row that `arm` writes."""
        return self._item(customer_id, f"customer#{customer_id}", due, now, {"customer": {"S": customer_id}})

    def _put(self, customer_id: str, name: str, due: Instant, now: Instant, more: dict[str, Any]) -> None:
        self._client.put_item(TableName=self._table, Item=self._item(customer_id, name, due, now, more))

    def _item(
        self, customer_id: str, name: str, due: Instant, now: Instant, more: dict[str, Any]
    ) -> dict[str, Any]:
        shard = zlib.crc32(customer_id.encode()) % self._shards
        text = format_instant(due)
        return {
            "pk": {"S": bucket(max(due, now), shard)},
            "sk": {"S": f"{name}#{text}"},
            "due": {"S": text},
            **more,
        }

    def due_in(self, minute: Instant, now: Instant) -> Iterator[DueRow]:
        """The rows of one minute's buckets that are due by `now`, read consistently."""
        for shard in range(self._shards):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": bucket(minute, shard)}},
                ConsistentRead=True,
            )
            for page in pages:
                for item in page["Items"]:
                    if parse_instant(item["due"]["S"]) <= now:
                        yield _row(item)

    def held(self, segment: int, segments: int) -> Iterator[list[DueRow]]:
        """Every order that waits, due or not, page by page of one segment of a scan: for people who bring back what waits."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            Segment=segment,
            TotalSegments=segments,
            FilterExpression="attribute_exists(body)",
            ConsistentRead=True,
        )
        for page in pages:
            yield [_row(item) for item in page["Items"]]

    def done(self, rows: Sequence[DueRow]) -> None:
        """Delete rows, 25 a request; what a batch leaves undeleted is deleted again, bounded."""
        for start in range(0, len(rows), BATCH_MAX):
            keys = [row.key for row in rows[start : start + BATCH_MAX]]
            self._delete({self._table: [{"DeleteRequest": {"Key": _key(key)}} for key in keys]})

    def taken(self, row: DueRow) -> None:
        """Delete a row that was enqueued before it was due, on condition that it is still the one that was read: meanwhile
        its order may have come up, and wait for the same instant again."""
        body = msgspec.json.encode(row.order).decode()
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=_key(row.key),
                ConditionExpression="body = :read",
                ExpressionAttributeValues={":read": {"S": body}},
            )
        except ClientError as error:
            if not is_condition_failure(error):
                raise

    def _delete(self, wanted: Any) -> None:
        for attempt in range(TRIES_MAX):
            wanted = self._client.batch_write_item(RequestItems=wanted).get("UnprocessedItems")
            if not wanted:
                return
            time.sleep(0.05 * 2**attempt)
        raise Retryable("the timers table is throttled")


def moved_row(row: dict[str, Any], now: Instant) -> dict[str, Any]:
    """A row that comes back from a backup, in a bucket that a tick will still look at."""
    due, shard = parse_instant(row["due"]["S"]), int(row["pk"]["S"].rpartition("#")[2])
    return {**row, "pk": {"S": bucket(max(due, now), shard)}}


def _key(key: tuple[str, str]) -> dict[str, Any]:
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def _row(item: dict[str, Any]) -> DueRow:
    return DueRow(
        key=(item["pk"]["S"], item["sk"]["S"]),
        due=parse_instant(item["due"]["S"]),
        customer_id=item.get("customer", {}).get("S", ""),
        order=decode_order(item["body"]["S"]) if "body" in item else None,
        link_attempt=item.get("link", {}).get("S", ""),
    )
