"""The sender: gate, claim, push, record."""

import aws_cdk as cdk
from constructs import Construct

from infra.function import Function, Surroundings
from infra.memory import MEMORY_MB
from infra.objects import Objects
from infra.queues import Queues
from infra.secrets import Secrets
from infra.tables import Tables
from infra.worker import feed

BATCH = 10


def send_function(
    scope: Construct,
    around: Surroundings,
    tables: Tables,
    queues: Queues,
    secrets: Secrets,
    objects: Objects,
) -> Function:
    """The only function that speaks to LINE's messaging; LINK_URL comes with the door. Each lane has workers of its own, so that no campaign stands before a
    notification; each worker has its share of LINE's rates, so that all together stay below them."""
    parameters = around.parameters
    function = Function(
        scope,
        "send",
        around=around,
        memory_mb=MEMORY_MB["send"],
        environment={
            "TABLE_GATES": tables.gates.table_name,
            "TABLE_CUSTOMERS": tables.customers.table_name,
            "TABLE_SENDS": tables.sends.table_name,
            "TABLE_TIMERS": tables.timers.table_name,
            "QUEUE_SEND_URL": queues.send.queue.queue_url,
            "QUEUE_BULK_URL": queues.bulk.queue.queue_url,
            "BUCKET": objects.bucket.bucket_name,
            "SECRET_LINE": secrets.line_arn,
            "SECRET_LINK": secrets.link_arn,
            "LINE_API_URL": parameters.line_api_url.value_as_string,
            "LINE_LOGIN_URL": parameters.line_login_url.value_as_string,
            # The stack's name, under which measures are told.
            "SCHEDULE_GROUP": cdk.Aws.STACK_NAME,
            "LINE_PUSH_PER_SECOND": parameters.line_push_per_second.value_as_string,
            "LINE_MULTICAST_PER_SECOND": parameters.line_multicast_per_second.value_as_string,
            "SEND_CONCURRENCY": parameters.send_concurrency.value_as_string,
            "BULK_CONCURRENCY": parameters.bulk_concurrency.value_as_string,
            "TIMER_SHARDS": parameters.timer_shards.value_as_string,
            "HOLD_IN_QUEUE_SECONDS_MAX": parameters.hold_in_queue_seconds_max.value_as_string,
        },
    )
    _allow_tables(function, tables)
    function.may_send(queues.send.queue, queues.bulk.queue)
    function.may_use_objects(
        objects.bucket, read=["playbooks/", "runs/", "batches/"], write=["failures/", "batches/"]
    )
    for secret in (secrets.line_arn, secrets.link_arn):
        function.may_read_secret(secret)
    for lane, concurrency in (
        (queues.send, parameters.send_concurrency),
        (queues.bulk, parameters.bulk_concurrency),
    ):
        feed(function, lane.queue, batch=BATCH, concurrency_max=concurrency.value_as_number)
    return function


def _allow_tables(function: Function, tables: Tables) -> None:
    account = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
    function.allow(["dynamodb:BatchGetItem"], [tables.gates.table_arn, tables.customers.table_arn])
    # A batch of statements is authorized statement by statement.
    function.allow([*account, "dynamodb:PartiQLUpdate"], [tables.gates.table_arn])
    function.allow(["dynamodb:GetItem", "dynamodb:PartiQLInsert"], [tables.sends.table_arn])
    function.allow(["dynamodb:PutItem"], [tables.timers.table_arn])
    function.may_use_tables()
