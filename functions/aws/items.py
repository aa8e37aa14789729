"""Customers and gates: one JSON body an item, and a version that is the condition of the next write."""

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from botocore.exceptions import ClientError

from functions.domain.customers import Customer
from functions.domain.gate import Gate
from functions.ports import Conflict, Retryable

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_Item = TypeVar("_Item", Customer, Gate)
_customer = msgspec.json.Decoder(Customer)
_gate = msgspec.json.Decoder(Gate)

READS_MAX = 5


def is_condition_failure(error: ClientError) -> bool:
    """Whether a write was refused because its condition did not hold, alone or in a transaction."""
    code = error.response["Error"]["Code"]
    return code in (
        "ConditionalCheckFailedException",
        "TransactionCanceledException",
        "TransactionConflictException",
    )


def decode_customer(item: dict[str, Any]) -> Customer:
    """A row of the customers table as a value."""
    return _customer.decode(item["body"]["S"])


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
            "body": {"S": msgspec.json.encode(written).decode()},
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
        return _gate.decode(item["body"]["S"]) if item else None

    def _get(self, table: str, customer_id: str) -> dict[str, Any] | None:
        answer = self._client.get_item(TableName=table, Key={"pk": {"S": customer_id}}, ConsistentRead=True)
        return answer.get("Item")

    def load_both(self, customer_id: str) -> tuple[Gate | None, Customer | None]:
        """Gate and customer in one consistent batch read; what the batch leaves unread is asked for again."""
        key = {"pk": {"S": customer_id}}
        wanted: Any = {
            table: {"Keys": [key], "ConsistentRead": True} for table in (self._gates, self._customers)
        }
        found: dict[str, list[dict[str, Any]]] = {}
        for _ in range(READS_MAX):
            answer = self._client.batch_get_item(RequestItems=wanted)
            for table, items in answer["Responses"].items():
                found.setdefault(table, []).extend(items)
            wanted = answer.get("UnprocessedKeys")
            if not wanted:
                gates, customers = found.get(self._gates), found.get(self._customers)
                return (
                    _gate.decode(gates[0]["body"]["S"]) if gates else None,
                    decode_customer(customers[0]) if customers else None,
                )
        raise Retryable("the tables are throttled: gate and customer could not be read")

    def save(self, customer: Customer) -> Customer:
        """Write the customer on condition of its version; Conflict otherwise."""
        return self._put(self._customers, customer)

    def save_gate(self, gate: Gate) -> Gate:
        """Write the gate on condition of its version; Conflict otherwise."""
        return self._put(self._gates, gate)

    def _put(self, table: str, value: _Item) -> _Item:
        put, written = versioned_put(table, value)
        try:
            self._client.put_item(**put)
        except ClientError as error:
            if is_condition_failure(error):
                raise Conflict("the item was changed by somebody else") from None
            raise
        return written  # type: ignore[return-value]
