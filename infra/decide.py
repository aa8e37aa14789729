"""The inbox's worker: folds events, moves journeys, makes intents."""

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


def decide_function(
    scope: Construct,
    around: Surroundings,
    tables: Tables,
    queues: Queues,
    secrets: Secrets,
    objects: Objects,
) -> Function:
    """Everything that happens to a customer comes through here."""
    parameters = around.parameters
    function = Function(
        scope,
        "decide",
        around=around,
        memory_mb=MEMORY_MB["decide"],
        environment={
            "TABLE_IDENTITIES": tables.identities.table_name,
            "TABLE_CUSTOMERS": tables.customers.table_name,
            "TABLE_GATES": tables.gates.table_name,
            "TABLE_EVENTS": tables.events.table_name,
            "TABLE_TIMERS": tables.timers.table_name,
            "QUEUE_SEND_URL": queues.send.queue.queue_url,
            "QUEUE_BULK_URL": queues.bulk.queue.queue_url,
            "BUCKET": objects.bucket.bucket_name,
            "SECRET_ERASURE": secrets.erasure_arn,
            "SECRET_LINE": secrets.line_arn,
            "SECRET_LINK": secrets.link_arn,
            "LINE_API_URL": parameters.line_api_url.value_as_string,
            "TIMER_SHARDS": parameters.timer_shards.value_as_string,
            "SCHEDULE_GROUP": cdk.Aws.STACK_NAME,
        },
    )
    _allow_tables(function, tables)
    function.may_send(queues.send.queue, queues.bulk.queue)
    for secret in (secrets.erasure_arn, secrets.line_arn, secrets.link_arn):
        function.may_read_secret(secret)
    function.may_use_objects(objects.bucket, read=["playbooks/"], write=["failures/", "rejected/"])
    feed(function, queues.inbox.queue, batch=BATCH)
    return function


def _allow_tables(function: Function, tables: Tables) -> None:
    # A transaction is authorized item by item, under the action each item would need alone.
    item = ["dynamodb:GetItem", "dynamodb:PutItem"]
    function.allow([*item, "dynamodb:BatchGetItem"], [tables.customers.table_arn, tables.gates.table_arn])
    # The counters of blocks, and the breaker that they open, stand among the gates.
    function.allow(["dynamodb:UpdateItem"], [tables.gates.table_arn])
    function.allow(item, [tables.identities.table_arn])
    # Attempts to link are taken up, and tries are counted.
    only = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["attempt#*", "tries#*"]}}
    function.allow(["dynamodb:UpdateItem"], [tables.identities.table_arn], only)
    # A customer's LINE users are looked up, and what was decided waits no longer.
    customers = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["customer#*"]}}
    function.allow(["dynamodb:Query"], [tables.identities.table_arn], customers)
    reviews = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["review"]}}
    function.allow(["dynamodb:DeleteItem"], [tables.identities.table_arn], reviews)
    function.allow([*item, "dynamodb:BatchWriteItem", "dynamodb:Query"], [tables.events.table_arn])
    function.allow(["dynamodb:PutItem"], [tables.timers.table_arn])
    function.may_use_tables()
