"""The evaluate queue: each message one campaign run."""

import json
from typing import Any

from functions.domain.instants import parse_instant
from functions.evaluate.wiring import evaluate
from functions.sqs_batches import answer_batch


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """SQS batch of `{"campaign", "occurrence"}` → the messages that failed."""
    flow = evaluate()

    def run(body: str) -> None:
        order = json.loads(body)
        occurrence = parse_instant(order["occurrence"])
        flow.run(str(order["campaign"]), occurrence, lambda: context.get_remaining_time_in_millis() / 1000)

    return answer_batch(event, context, run)
