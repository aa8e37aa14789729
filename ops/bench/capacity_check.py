"""The computed units held against what DynamoDB Local says that the same calls consumed.

Not held against it, because it tells nothing, or not what the published rules say: PartiQL (it tells nothing), reads
of what is not there (it tells nothing, DynamoDB charges the least unit), transactional writes (it tells 4 units for
one small put; the rule is 2).
"""

import dataclasses
import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import msgspec

from ops.bench import dynamodb_local, servers
from ops.bench.counting import Counter
from ops.bench.lanes import BATCH
from ops.bench.measure import Measure
from ops.bench.sending import prepared
from ops.bench.servers import Servers
from ops.bench.world import make_table
from ops.engine.clients import Clients
from ops.engine.server import REGION

SEED: Final = 20261125
ROUNDS: Final = 25
TABLE: Final = "capacity"
EDGE_BYTES: Final = (900, 1022, 1023, 1024, 1025, 2047, 2048, 2049, 4094, 4096, 4099, 8191, 9000)


class Checked(msgspec.Struct):
    """Calls compared, those that differ, and why none were where none were."""

    calls: int = 0
    different: list[str] = []
    skipped: str = ""


def check_capacity(advance: Callable[[], None]) -> Checked:
    """First calls of every kind, then real batches of the sender, upon DynamoDB Local."""
    try:
        with dynamodb_local.started() as url, servers.started() as beside:
            checked = check_calls(url, advance)
            checked = _check_sender(dataclasses.replace(beside, elsewhere={"dynamodb": url}), checked)
            advance()
            return checked
    except dynamodb_local.UnavailableError as reason:
        return Checked(skipped=str(reason))


def _check_sender(beside: Servers, checked: Checked) -> Checked:
    """What the sender's own calls come to, as far as they are told."""
    counts = prepared(beside).counted(asks=True)["musubi", BATCH].counts
    for name, tally in counts.by_operation.items():
        if name.startswith("dynamodb.") and tally.told_units:
            checked.calls += tally.requests
            if tally.told_units != tally.read_units + tally.write_units:
                told = f"computed {tally.read_units + tally.write_units}, told {tally.told_units}"
                checked.different.append(f"the sender's {name}: {told}")
    return checked


def rows(checked: Checked) -> list[Measure]:
    """None may differ. Where DynamoDB Local cannot run there is nothing to judge, and the row says so."""
    name = "units: calls that DynamoDB Local counts differently"
    if checked.skipped:
        return [Measure(name, 0, "calls", None, f"skipped: {checked.skipped}")]
    told = f"{checked.calls:,} calls compared" + "".join(f"; {one}" for one in checked.different[:3])
    return [Measure(name, len(checked.different), "calls", 0, told)]


def check_calls(url: str, advance: Callable[[], None]) -> Checked:
    """Calls of every operation that DynamoDB Local at `url` tells of, with items of all types and sizes around each step."""
    clients = Clients(url, REGION)
    dynamodb = clients.client("dynamodb")
    make_table(dynamodb, TABLE, ["pk", "sk"])
    counter = Counter(clients.another("dynamodb"), asks=True)
    counter.watch(dynamodb)
    checked = Checked()
    for number in range(ROUNDS):
        dice = random.Random(SEED + number)  # noqa: S311 — the same items each time
        for name, call in _calls(dynamodb, dice, number):
            counter.taken()
            call()
            counts = counter.taken()
            computed = counts.total("read_units") + counts.total("write_units")
            told = counts.total("told_units")
            checked.calls += 1
            if computed != told:
                checked.different.append(f"{name}: computed {computed}, told {told}")
        advance()
    return checked


def _calls(dynamodb: Any, dice: random.Random, number: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Name and call, one of each operation, upon items of a partition of their own."""
    keys = [_key(number, position) for position in range(5)]
    items = [{**key, **_attributes(dice)} for key in keys]
    for item in items:
        yield "PutItem", partial(dynamodb.put_item, TableName=TABLE, Item=item)
    smaller = {**keys[0], "body": {"S": "x"}}
    yield "PutItem over a larger one", lambda: dynamodb.put_item(TableName=TABLE, Item=smaller)
    for consistent in (True, False):
        yield from _reads(dynamodb, keys, consistent=consistent)
    yield (
        "UpdateItem",
        lambda: dynamodb.update_item(
            TableName=TABLE,
            Key=keys[1],
            UpdateExpression="SET added = :more",
            ExpressionAttributeValues={":more": {"S": "y" * dice.choice(EDGE_BYTES)}},
        ),
    )
    batch = [{"PutRequest": {"Item": items[3]}}, {"DeleteRequest": {"Key": keys[0]}}]
    yield "BatchWriteItem", lambda: dynamodb.batch_write_item(RequestItems={TABLE: batch})
    yield "DeleteItem", lambda: dynamodb.delete_item(TableName=TABLE, Key=keys[3])
    yield "DeleteItem of none", lambda: dynamodb.delete_item(TableName=TABLE, Key=_key(number, 99))


def _reads(dynamodb: Any, keys: list[Any], *, consistent: bool) -> Iterator[tuple[str, Callable[[], Any]]]:
    query: dict[str, Any] = {
        "TableName": TABLE,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": keys[0]["pk"]},
        "ConsistentRead": consistent,
    }
    wanted = {TABLE: {"Keys": keys, "ConsistentRead": consistent}}
    yield "GetItem", lambda: dynamodb.get_item(TableName=TABLE, Key=keys[1], ConsistentRead=consistent)
    yield (
        "GetItem, projected",
        lambda: dynamodb.get_item(
            TableName=TABLE, Key=keys[2], ConsistentRead=consistent, ProjectionExpression="pk"
        ),
    )
    yield "BatchGetItem", lambda: dynamodb.batch_get_item(RequestItems=wanted)
    yield "Query", lambda: dynamodb.query(**query)
    yield "Query, projected", lambda: dynamodb.query(**query, ProjectionExpression="sk")
    gets = [{"Get": {"TableName": TABLE, "Key": key}} for key in keys]
    yield "TransactGetItems", lambda: dynamodb.transact_get_items(TransactItems=gets)


def _key(number: int, position: int) -> dict[str, Any]:
    return {"pk": {"S": f"customer-{number:07}"}, "sk": {"S": f"event-{position}"}}


def _attributes(dice: random.Random) -> dict[str, Any]:
    """Something of every type, and a text that brings the item near a step."""
    number = f"{dice.choice(['', '-'])}{dice.randrange(10 ** dice.randrange(1, 20))}"
    part = f"{dice.randrange(1000)}.{dice.randrange(1, 10_000)}"
    return {
        "名前": {"S": "花子"},
        "n": {"N": number},
        "part": {"N": part},
        "flag": {"BOOL": dice.random() < 0.5},  # noqa: PLR2004
        "none": {"NULL": True},
        "bytes": {"B": dice.randbytes(dice.randrange(1, 40))},
        "list": {"L": [{"N": number}, {"S": "あ"}, {"M": {"deep": {"L": []}}}]},
        "names": {"SS": ["a", "bb", "店"]},
        "numbers": {"NS": ["1", "22", "-333"]},
        "body": {"S": "x" * max(1, dice.choice(EDGE_BYTES) - dice.randrange(110, 260))},
    }
