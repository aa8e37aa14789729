"""The minute: what is due leaves its timer bucket for the queue it was waiting for."""

import aws_cdk as cdk
from constructs import Construct

from infra.function import Function, Surroundings
from infra.ingest import may_read_account
from infra.memory import MEMORY_MB
from infra.objects import Objects
from infra.queues import Queues
from infra.tables import Tables


def tick_function(
    scope: Construct, around: Surroundings, tables: Tables, queues: Queues, objects: Objects
) -> Function:
    """Invoked once a minute by EventBridge Scheduler, with {"scheduled_at": ISO instant}."""
    function = Function(
        scope,
        "tick",
        around=around,
        memory_mb=MEMORY_MB["tick"],
        environment={
            "TABLE_TIMERS": tables.timers.table_name,
            "QUEUE_INBOX_URL": queues.inbox.queue.queue_url,
            "QUEUE_SEND_URL": queues.send.queue.queue_url,
            "QUEUE_BULK_URL": queues.bulk.queue.queue_url,
            "TABLE_GATES": tables.gates.table_name,
            "BUCKET": objects.bucket.bucket_name,
            "SCHEDULE_GROUP": cdk.Aws.STACK_NAME,
            "TIMER_SHARDS": around.parameters.timer_shards.value_as_string,
        },
    )
    function.allow(["dynamodb:Query", "dynamodb:BatchWriteItem"], [tables.timers.table_arn])
    may_read_account(function, around, tables)
    function.may_use_objects(objects.bucket, read=["playbooks/"])
    function.may_use_tables()
    function.may_send(queues.inbox.queue, queues.send.queue, queues.bulk.queue)
    return function
