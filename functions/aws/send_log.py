"""The send log: one item a send, written once."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from functions.aws.statements import Statement, execute
from functions.domain.instants import Instant, format_instant
from functions.domain.sends import SendRecord
from functions.ports.customers import Written

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_record = msgspec.json.Decoder(SendRecord)


def _key(customer_id: str, made_at: Instant, send_id: str) -> dict[str, Any]:
    return {"pk": {"S": customer_id}, "sk": {"S": f"{format_instant(made_at)}#{send_id}"}}


class DynamoSends:
    """The sends table. `keeps` says for how many seconds of wall time a record is kept; None: for good."""

    def __init__(
        self, client: "DynamoDBClient", table: str, keeps: Callable[[], int | None] = lambda: None
    ) -> None:
        self._client = client
        self._table = table
        self._keeps = keeps

    def record_all(self, records: Sequence[SendRecord]) -> list[Written]:
        """Each terminal state on condition that there is none yet (an INSERT meets no row of its key), 25 a request."""
        kept, wall = self._keeps(), time.time()  # noqa: TID251 — the table deletes by its own clock
        until: list[Any] = [] if kept is None else [{"N": str(int(wall) + kept)}]
        ttl = ", 'ttl': ?" if until else ""
        text = f"INSERT INTO \"{self._table}\" VALUE {{'pk': ?, 'sk': ?, 'body': ?{ttl}}}"
        statements = []
        for record in records:
            key = _key(record.customer_id, record.made_at, record.send_id)
            body = msgspec.json.encode(record).decode()
            statements.append(Statement(text, [key["pk"], key["sk"], {"S": body}, *until]))
        return execute(self._client, statements)

    def find(self, customer_id: str, made_at: Instant, send_id: str) -> SendRecord | None:
        """The record of one intent, read consistently."""
        key = _key(customer_id, made_at, send_id)
        item = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return _record.decode(item["body"]["S"]) if item else None

    def of_customer(self, customer_id: str) -> list[SendRecord]:
        """All of a customer's sends, oldest first."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": customer_id}},
            ConsistentRead=True,
        )
        return [_record.decode(item["body"]["S"]) for page in pages for item in page["Items"]]

    def all(self) -> Iterator[SendRecord]:
        """Every send: a full scan, for reports."""
        for page in self._client.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True):
            for item in page["Items"]:
                yield _record.decode(item["body"]["S"])
