"""Facts: the streams of three tables become raw rows in the bucket."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.function import Function, Surroundings
from infra.memory import MEMORY_MB
from infra.objects import Objects
from infra.tables import Tables

# Facts are read once a day: the longer they gather, the fewer invocations and objects they cost.
GATHERED_SECONDS = 120
TOGETHER_MAX = 2_000
# What Lambda asks of a stream on the function's behalf.
FOLLOWING = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")


def facts_function(scope: Construct, around: Surroundings, tables: Tables, objects: Objects) -> Function:
    """Fed by the streams of sends, events and customers. It writes raw facts and reads playbooks, and nothing else."""
    followed = [tables.sends, tables.events, tables.customers]
    function = Function(
        scope,
        "facts",
        around=around,
        memory_mb=MEMORY_MB["facts"],
        environment={
            "TABLE_SENDS": tables.sends.table_name,
            "TABLE_EVENTS": tables.events.table_name,
            "TABLE_CUSTOMERS": tables.customers.table_name,
            "BUCKET": objects.bucket.bucket_name,
            # The stack's name, under which measures are told.
            "SCHEDULE_GROUP": cdk.Aws.STACK_NAME,
        },
    )
    function.may_use_objects(objects.bucket, read=["playbooks/"], write=["facts/raw/"])
    function.may_use_tables()
    for table in followed:
        _follow(function, table)
    return function


def _follow(function: Function, table: dynamodb.Table) -> None:
    """A batch that fails is tried again for as long as the stream keeps it: what cannot be read is set aside, so that
    only an outage holds a shard up."""
    stream = cast("str", table.table_stream_arn)
    function.allow([f"dynamodb:{action}" for action in FOLLOWING], [stream])
    lambda_.EventSourceMapping(
        function,
        f"{table.node.id}Stream",
        target=cast("lambda_.IFunction", function.live),
        event_source_arn=stream,
        starting_position=lambda_.StartingPosition.TRIM_HORIZON,
        batch_size=TOGETHER_MAX,
        max_batching_window=cdk.Duration.seconds(GATHERED_SECONDS),
        bisect_batch_on_error=True,
        report_batch_item_failures=True,
    ).node.add_dependency(function.role)
