"""How people react to what was sent: counters a day among the gates, of sends and of blocks apart, so that the many
writes of a campaign do not meet the transactions that count blocks."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from functions.domain.breaker import Counts, day_of
from functions.domain.instants import Instant, format_instant, parse_instant
from functions.ports.errors import Conflict, Retryable

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

logger = logging.getLogger(__name__)

KEPT_SECONDS = 30 * 86_400
"""In wall time, as every `ttl` is; far longer than the window of any breaker, and than a queue keeps a message."""
ATTEMPTS_MAX = 5
READS_MAX = 5
_COUNT, _FORGIVEN, _LIFTED = "n:", "base:", "lifted:"


class DynamoReactions:
    """Rows of the gates table, under the prefix that no customer's id has."""

    def __init__(self, client: "DynamoDBClient", table: str, account: str) -> None:
        self._client = client
        self._table = table
        self._account = account

    def count_sent(self, scopes: Mapping[str, int], at: Instant) -> None:
        """Add to the day's counters in one write; a write that fails is let go."""
        if not scopes:
            return
        try:
            self._client.update_item(**self._addition("sent", day_of(at), scopes))
        except ClientError as error:
            logger.warning("sends were not counted (%s)", error.response["Error"]["Code"])

    def count_block(self, event_id: str, sent: Mapping[str, Instant]) -> bool:
        """Add one to each scope, in one transaction with a row that says so of the event, on condition that there is no such
        row yet."""
        by_day: dict[str, dict[str, int]] = {}
        for scope, at in sent.items():
            by_day.setdefault(day_of(at), {})[scope] = 1
        marker = {
            "TableName": self._table,
            "Item": {**self._key("reaction", event_id), "ttl": _ttl()},
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        additions = [{"Update": self._addition("blocked", day, scopes)} for day, scopes in by_day.items()]
        return self._transact([{"Put": marker}, *additions])

    def _transact(self, items: Any) -> bool:
        """Whether it was done; not, where the first item's condition does not hold. Collisions are tried again, bounded."""
        for attempt in range(ATTEMPTS_MAX):
            try:
                self._client.transact_write_items(TransactItems=items)
            except self._client.exceptions.TransactionCanceledException as error:
                if error.response["CancellationReasons"][0].get("Code") == "ConditionalCheckFailed":
                    return False
                time.sleep(0.05 * 2**attempt)
            else:
                return True
        raise Conflict("the counters of blocks are contended")

    def counts(self, scopes: Iterable[str], days: Sequence[str]) -> dict[str, Counts]:
        """What is counted of each scope, in one consistent batch read."""
        sent, blocked = self._rows("sent", days), self._rows("blocked", days)
        rows = self._read([*sent, *blocked])
        return {
            scope: Counts(
                sum(_number(rows.get(pk, {}), scope) for pk in sent),
                sum(_number(rows.get(pk, {}), scope) for pk in blocked),
                _lifted_at((rows.get(pk, {}) for pk in blocked), scope),
            )
            for scope in scopes
        }

    def forgive(self, scope: str, days: Sequence[str], at: Instant) -> None:
        """Note what the counters stand at, each row in one write: from there they are counted on."""
        for pk in [*self._rows("sent", days), *self._rows("blocked", days)]:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": pk}},
                UpdateExpression="SET #base = if_not_exists(#count, :none), #lifted = :at, "
                "#ttl = if_not_exists(#ttl, :ttl)",
                ExpressionAttributeNames={
                    "#base": _FORGIVEN + scope,
                    "#count": _COUNT + scope,
                    "#lifted": _LIFTED + scope,
                    "#ttl": "ttl",
                },
                ExpressionAttributeValues={
                    ":none": {"N": "0"},
                    ":at": {"S": format_instant(at)},
                    ":ttl": _ttl(),
                },
            )

    def _addition(self, what: str, day: str, scopes: Mapping[str, int]) -> Any:
        """The arguments of an Update that adds to one day's row."""
        names = {f"#{place}": _COUNT + scope for place, scope in enumerate(scopes)}
        values = {f":{place}": {"N": str(number)} for place, number in enumerate(scopes.values())}
        added = ", ".join(f"#{place} :{place}" for place in range(len(scopes)))
        return {
            "TableName": self._table,
            "Key": self._key(what, day),
            "UpdateExpression": f"ADD {added} SET #ttl = if_not_exists(#ttl, :ttl)",
            "ExpressionAttributeNames": {**names, "#ttl": "ttl"},
            "ExpressionAttributeValues": {**values, ":ttl": _ttl()},
        }

    def _read(self, keys: list[str]) -> dict[str, dict[str, Any]]:
        wanted: Any = {self._table: {"Keys": [{"pk": {"S": pk}} for pk in keys], "ConsistentRead": True}}
        rows: dict[str, dict[str, Any]] = {}
        for _ in range(READS_MAX):
            answer = self._client.batch_get_item(RequestItems=wanted)
            rows |= {item["pk"]["S"]: item for item in answer["Responses"].get(self._table, [])}
            wanted = answer.get("UnprocessedKeys")
            if not wanted:
                return rows
        raise Retryable("the tables are throttled: the counters of blocks could not be read")

    def _rows(self, what: str, days: Sequence[str]) -> list[str]:
        return [self._pk(what, day) for day in days]

    def _key(self, what: str, name: str) -> dict[str, Any]:
        return {"pk": {"S": self._pk(what, name)}}

    def _pk(self, what: str, name: str) -> str:
        return f"anon:#{what}#{self._account}#{name}"


def _ttl() -> dict[str, str]:
    return {"N": str(int(time.time()) + KEPT_SECONDS)}  # noqa: TID251 — the table deletes by its own clock


def _number(row: Mapping[str, Any], scope: str) -> int:
    counted, forgiven = (int(row.get(name + scope, {"N": "0"})["N"]) for name in (_COUNT, _FORGIVEN))
    return counted - forgiven


def _lifted_at(rows: Iterable[Mapping[str, Any]], scope: str) -> Instant | None:
    found = [parse_instant(row[_LIFTED + scope]["S"]) for row in rows if _LIFTED + scope in row]
    return max(found, default=None)
