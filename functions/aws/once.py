"""Single use: whoever comes first, and only that one."""

import hashlib
import time
from typing import TYPE_CHECKING

from functions.aws.items import put_new
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
        key = {"pk": {"S": f"once#{purpose}#{hashed(name)}"}, "sk": {"S": "once"}}
        return put_new(self._client, self._table, {**key, "ttl": {"N": str(int(ends))}})
