"""The send queues: each message an intent to bring to its end, or a rich menu to show."""

from typing import Any

from functions.aws.queues import decode_order
from functions.invocation import told
from functions.send.wiring import deliver, failure_notes
from functions.sqs_batches import answer_together


@told
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """SQS batch of orders → the messages that failed."""
    return answer_together(event, decode_order, deliver().take_all, failure_notes().keep)
