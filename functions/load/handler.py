"""The load queue: each message one dropped file, or the order to go on with one."""

from typing import Any

from functions.aws.queues import decode_load
from functions.invocation import told
from functions.load.wiring import failure_notes, load_files
from functions.ports.messages import LoadOrder
from functions.sqs_batches import answer_batch


@told
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """SQS batch of S3's notifications and of orders (functions/ports/messages.py) → the messages that failed."""

    def time_left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    def run(body: str) -> None:
        for order in decode_load(body):
            if isinstance(order, LoadOrder):
                load_files().run(order, time_left)
            else:
                load_files().begin(order, time_left)

    return answer_batch(event, context, run, failure_notes().keep)
