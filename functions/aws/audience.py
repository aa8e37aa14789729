"""All customers, page by page, for campaigns: a sharded scan that can go on where it stopped."""

from typing import TYPE_CHECKING, Any

from functions.aws.items import decode_customer
from functions.domain.customers import Customer

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


class DynamoAudience:
    """The customers table, scanned."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def page(self, segment: int, segments: int, start_key: str) -> tuple[list[Customer], str]:
        """The customers of one page (1 MB at most) of one scan segment, and the key of the next (empty at the end)."""
        arguments: dict[str, Any] = {"TableName": self._table, "Segment": segment, "TotalSegments": segments}
        if start_key:
            arguments["ExclusiveStartKey"] = {"pk": {"S": start_key}}
        answer = self._client.scan(**arguments, ConsistentRead=True)
        last = answer.get("LastEvaluatedKey")
        return [decode_customer(item) for item in answer["Items"]], last["pk"]["S"] if last else ""
