"""How a queue feeds a function: every failed message is reported alone, its batch's others stay done."""

from typing import cast

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs

from infra.function import Function


def feed(function: Function, queue: sqs.Queue, *, batch: int, concurrency_max: float | None = None) -> None:
    """Map `queue` to `function`, `batch` messages at a time, at most `concurrency_max` batches at once."""
    source = sources.SqsEventSource(
        cast("sqs.IQueue", queue),
        batch_size=batch,
        max_concurrency=concurrency_max,
        report_batch_item_failures=True,
    )
    function.live.add_event_source(cast("lambda_.IEventSource", source))
