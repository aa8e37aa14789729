"""The inbox: each message one call, failures named one by one."""

from typing import Any

from functions.aws.queues import decode_inbox
from functions.decide.wiring import decide, failure_notes
from functions.invocation import told
from functions.sqs_batches import answer_batch


@told
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """SQS batch of inbox messages → the messages that failed."""
    flow = decide()
    return answer_batch(event, context, lambda body: flow.handle(decode_inbox(body)), failure_notes().keep)
