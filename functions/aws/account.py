"""What holds for the whole account: one row among the gates, cached for seconds."""

import datetime as dt
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from functions.aws.items import is_condition_failure
from functions.aws.stored import over
from functions.domain.account import Account, Block
from functions.domain.instants import Instant, parse_instant
from functions.domain.watermarks import LoadNote, SourceLog, accepted, noted
from functions.ports.errors import Conflict

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

CACHE_SECONDS = 5.0
NOTED_EVERY = dt.timedelta(minutes=1)
_BLOCK, _HEARD, _LOADS = "block:", "heard:", "loads:"
TRIES_MAX = 10
_log = msgspec.json.Decoder(SourceLog)
_block = msgspec.json.Decoder(Block)


class DynamoAccountState:
    """The account's row in the gates table: an attribute for each block and for each source.

    Instants are written with all their digits, so that they compare as texts.
    """

    def __init__(self, client: "DynamoDBClient", table: str, account: str) -> None:
        self._client = client
        self._table = table
        # Customer ids may be anything but the reserved prefix, and no LINE user id starts with #.
        self._key: dict[str, Any] = {"pk": {"S": f"anon:#account#{account}"}}
        self._account = Account()
        self._read_at = float("-inf")
        self._noted: dict[str, Instant] = {}

    def read(self) -> Account:
        """What is blocked and what was heard; at most five seconds old."""
        if time.monotonic() - self._read_at > CACHE_SECONDS:
            item = self._client.get_item(TableName=self._table, Key=self._key).get("Item", {})
            self._account = _account(item)
            self._read_at = time.monotonic()
        return self._account

    def block(self, block: Block) -> None:
        """Write the block, on condition that there is none of its kind that lasts longer."""
        name = _name(block)
        body = {"body": {"S": msgspec.json.encode(block).decode()}, "until": {"S": _digits(block.until)}}
        self._set(name, {"M": body}, "attribute_not_exists(#name) OR #name.#until < :than", block.until)

    def lift(self, block: Block) -> bool:
        """Remove the block, on condition that it is there and still ends when this one does; whether it was."""
        return self._updated(
            UpdateExpression="REMOVE #name",
            ConditionExpression="#name.#until = :until",
            ExpressionAttributeNames={"#name": _name(block), "#until": "until"},
            ExpressionAttributeValues={":until": {"S": _digits(block.until)}},
        )

    def heard_from(self, source: str, at: Instant) -> None:
        """Note it, at most once a minute and source: this process remembers, and the condition holds for all others."""
        noted = self._noted.get(source)
        if noted is not None and at - noted < NOTED_EVERY:
            return
        value = {"S": _digits(at)}
        self._set(_HEARD + source, value, "attribute_not_exists(#name) OR #name <= :than", at - NOTED_EVERY)
        self._noted[source] = at

    def note_load(self, source: str, note: LoadNote, rows_within: float | None) -> None:
        """Read the source's log, add the load, and write on condition that the log is still what was read."""
        self._change_log(source, lambda log: noted(log, note, rows_within))

    def accept_loads(self, source: str) -> bool:
        """Say that the loads of this source are right, whatever their rows; whether that changed anything."""
        return self._change_log(source, accepted)

    def _change_log(self, source: str, change: Callable[[SourceLog], SourceLog]) -> bool:
        for _ in range(TRIES_MAX):
            item = self._client.get_item(TableName=self._table, Key=self._key, ConsistentRead=True)
            body = item.get("Item", {}).get(_LOADS + source, {}).get("S", "")
            log = _log.decode(body) if body else SourceLog()
            changed = change(log)
            if changed == log:
                return False
            if self._replace(_LOADS + source, body, over(body.encode() or None, _log, changed).decode()):
                return True
        raise Conflict(f"the loads of {source} change all the time")

    def _replace(self, name: str, old: str, new: str) -> bool:
        """Set a text, on condition that it is still the old one (or there is none); whether that was done."""
        return self._updated(
            UpdateExpression="SET #name = :new",
            ConditionExpression="#name = :old" if old else "attribute_not_exists(#name)",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":new": {"S": new}, **({":old": {"S": old}} if old else {})},
        )

    def _set(self, name: str, value: Any, condition: str, than: Instant) -> None:
        """Set one attribute where the condition holds; leave it where it does not."""
        names = {"#name": name, **({"#until": "until"} if "#until" in condition else {})}
        self._updated(
            UpdateExpression="SET #name = :value",
            ConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={":value": value, ":than": {"S": _digits(than)}},
        )

    def _updated(self, **update: Any) -> bool:
        """Whether the condition held. What is kept of the row is read anew either way."""
        try:
            self._client.update_item(TableName=self._table, Key=self._key, **update)
        except ClientError as error:
            if not is_condition_failure(error):
                raise
            return False
        else:
            return True
        finally:
            self._read_at = float("-inf")


def _name(block: Block) -> str:
    """The attribute of a block: one for each reason, scope and set of kinds."""
    return _BLOCK + "|".join((block.reason, block.scope, *block.kinds))


def _digits(instant: Instant) -> str:
    return instant.astimezone(dt.UTC).isoformat(timespec="microseconds")


def _account(item: dict[str, Any]) -> Account:
    return Account(
        blocks=[
            _block.decode(value["M"]["body"]["S"])
            for name, value in sorted(item.items())
            if name.startswith(_BLOCK)
        ],
        heard={
            name.removeprefix(_HEARD): parse_instant(value["S"])
            for name, value in item.items()
            if name.startswith(_HEARD)
        },
        loads={
            name.removeprefix(_LOADS): _log.decode(value["S"])
            for name, value in item.items()
            if name.startswith(_LOADS)
        },
    )
