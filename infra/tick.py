"""The minute: what is due leaves its timer bucket for the queue it was waiting for."""

from constructs import Construct

from infra.function import Function, Surroundings
from infra.queues import Queues
from infra.tables import Tables


def tick_function(scope: Construct, around: Surroundings, tables: Tables, queues: Queues) -> Function:
    """Invoked once a minute by EventBridge Scheduler, with {"scheduled_at": ISO instant}."""
    function = Function(
        scope,
        "tick",
        around=around,
        environment={
            "TABLE_TIMERS": tables.timers.table_name,
            "QUEUE_INBOX_URL": queues.inbox.queue.queue_url,
            "QUEUE_SEND_URL": queues.send.queue.queue_url,
            "QUEUE_BULK_URL": queues.bulk.queue.queue_url,
            "TIMER_SHARDS": around.parameters.timer_shards.value_as_string,
        },
    )
    function.allow(["dynamodb:Query", "dynamodb:BatchWriteItem"], [tables.timers.table_arn])
    function.may_use_tables()
    function.may_send(queues.inbox.queue, queues.send.queue, queues.bulk.queue)
    return function
