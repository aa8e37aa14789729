"""The send queue: each message one intent to bring to its end, or one rich menu to show."""

from typing import Any

from functions.aws.queues import decode_order
from functions.send.wiring import deliver
from functions.sqs_batches import answer_batch


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """SQS batch of orders → the messages that failed."""
    flow = deliver()
    return answer_batch(event, context, lambda body: flow.take(decode_order(body)))
