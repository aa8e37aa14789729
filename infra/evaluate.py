"""Scans over all customers: campaign runs, back-fills after a new playbook, the daily audit of memberships."""

from constructs import Construct

from infra.function import Function, Surroundings
from infra.memory import MEMORY_MB
from infra.objects import Objects
from infra.queues import Queues
from infra.schedules import Schedules
from infra.tables import Tables
from infra.worker import feed


def evaluate_function(
    scope: Construct,
    around: Surroundings,
    tables: Tables,
    queues: Queues,
    objects: Objects,
    schedules: Schedules,
) -> Function:
    """One message, one scan or a part of it: it re-enqueues itself when its time is nearly over."""
    parameters = around.parameters
    function = Function(
        scope,
        "evaluate",
        around=around,
        memory_mb=MEMORY_MB["evaluate"],
        timeout=parameters.evaluate_timeout(),
        environment={
            "TABLE_CUSTOMERS": tables.customers.table_name,
            "QUEUE_INBOX_URL": queues.inbox.queue.queue_url,
            "QUEUE_SEND_URL": queues.send.queue.queue_url,
            "QUEUE_BULK_URL": queues.bulk.queue.queue_url,
            "QUEUE_EVALUATE_URL": queues.evaluate.queue.queue_url,
            "QUEUE_EVALUATE_ARN": queues.evaluate.queue.queue_arn,
            "SCHEDULES_DEAD_ARN": queues.schedules_dead.queue_arn,
            "BUCKET": objects.bucket.bucket_name,
            "SCHEDULE_GROUP": schedules.group_name,
            "SCHEDULE_ROLE_ARN": schedules.campaign_role.role_arn,
            "SCHEDULES_STATE": parameters.schedules_state.value_as_string,
        },
    )
    function.allow(["dynamodb:Scan"], [tables.customers.table_arn])
    function.may_use_tables()
    function.may_send(queues.inbox.queue, queues.send.queue, queues.bulk.queue, queues.evaluate.queue)
    noted = ["runs/", "backfills/", "audits/"]
    function.may_use_objects(objects.bucket, read=["playbooks/", *noted], write=[*noted, "failures/"])
    # Whether anything has waited there for long is seen from the list.
    listed = {"StringLike": {"s3:prefix": ["rejected/*"]}}
    function.allow(["s3:ListBucket"], [objects.bucket.bucket_arn], listed)
    schedules.allow_arming(function)
    feed(function, queues.evaluate.queue, batch=1)
    return function
