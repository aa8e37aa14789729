"""Attempts to link, in the identities table: each taken up by one LINE user, found by secrets that stand there hashed."""

import time
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from functions.aws.items import is_condition_failure, put_new
from functions.aws.once import hashed
from functions.domain.instants import Instant, format_instant, parse_instant
from functions.domain.linking_attempts import (
    CODE_TRIES_MAX,
    CODE_TRIES_WINDOW,
    Attempt,
    Taken,
    Way,
    may_take,
)
from functions.ports.identities import SecretKind

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

KEPT_SECONDS = 3 * 86_400
"""Wall time: longer than a webhook may be redelivered and a queue's message be tried again."""
_attempt = msgspec.json.Decoder(Attempt)


class DynamoLinkAttempts:
    """Rows `attempt#ID`, `code#HASH` and `nonce#HASH` that point to one, and `tries#HASH` that count."""

    def __init__(self, client: "DynamoDBClient", identities: str) -> None:
        self._client = client
        self._table = identities

    def begin(self, attempt: Attempt) -> None:
        """Keep an attempt of a new id."""
        body = msgspec.json.encode(attempt).decode()
        self._put("attempt", attempt.attempt_id, {"body": {"S": body}})

    def name(self, attempt: Attempt, kind: SecretKind, secret: str) -> bool:
        """Let the attempt be found by a secret, on condition that the secret has no attempt yet; whether it had none."""
        return self._put(kind, hashed(secret), {"attempt": {"S": attempt.attempt_id}})

    def named(self, kind: SecretKind, secret: str) -> str | None:
        """The id of the attempt that a secret stands for."""
        item = self._get(kind, hashed(secret))
        return item["attempt"]["S"] if item else None

    def find(self, attempt_id: str) -> Attempt | None:
        """The attempt, read consistently."""
        item = self._get("attempt", attempt_id)
        return _attempt.decode(item["body"]["S"]) if item else None

    def take(self, attempt_id: str, user: str, at: Instant, way: Way) -> Taken | None:
        """Take it up for a LINE user. Whoever was first gets the same again; everybody else, and who is late, None.

        On condition that nobody has taken it yet, or this very user has. What stood there first stays.
        """
        attempt = self.find(attempt_id)
        if attempt is None:
            return None
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=_key("attempt", attempt_id),
                UpdateExpression="SET taken_by = :user, taken_at = if_not_exists(taken_at, :at), "
                "way = if_not_exists(way, :way)",
                ConditionExpression="attribute_exists(pk) AND (taken_by = :user"
                + (" OR attribute_not_exists(taken_by))" if may_take(attempt, user, at) else ")"),
                ExpressionAttributeValues={
                    ":user": {"S": user},
                    ":at": {"S": format_instant(at)},
                    ":way": {"S": way},
                },
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if is_condition_failure(error):
                return None
            raise
        row: dict[str, Any] = answer["Attributes"]
        return Taken(attempt, user, parse_instant(row["taken_at"]["S"]), row["way"]["S"])

    def lapsed(self, attempt_id: str) -> Attempt | None:
        """The attempt, where nobody has taken it up."""
        item = self._get("attempt", attempt_id)
        if item is None or "taken_by" in item:
            return None
        return _attempt.decode(item["body"]["S"])

    def may_try(self, user: str, event_id: str, at: Instant) -> bool:
        """Count a look at a code; False where a LINE user has had five within the hour. A redelivery counts once.

        On condition that the hour of the row is not over, and that there is room in it or this event is in it; or, for a
        new hour, that there is no row or its hour is over.
        """
        since = format_instant(at - CODE_TRIES_WINDOW)
        return self._counted(user, event_id, since) or self._began(user, event_id, at, since)

    def _counted(self, user: str, event_id: str, since: str) -> bool:
        return self._updated(
            user,
            UpdateExpression="ADD tried :event",
            ConditionExpression="began > :since AND (size(tried) < :max OR contains(tried, :id))",
            ExpressionAttributeValues={
                ":event": {"SS": [event_id]},
                ":id": {"S": event_id},
                ":since": {"S": since},
                ":max": {"N": str(CODE_TRIES_MAX)},
            },
        )

    def _began(self, user: str, event_id: str, at: Instant, since: str) -> bool:
        return self._updated(
            user,
            UpdateExpression="SET began = :at, tried = :event, #ttl = :ttl",
            ConditionExpression="attribute_not_exists(pk) OR began <= :since",
            ExpressionAttributeNames={"#ttl": "ttl"},
            ExpressionAttributeValues={
                ":event": {"SS": [event_id]},
                ":at": {"S": format_instant(at)},
                ":since": {"S": since},
                ":ttl": _ttl(),
            },
        )

    def _updated(self, user: str, **update: Any) -> bool:
        try:
            self._client.update_item(TableName=self._table, Key=_key("tries", hashed(user)), **update)
        except ClientError as error:
            if is_condition_failure(error):
                return False
            raise
        return True

    def _put(self, kind: str, name: str, more: dict[str, Any]) -> bool:
        """On condition that there is no such row yet; whether there was none."""
        return put_new(self._client, self._table, {**_key(kind, name), "ttl": _ttl(), **more})

    def _get(self, kind: str, name: str) -> dict[str, Any] | None:
        answer = self._client.get_item(TableName=self._table, Key=_key(kind, name), ConsistentRead=True)
        item: dict[str, Any] | None = answer.get("Item")
        return item


def _key(kind: str, name: str) -> dict[str, Any]:
    return {"pk": {"S": f"{kind}#{name}"}, "sk": {"S": kind}}


def _ttl() -> dict[str, str]:
    return {"N": str(int(time.time()) + KEPT_SECONDS)}  # noqa: TID251 — the table deletes by its own clock
