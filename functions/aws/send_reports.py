"""The send log, read for reports, and overwritten where a person knows better."""

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from functions.aws.items import is_condition_failure
from functions.aws.parallel_scans import scanned
from functions.aws.stored import over
from functions.domain.instants import Instant, format_instant
from functions.domain.sends import SendRecord
from functions.ports.errors import Retryable

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

KEYS_MAX = 100
"""So many a BatchGetItem."""
READERS = 8
READS_MAX = 8
UNIT_BYTES = 4096
_record = msgspec.json.Decoder(SendRecord)

LogKey = tuple[str, str]
"""Where a record is: the customer, and the instant and name of the message."""


def log_key(customer_id: str, made_at: Instant, send_id: str) -> LogKey:
    """The place of the record of one intent."""
    return customer_id, f"{format_instant(made_at)}#{send_id}"


def field_text(name: str, value: str) -> str:
    """How a record's body says that this field has this value: what a filter looks for."""
    return f'"{name}":{msgspec.json.encode(value).decode()}'


class SendReports:
    """The sends table, read as it was a moment ago: what has ended lately may be missing, what is there has ended."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def scan(self, *texts: str) -> Iterator[SendRecord]:
        """Every record, or those whose body holds any of these texts (`field_text`): the whole log is read and paid."""
        arguments: dict[str, Any] = {"ProjectionExpression": "body"}
        if texts:
            names = [f":t{number}" for number in range(len(texts))]
            arguments["FilterExpression"] = " OR ".join(f"contains(body, {name})" for name in names)
            arguments["ExpressionAttributeValues"] = {
                name: {"S": text} for name, text in zip(names, texts, strict=True)
            }
        for item in scanned(self._client, self._table, **arguments):
            yield _record.decode(item["body"]["S"])

    def at(self, keys: Iterable[LogKey]) -> Iterator[SendRecord]:
        """The records at these keys, of which none comes twice: half a read unit each, 100 a request."""
        remaining = iter(keys)
        with ThreadPoolExecutor(READERS) as pool:
            while window := list(islice(remaining, KEYS_MAX * READERS)):
                batches = [window[start : start + KEYS_MAX] for start in range(0, len(window), KEYS_MAX)]
                for records in pool.map(self._batch, batches):
                    yield from records

    def _batch(self, keys: Sequence[LogKey]) -> list[SendRecord]:
        """One batch; what it leaves unread is asked for again, bounded."""
        wanted: Any = {self._table: {"Keys": [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in keys]}}
        found: list[SendRecord] = []
        for attempt in range(READS_MAX):
            answer = self._client.batch_get_item(RequestItems=wanted)
            found += [_record.decode(item["body"]["S"]) for item in answer["Responses"].get(self._table, [])]
            wanted = answer.get("UnprocessedKeys")
            if not wanted:
                return found
            time.sleep(0.05 * 2**attempt)
        raise Retryable("the sends table is throttled")

    def is_dearer_than(self, keys: int) -> bool:
        """Whether a scan costs more than reading so many keys. The table's size is what AWS last counted (hours ago)."""
        size = self._client.describe_table(TableName=self._table)["Table"].get("TableSizeBytes", 0)
        return size / UNIT_BYTES > keys

    def resolve(self, before: SendRecord, after: SendRecord) -> bool:
        """In prose: the record is still, word for word, the unknown end that was read. What bears our own word already,
        as after an answer that was lost, counts as written."""
        pk, sk = log_key(before.customer_id, before.made_at, before.send_id)
        key: Any = {"pk": {"S": pk}, "sk": {"S": sk}}
        body = self._body(key)
        if body is None or before.status != "unknown" or _record.decode(body) != before:
            return body is not None and _record.decode(body) == after
        try:
            self._client.update_item(
                TableName=self._table,
                Key=key,
                UpdateExpression="SET body = :after",
                ConditionExpression="body = :read",
                ExpressionAttributeValues={
                    ":read": {"S": body},
                    ":after": {"S": over(body.encode(), _record, after).decode()},
                },
            )
        except ClientError as error:
            if not is_condition_failure(error):
                raise
            body = self._body(key)
            return body is not None and _record.decode(body) == after
        return True

    def _body(self, key: Any) -> str | None:
        """The record's body, read consistently."""
        item = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return item["body"]["S"] if item else None
