"""A deployment on moto that holds what the fakes' world has come to."""

import collections
import contextlib
import itertools
from typing import Any, Final

import boto3
import msgspec

from functions.aws.objects import S3Runs
from functions.aws.timers import DynamoTimers
from functions.domain.instants import format_instant
from functions.domain.sends import SendRecord
from ops.engine.clients import Clients
from ops.stores import Stores
from ops.target import Target
from tests.fakes.world import ACCOUNT, World
from tests.ops.explaining import frozen_runs_in

REGION: Final = "ap-northeast-1"
_KEYS = {"customers": 1, "gates": 1, "identities": 2, "sends": 2, "events": 2, "timers": 2}
_numbers = itertools.count()  # other tests of this process may share moto's account


def deployed(world: World) -> Stores:
    """The world's customers, gates, events, sends, held messages, runs and playbooks, in tables of their own."""
    number = next(_numbers)
    outputs = collections.defaultdict(str, {"Bucket": f"deployed-{number}", "FunctionFacts": "facts"})
    for role, keys in _KEYS.items():
        outputs[f"Table{role.capitalize()}"] = name = f"deployed-{role}-{number}"
        _table(name, keys)
    boto3.client("s3", region_name=REGION).create_bucket(
        Bucket=outputs["Bucket"], CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    parameters = collections.defaultdict(
        str, {"TimerShards": "2", "HoldInQueueSecondsMax": "60", "Account": ACCOUNT}
    )
    stores = Stores(Target(outputs, parameters, Clients(None, REGION)))
    vars(stores)["now"] = world.clock
    _fill(stores, world)
    return stores


def _table(name: str, keys: int) -> None:
    client = boto3.client("dynamodb", region_name=REGION)
    kinds: list[Any] = [("pk", "HASH"), ("sk", "RANGE")][:keys]
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in kinds],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in kinds],
    )


def _fill(stores: Stores, world: World) -> None:
    stores.playbooks.apply(world.book)
    for customer_id in world.customers.customer_bodies:
        stores.customers.save(_new(world.customers.load(customer_id)))
        stores.events.put_all(customer_id, world.events.all_of(customer_id))
        if (base := world.events.kept_of(customer_id).base).version:
            stores.events.save_base(customer_id, _new(base))
    for customer_id in world.customers.gate_bodies:
        stores.customers.save_gate(_new(world.customers.load_gate(customer_id)))
    keep_up(stores, world)
    _timers(stores).arm("c1", world.now, world.now)
    runs = S3Runs(stores.objects)
    for frozen, chunks in frozen_runs_in(world):
        runs.freeze_run(frozen)
        for segment, number, chunk in chunks:
            runs.freeze_chunk(frozen, segment, number, chunk)
            if world.runs.is_enqueued(frozen, segment, number):
                runs.checkpoint(frozen, segment, number)
        runs.finish(frozen, 0)


def keep_up(stores: Stores, world: World) -> None:
    """Let the deployment have the ends and the held messages that the world has by now."""
    client, table = stores.target.client("dynamodb"), stores.settings.table_timers
    for record in world.records():
        _record(client, stores.settings.table_sends, record)
    for item in client.scan(TableName=table, FilterExpression="attribute_exists(body)")["Items"]:
        client.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})
    for until, intent in world.timers.held:
        _timers(stores).hold(intent, until, world.now)


def _timers(stores: Stores) -> DynamoTimers:
    return DynamoTimers(stores.target.client("dynamodb"), stores.settings.table_timers, 2)


def _new(value: Any) -> Any:
    """As if it had never been written."""
    return msgspec.structs.replace(value, version=0)


def _record(client: Any, table: str, record: SendRecord) -> None:
    """As `DynamoSends.record_all` writes it, whose statements moto does not understand."""
    key = f"{format_instant(record.made_at)}#{record.send_id}"
    body = msgspec.json.encode(record).decode()
    item = {"pk": {"S": record.customer_id}, "sk": {"S": key}, "body": {"S": body}}
    with contextlib.suppress(client.exceptions.ConditionalCheckFailedException):
        client.put_item(TableName=table, Item=item, ConditionExpression="attribute_not_exists(pk)")
