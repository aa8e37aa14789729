"""Dead letters for operators without the command: invoked by hand, answered in JSON."""

from typing import Any

from functions.invocation import told
from functions.redrive.requests import answer
from functions.redrive.wiring import replay


@told
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"action": "list" | "replay", …}` (functions/redrive/requests.py) → the report, or `{"error": what is wrong}`."""
    return answer(replay(), event, lambda: float(context.get_remaining_time_in_millis()) / 1000)
