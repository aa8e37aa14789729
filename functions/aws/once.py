"""Single use: whoever comes first, and only that one."""

import hashlib
import time
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from functions.aws.items import is_condition_failure
from functions.domain.instants import Instant

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

KEPT_SECONDS = 86_400
"""For so long after its last use would have counted, a name stays used: the table deletes by its own clock."""


def hashed(secret: str) -> str:
    """What stands in a key instead of a secret: 64 hex digits."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Once:
    """Names that are used up, in the identities table."""

    def __init__(self, client: "DynamoDBClient", identities: str) -> None:
        self._client = client
        self._table = identities

    def use(self, purpose: str, name: str, until: Instant) -> bool:
        """Use up a name that nobody accepts after `until` anyway; True for the first only."""
        ends = max(until.timestamp(), time.time()) + KEPT_SECONDS  # noqa: TID251 — a `ttl` is wall time
        try:
            # On condition that there is no such row yet.
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": f"once#{purpose}#{hashed(name)}"},
                    "sk": {"S": "once"},
                    "ttl": {"N": str(int(ends))},
                },
                ConditionExpression="attribute_not_exists(pk)",
            )
        except ClientError as error:
            if is_condition_failure(error):
                return False
            raise
        return True
