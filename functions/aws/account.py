"""What holds for the whole account: one row among the gates, cached for seconds."""

import time
from typing import TYPE_CHECKING

from functions.domain.instants import Instant, format_instant, parse_instant

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

CACHE_SECONDS = 5.0


class DynamoAccountState:
    """The account's row in the gates table."""

    def __init__(self, client: "DynamoDBClient", table: str, account: str) -> None:
        self._client = client
        self._table = table
        # Customer ids may be anything but the reserved prefix, and no LINE user id starts with #.
        self._key = {"pk": {"S": f"anon:#account#{account}"}}
        self._until: Instant | None = None
        self._read_at = float("-inf")

    def stopped_until(self) -> Instant | None:
        """Until when nothing may be sent; at most five seconds old."""
        if time.monotonic() - self._read_at > CACHE_SECONDS:
            item = self._client.get_item(TableName=self._table, Key=self._key).get("Item")
            self._until = parse_instant(item["until"]["S"]) if item else None
            self._read_at = time.monotonic()
        return self._until

    def stop(self, until: Instant, reason: str) -> None:
        """Stop the account, on condition that it is not stopped for longer already."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item={**self._key, "until": {"S": format_instant(until)}, "reason": {"S": reason}},
                ConditionExpression="attribute_not_exists(pk) OR #until < :until",
                ExpressionAttributeNames={"#until": "until"},
                ExpressionAttributeValues={":until": {"S": format_instant(until)}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return
        finally:
            self._read_at = float("-inf")
