"""Counts what real boto3 clients do: requests, bytes, and the units that DynamoDB and SQS charge for them.

Units are computed from the items of the calls themselves, not taken from what an engine answers: an emulator's may be
constants. What an item was before a write, and is after an update, is read by a client that nobody counts.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from ops.bench.capacity import (
    TRANSACTIONAL,
    Item,
    item_bytes,
    read_units,
    read_units_together,
    write_units,
)
from ops.bench.statements import Statement, read_statement

SQS_CHUNK_BYTES: Final = 64 * 1024
CHARGED_ERRORS: Final = frozenset(
    {"ConditionalCheckFailedException", "TransactionCanceledException", "ConditionalCheckFailed", "DuplicateItem"}
)  # fmt: skip
"""A write that was refused by its condition costs what it would have cost."""


class Tally(msgspec.Struct):
    """What one operation came to. `charged`: requests as billed, so many for each 64 KB where it is SQS; `told_units`:
    what the engine itself says that the calls consumed, where it was asked."""

    requests: int = 0
    charged: int = 0
    request_bytes: int = 0
    response_bytes: int = 0
    read_units: float = 0.0
    write_units: float = 0.0
    told_units: float = 0.0


class Counts(msgspec.Struct):
    """Tallies by `service.Operation`."""

    by_operation: dict[str, Tally] = {}

    def total(self, field: str, service: str = "") -> float:
        """The sum of one field of the tallies, of one service or of all."""
        mine = (tally for name, tally in self.by_operation.items() if name.startswith(service))
        return float(sum(getattr(tally, field) for tally in mine))

    def requests(self, operation: str) -> int:
        """How many requests one operation, such as `s3.GetObject`, made."""
        return self.by_operation.get(operation, Tally()).requests


class _Call(msgspec.Struct):
    """One call under way: its parameters, and for each item it writes the table, key and size before."""

    params: dict[str, Any]
    before: list[tuple[str, Item, int]]


class Counter:
    """Counts the clients that it watches. `peek` is a DynamoDB client of the same tables that it does not watch.

    `asks`: let DynamoDB tell what each call consumed; for an engine that knows it.
    """

    def __init__(self, peek: Any = None, *, asks: bool = False) -> None:
        self._peek = peek
        self._asks = asks
        self._keys: dict[str, tuple[str, ...]] = {}
        self._tallies: defaultdict[str, Tally] = defaultdict(Tally)

    def watch(self, client: Any) -> None:
        """Count this client's calls from now on."""
        events = client.meta.events
        events.register("before-parameter-build", self._begins)
        events.register("before-send", self._sends)
        events.register("after-call", self._ends)

    def taken(self) -> Counts:
        """What was counted since the last time, and start anew."""
        counts = Counts(dict(self._tallies))
        self._tallies = defaultdict(Tally)
        return counts

    def _begins(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        before: list[tuple[str, Item, int]] = []
        if _name(model).startswith("dynamodb."):
            targets = list(self._written(model.name, params))
            before = [(table, key, self._size(table, key)) for table, key in targets]
            if self._asks and "ReturnConsumedCapacity" in model.input_shape.members:
                params["ReturnConsumedCapacity"] = "TOTAL"
        context["counted"] = _Call(params, before)

    def _sends(self, request: Any, event_name: str, **_: Any) -> None:
        service, operation = event_name.split(".", 2)[1:]
        tally = self._tallies[f"{service.replace('-', '')}.{operation}"]
        tally.requests += 1
        tally.request_bytes += _body_bytes(request.headers)

    def _ends(
        self, http_response: Any, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any
    ) -> None:
        name, call = _name(model), context["counted"]
        tally = self._tallies[name]
        length = http_response.headers.get("content-length")
        tally.response_bytes += int(length) if length else 0
        if name.startswith("sqs."):
            tally.charged += _sqs_charged(call.params, parsed)
            return
        tally.charged += 1
        if name.startswith("dynamodb.") and _is_charged(parsed):
            reads, writes = self._units(model.name, call, parsed)
            tally.read_units += reads
            tally.write_units += writes
            tally.told_units += _told(parsed)

    def _units(self, operation: str, call: _Call, parsed: dict[str, Any]) -> tuple[float, float]:
        """Read and write units of one answered call."""
        if call.before:
            factor = TRANSACTIONAL if operation == "TransactWriteItems" else 1
            return 0.0, factor * sum(self._write_costs(operation, call, parsed))
        reader: Callable[[dict[str, Any], dict[str, Any]], float] = getattr(self, _READERS[operation])
        return reader(call.params, parsed), 0.0

    def _write_costs(self, operation: str, call: _Call, parsed: dict[str, Any]) -> Iterator[int]:
        """Units of each write; what a batch left unprocessed, or refused as malformed, cost nothing."""
        undone = parsed.get("UnprocessedItems") or {}
        for number, (table, key, before) in enumerate(call.before):
            answer = _nth(parsed.get("Responses"), number) if "Execute" in operation else {}
            if _is_charged({"Error": answer.get("Error", {})}) and not _is_among(
                key, undone.get(table, []), self._key_names(table)
            ):
                yield write_units(before, self._after(operation, call, number, table, key))

    def _after(self, operation: str, call: _Call, number: int, table: str, key: Item) -> int:
        """The item's size after the write, or as it would have become."""
        planned = _planned(operation, call.params, number)
        return item_bytes(planned) if planned is not None else self._size(table, key)

    def _written(self, operation: str, params: dict[str, Any]) -> Iterator[tuple[str, Item]]:
        """Table and key of every item that a call would write, in the call's order."""
        for table, item in _targets(operation, params):
            yield table, {name: item[name] for name in self._key_names(table)}

    def _key_names(self, table: str) -> tuple[str, ...]:
        if table not in self._keys:
            schema = self._peek.describe_table(TableName=table)["Table"]["KeySchema"]
            self._keys[table] = tuple(one["AttributeName"] for one in schema)
        return self._keys[table]

    def _size(self, table: str, key: Item) -> int:
        return item_bytes(self._peek.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item"))

    def _read_one(self, params: dict[str, Any], _parsed: dict[str, Any]) -> float:
        size = self._size(params["TableName"], params["Key"])
        return read_units(size, consistent=params.get("ConsistentRead", False))

    def _read_batch(self, params: dict[str, Any], parsed: dict[str, Any]) -> float:
        """Each item on its own, found or not; what was left unread costs nothing."""
        undone = parsed.get("UnprocessedKeys") or {}
        return sum(
            read_units(self._size(table, key), consistent=wanted.get("ConsistentRead", False))
            for table, wanted in params["RequestItems"].items()
            for key in wanted["Keys"]
            if key not in undone.get(table, {}).get("Keys", [])
        )

    def _read_transaction(self, params: dict[str, Any], _parsed: dict[str, Any]) -> float:
        gets = (one["Get"] for one in params["TransactItems"])
        return TRANSACTIONAL * sum(
            read_units(self._size(get["TableName"], get["Key"]), consistent=True) for get in gets
        )

    def _read_query(self, params: dict[str, Any], _parsed: dict[str, Any]) -> float:
        return self._read_many(self._peek.query, params)

    def _read_scan(self, params: dict[str, Any], _parsed: dict[str, Any]) -> float:
        return self._read_many(self._peek.scan, params)

    def _read_many(self, ask: Callable[..., Any], params: dict[str, Any]) -> float:
        """What was read, before anything of it was left out."""
        left_out = ("ProjectionExpression", "FilterExpression", "Select", "ReturnConsumedCapacity")
        whole = {name: value for name, value in params.items() if name not in left_out}
        return read_units_together(ask(**whole)["Items"], consistent=params.get("ConsistentRead", False))

    def _read_statement(self, params: dict[str, Any], _parsed: dict[str, Any]) -> float:
        return sum(
            read_units(self._size(found.table, self._key_of(found)), consistent=one.get("ConsistentRead", False))
            for one in params.get("Statements", [params])
            for found in [_statement(one)]
        )  # fmt: skip

    def _key_of(self, statement: Statement) -> Item:
        return {name: statement.equals[name] for name in self._key_names(statement.table)}


_READERS: Final[Mapping[str, str]] = {
    "GetItem": "_read_one",
    "BatchGetItem": "_read_batch",
    "TransactGetItems": "_read_transaction",
    "Query": "_read_query",
    "Scan": "_read_scan",
    "ExecuteStatement": "_read_statement",
    "BatchExecuteStatement": "_read_statement",
}


def _body_bytes(headers: Mapping[str, Any]) -> int:
    """What a request carries; sent in chunks, it tells its length under another name."""
    length = headers.get("X-Amz-Decoded-Content-Length") or headers.get("Content-Length") or 0
    return int(length)


def _name(model: Any) -> str:
    return f"{model.service_model.service_name}.{model.name}"


def _is_charged(parsed: Mapping[str, Any]) -> bool:
    code = (parsed.get("Error") or {}).get("Code", "")
    return not code or code in CHARGED_ERRORS


def _told(parsed: Mapping[str, Any]) -> float:
    consumed = parsed.get("ConsumedCapacity") or []
    each = consumed if isinstance(consumed, list) else [consumed]
    return float(sum(one["CapacityUnits"] for one in each))


def _statement(one: Mapping[str, Any]) -> Statement:
    return read_statement(one["Statement"], one.get("Parameters", []))


def _targets(operation: str, params: dict[str, Any]) -> Iterator[tuple[str, Item]]:
    """Table, and item or key, of every write of a call."""
    if operation in ("PutItem", "UpdateItem", "DeleteItem"):
        yield params["TableName"], params["Item" if operation == "PutItem" else "Key"]
    elif operation == "BatchWriteItem":
        for table, writes in params["RequestItems"].items():
            for write in writes:
                [request] = write.values()
                yield table, request.get("Item") or request["Key"]
    elif operation == "TransactWriteItems":
        for write in params["TransactItems"]:
            [request] = write.values()
            yield request["TableName"], request.get("Item") or request["Key"]
    elif operation in ("ExecuteStatement", "BatchExecuteStatement"):
        for statement in map(_statement, params.get("Statements", [params])):
            if statement.verb != "select":
                yield statement.table, statement.equals


def _planned(operation: str, params: dict[str, Any], number: int) -> Item | None:
    """The whole item that a write puts; None where it changes or deletes what is there."""
    put: Item | None = None
    if operation == "PutItem":
        put = params["Item"]
    elif operation == "BatchWriteItem":
        writes = [write for writes in params["RequestItems"].values() for write in writes]
        put = writes[number].get("PutRequest", {}).get("Item")
    elif operation == "TransactWriteItems":
        put = params["TransactItems"][number].get("Put", {}).get("Item")
    elif "Execute" in operation:
        statement = _statement(params.get("Statements", [params])[number])
        put = statement.equals if statement.verb == "insert" else None
    return put


def _nth(answers: Any, number: int) -> Mapping[str, Any]:
    return answers[number] if isinstance(answers, list) and number < len(answers) else {}


def _is_among(key: Item, writes: list[dict[str, Any]], names: tuple[str, ...]) -> bool:
    for write in writes:
        [request] = write.values()
        item = request.get("Item") or request["Key"]
        if {name: item[name] for name in names} == key:
            return True
    return False


def _sqs_charged(params: Mapping[str, Any], parsed: Mapping[str, Any]) -> int:
    """Requests as SQS bills them: one for each 64 KB of messages that go either way, at least one."""
    sent = [params, *params.get("Entries", [])]
    size = sum(len(one.get("MessageBody", "").encode()) for one in sent)
    size += sum(len(one["Body"].encode()) for one in parsed.get("Messages", []))
    return max(1, math.ceil(size / SQS_CHUNK_BYTES))
