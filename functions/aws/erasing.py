"""What is kept of an erased person: one row an id among the identities, named by a keyed hash of it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from functions.aws.parallel_scans import scanned
from functions.aws.stored import STAMP, decoded, encoded, format_of, stamp_of
from functions.domain.erasure import Suppression, hashed, lifted
from functions.domain.instants import Instant

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_suppression = msgspec.json.Decoder(Suppression)
PREFIX = "erased#"


class DynamoSuppressions:
    """Rows `erased#<hash>` of the identities table. `key`: the secret under which ids are hashed, the same for good."""

    def __init__(self, client: "DynamoDBClient", table: str, key: Callable[[], str]) -> None:
        self._client = client
        self._table = table
        self._key = key

    def find(self, identity: str) -> Suppression | None:
        """That this identity was erased, read consistently; None where it was not, or has come back of itself."""
        found = self.known(identity)
        return None if found is None or found.lifted_at is not None else found

    def known(self, identity: str) -> Suppression | None:
        """What is kept of this identity, whether it is lifted or not, read consistently."""
        item = self._client.get_item(TableName=self._table, Key=self._row(identity), ConsistentRead=True).get(
            "Item"
        )
        return _read(item) if item else None

    def all(self) -> list[tuple[str, Suppression]]:
        """All that are kept, each by the hash of the id that nobody knows any more, the oldest first."""
        begins = {":begins": {"S": PREFIX}}
        rows = scanned(
            self._client,
            self._table,
            FilterExpression="begins_with(pk, :begins)",
            ExpressionAttributeValues=begins,
        )
        found = [(row["pk"]["S"].removeprefix(PREFIX), _read(row)) for row in rows]
        return sorted(found, key=lambda one: (one[1].at, one[0]))

    def put(self, identity: str, suppression: Suppression) -> None:
        """Suppress it from now on; any number of times."""
        body = {STAMP: stamp_of(suppression), "body": {"S": encoded(suppression).decode()}}
        self._client.put_item(TableName=self._table, Item={**self._row(identity), **body})

    def lift(self, identity: str, suppression: Suppression, at: Instant) -> None:
        """Let a new person begin under this id. The row stays, and says so."""
        self.put(identity, lifted(suppression, at))

    def _row(self, identity: str) -> dict[str, Any]:
        return {"pk": {"S": PREFIX + hashed(self._key(), identity)}, "sk": {"S": "erased"}}


def _read(row: Mapping[str, Any]) -> Suppression:
    return decoded(_suppression, row["body"]["S"].encode(), format_of(row))
