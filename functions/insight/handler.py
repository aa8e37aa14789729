"""LINE's own figures: called each hour by EventBridge Scheduler, one call, nothing to answer."""

from typing import Any

from functions.insight.wiring import gather
from functions.invocation import told


@told
def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """How many units are left for the next hours. What is raised is tried again by the scheduler."""
    return {"left": gather().run()}
