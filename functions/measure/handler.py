"""The measure queue: each message one day, or several, one after the other."""

from typing import Any

from functions.aws.measuring import decode_measure
from functions.invocation import told
from functions.measure.wiring import failure_notes, measure
from functions.sqs_batches import answer_batch


@told
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """SQS batch of orders (functions/ports/messages.py) → the messages that failed."""

    def time_left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    def run(body: str) -> None:
        measure().run(decode_measure(body), time_left)

    return answer_batch(event, context, run, failure_notes().keep)
