"""The evaluate queue: each message one campaign run, one part of a back-fill, or one of an audit."""

from typing import Any

from functions.aws.queues import decode_evaluation
from functions.evaluate.wiring import auditing, backfilling, evaluate, failure_notes
from functions.invocation import told
from functions.ports.messages import AuditPart, BackfillSegment, CampaignRun
from functions.sqs_batches import answer_batch


@told
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """SQS batch of orders (functions/ports/messages.py) → the messages that failed."""

    def time_left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    def run(body: str) -> None:
        match decode_evaluation(body):
            case CampaignRun(campaign=campaign, occurrence=occurrence):
                evaluate().run(campaign, occurrence, time_left)
            case BackfillSegment() as order:
                backfilling().run(order, time_left)
            case AuditPart() as order:
                auditing().run(order, time_left)

    return answer_batch(event, context, run, failure_notes().keep)
