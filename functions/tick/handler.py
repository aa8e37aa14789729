"""The minute's schedule: one call."""

from typing import Any

from functions.domain.instants import InstantError, parse_instant
from functions.invocation import told
from functions.tick.wiring import tick


@told
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"scheduled_at": instant}` → how many rows were enqueued. Without a readable instant, now is meant."""
    flow = tick()
    try:
        scheduled_at = parse_instant(event.get("scheduled_at") or "")
    except InstantError:
        scheduled_at = flow.now()
    return {"enqueued": flow.run(scheduled_at)}
