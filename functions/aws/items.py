"""Customers and gates: one body an item, and a version that is the condition of the next write.

A customer's body is JSON. A gate's is JSON too, deflated (RFC 1951): it is written for each message, and a write is billed
by the KB. Its ids and instants, which are most of it, take half the room so.
"""

import zlib
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from botocore.exceptions import ClientError

from functions.aws.statements import Statement, execute
from functions.aws.stored import STAMP, decoded, encoded, format_of, stamp_of
from functions.domain.customers import Customer
from functions.domain.gate import Gate
from functions.ports.customers import Both, Written
from functions.ports.errors import Conflict, Retryable

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_Item = TypeVar("_Item", Customer, Gate)
_Rows = dict[str, dict[str, dict[str, Any]]]
_customer = msgspec.json.Decoder(Customer)
_gate = msgspec.json.Decoder(Gate)
RAW_DEFLATE = -zlib.MAX_WBITS
"""Without zlib's header and checksum, six bytes that nobody needs: DynamoDB checks what it stores."""

READS_MAX = 5
READ_TOGETHER_MAX = 50
"""Customers read in one request, gate and profile each: DynamoDB reads 100 items."""


def is_condition_failure(error: ClientError) -> bool:
    """Whether a write was refused because its condition did not hold, alone or in a transaction."""
    code = error.response["Error"]["Code"]
    return code in (
        "ConditionalCheckFailedException",
        "TransactionCanceledException",
        "TransactionConflictException",
    )


def put_new(client: "DynamoDBClient", table: str, item: dict[str, Any]) -> bool:
    """Write a row, on condition that there is none under its key yet; whether there was none."""
    try:
        client.put_item(TableName=table, Item=item, ConditionExpression="attribute_not_exists(pk)")
    except ClientError as error:
        if is_condition_failure(error):
            return False
        raise
    return True


def decode_customer(item: dict[str, Any]) -> Customer:
    """A row of the customers table as a value."""
    return decoded(_customer, item["body"]["S"].encode(), format_of(item))


def decode_gate(item: dict[str, Any]) -> Gate:
    """A row of the gates table as a value. In the first format its body was plain JSON."""
    body = item["body"]
    plain = body["S"].encode() if "S" in body else zlib.decompress(body["B"], wbits=RAW_DEFLATE)
    return decoded(_gate, plain, format_of(item))


def _body(value: Customer | Gate) -> dict[str, Any]:
    body = encoded(value)
    return {"B": zlib.compress(body, wbits=RAW_DEFLATE)} if isinstance(value, Gate) else {"S": body.decode()}


def versioned_put(table: str, value: Customer | Gate) -> tuple[dict[str, Any], Customer | Gate]:
    """The arguments of a Put that holds only while the row bears the version that was read, and the value it writes.

    In prose: there is no such row yet (version 0), or its version is the one this value was read with.
    """
    written = msgspec.structs.replace(value, version=value.version + 1)
    put: dict[str, Any] = {
        "TableName": table,
        "Item": {
            "pk": {"S": value.customer_id},
            "version": {"N": str(written.version)},
            STAMP: stamp_of(written),
            "body": _body(written),
        },
    }
    if value.version == 0:
        put["ConditionExpression"] = "attribute_not_exists(pk)"
    else:
        put["ConditionExpression"] = "version = :read"
        put["ExpressionAttributeValues"] = {":read": {"N": str(value.version)}}
    return put, written


class DynamoCustomers:
    """The customers and gates tables."""

    def __init__(self, client: "DynamoDBClient", customers: str, gates: str) -> None:
        self._client = client
        self._customers = customers
        self._gates = gates

    def load(self, customer_id: str) -> Customer | None:
        """The customer, read consistently."""
        item = self._get(self._customers, customer_id)
        return decode_customer(item) if item else None

    def load_gate(self, customer_id: str) -> Gate | None:
        """The gate, read consistently."""
        item = self._get(self._gates, customer_id)
        return decode_gate(item) if item else None

    def _get(self, table: str, customer_id: str) -> dict[str, Any] | None:
        answer = self._client.get_item(TableName=table, Key={"pk": {"S": customer_id}}, ConsistentRead=True)
        return answer.get("Item")

    def load_both(self, customer_id: str) -> Both:
        """Gate and customer in one consistent batch read."""
        return self.load_many([customer_id])[customer_id]

    def load_many(self, customer_ids: Collection[str]) -> dict[str, Both]:
        """Gate and customer of each, 50 customers a request."""
        ids = list(dict.fromkeys(customer_ids))
        found: _Rows = {self._gates: {}, self._customers: {}}
        for start in range(0, len(ids), READ_TOGETHER_MAX):
            for table, rows in self._read(ids[start : start + READ_TOGETHER_MAX]).items():
                found[table].update(rows)
        gates, customers = found[self._gates], found[self._customers]
        return {
            one: (
                decode_gate(gates[one]) if one in gates else None,
                decode_customer(customers[one]) if one in customers else None,
            )
            for one in ids
        }

    def _read(self, ids: Sequence[str]) -> _Rows:
        """Each table's rows by id. What a batch read leaves unread is asked for again, bounded."""
        keys = [{"pk": {"S": one}} for one in ids]
        wanted: Any = {
            table: {"Keys": keys, "ConsistentRead": True} for table in (self._gates, self._customers)
        }
        found: _Rows = {}
        for _ in range(READS_MAX):
            answer = self._client.batch_get_item(RequestItems=wanted)
            for table, items in answer["Responses"].items():
                found.setdefault(table, {}).update({item["pk"]["S"]: item for item in items})
            wanted = answer.get("UnprocessedKeys")
            if not wanted:
                return found
        raise Retryable("the tables are throttled: gates and customers could not be read")

    def save(self, customer: Customer) -> Customer:
        """Write the customer on condition of its version; Conflict otherwise."""
        return self._put(self._customers, customer)

    def save_gate(self, gate: Gate) -> Gate:
        """Write the gate on condition of its version; Conflict otherwise."""
        return self._put(self._gates, gate)

    def save_gates(self, gates: Sequence[Gate]) -> list[Written]:
        """Each gate on condition that its row still bears the version that was read, 25 gates a request."""
        # The table's name is the deployment's own, and never a parameter.
        text = (
            f'UPDATE "{self._gates}" SET "body" = ? SET "version" = ? SET "{STAMP}" = ? '  # noqa: S608
            'WHERE "pk" = ? AND "version" = ?'
        )
        statements = []
        for gate in gates:
            written = msgspec.structs.replace(gate, version=gate.version + 1)
            set_to = [_body(written), {"N": str(written.version)}, stamp_of(written)]
            statements.append(Statement(text, [*set_to, {"S": gate.customer_id}, {"N": str(gate.version)}]))
        return execute(self._client, statements)

    def _put(self, table: str, value: _Item) -> _Item:
        put, written = versioned_put(table, value)
        try:
            self._client.put_item(**put)
        except ClientError as error:
            if is_condition_failure(error):
                raise Conflict("the item was changed by somebody else") from None
            raise
        return written  # type: ignore[return-value]
