"""Dead letters for operators without the command: looked through, and put back with an audit."""

import aws_cdk as cdk
from constructs import Construct

from infra.function import Function, Surroundings
from infra.memory import MEMORY_MB
from infra.objects import Objects
from infra.queues import Queues
from infra.tables import Tables

# Nobody waits longer at a console; what is left is told, and the same call goes on with it.
TIMEOUT_SECONDS = 300


def redrive_function(
    scope: Construct, around: Surroundings, tables: Tables, queues: Queues, objects: Objects, tick: Function
) -> Function:
    """Invoked by hand. It reads what the gate reads and writes nothing but queues and its audit; it never calls LINE."""
    function = Function(
        scope,
        "redrive",
        around=around,
        memory_mb=MEMORY_MB["redrive"],
        timeout=cdk.Duration.seconds(TIMEOUT_SECONDS),
        environment={
            "TABLE_GATES": tables.gates.table_name,
            "TABLE_CUSTOMERS": tables.customers.table_name,
            "TABLE_SENDS": tables.sends.table_name,
            "BUCKET": objects.bucket.bucket_name,
            "FUNCTION_TICK": tick.live.function_name,
            "DEAD_QUEUES": cdk.Stack.of(scope).to_json_string(
                {
                    name: {"dead": pair.dead.queue_url, "work": pair.queue.queue_url}
                    for name, pair in queues.redrives().items()
                }
            ),
        },
    )
    _allow_queues(function, queues)
    function.allow(["dynamodb:BatchGetItem"], [tables.gates.table_arn, tables.customers.table_arn])
    # The account's row among the gates, and the end of one intent.
    function.allow(["dynamodb:GetItem"], [tables.gates.table_arn, tables.sends.table_arn])
    function.may_use_tables()
    function.may_use_objects(
        objects.bucket, read=["playbooks/", "failures/", "audits/redrive/"], write=["audits/redrive/"]
    )
    function.allow(["lambda:InvokeFunction"], [tick.live.function_arn])
    return function


def _allow_queues(function: Function, queues: Queues) -> None:
    taking = ["ReceiveMessage", "ChangeMessageVisibility", "DeleteMessage"]
    pairs = queues.redrives().values()
    function.allow([f"sqs:{action}" for action in taking], [pair.dead.queue_arn for pair in pairs])
    function.may_send(*(work.queue for work in queues.by_name.values()))
