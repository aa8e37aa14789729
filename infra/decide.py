"""The inbox's worker: folds events, moves journeys, makes intents."""

from constructs import Construct

from infra.function import Function, Surroundings
from infra.objects import Objects
from infra.queues import Queues
from infra.tables import Tables
from infra.worker import feed

BATCH = 10


def decide_function(
    scope: Construct, around: Surroundings, tables: Tables, queues: Queues, objects: Objects
) -> Function:
    """Everything that happens to a customer comes through here."""
    parameters = around.parameters
    function = Function(
        scope,
        "decide",
        around=around,
        environment={
            "TABLE_IDENTITIES": tables.identities.table_name,
            "TABLE_CUSTOMERS": tables.customers.table_name,
            "TABLE_GATES": tables.gates.table_name,
            "TABLE_EVENTS": tables.events.table_name,
            "TABLE_TIMERS": tables.timers.table_name,
            "QUEUE_INBOX_URL": queues.inbox.queue.queue_url,
            "QUEUE_SEND_URL": queues.send.queue.queue_url,
            "BUCKET": objects.bucket.bucket_name,
            "TIMER_SHARDS": parameters.timer_shards.value_as_string,
            "HOLD_IN_QUEUE_SECONDS_MAX": parameters.hold_in_queue_seconds_max.value_as_string,
        },
    )
    _allow_tables(function, tables)
    function.may_send(queues.inbox.queue, queues.send.queue)
    function.may_use_objects(objects.bucket, read=["playbooks/"])
    feed(function, queues.inbox.queue, batch=BATCH)
    return function


def _allow_tables(function: Function, tables: Tables) -> None:
    # A transaction is authorized item by item, under the action each item would need alone.
    item = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem"]
    change = ["dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"]
    keyed_by_customer = [tables.customers.table_arn, tables.gates.table_arn]
    function.allow([*item, *change], [*keyed_by_customer, tables.identities.table_arn])
    function.allow(["dynamodb:Query"], [tables.identities.table_arn, tables.events.table_arn])
    function.allow(
        ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:BatchWriteItem"], [tables.events.table_arn]
    )
    function.allow(["dynamodb:PutItem"], [tables.timers.table_arn])
    function.may_use_tables()
