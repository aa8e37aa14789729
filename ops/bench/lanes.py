"""The sender's workers as they are deployed where nothing else is said, and LINE's rates, which they share."""

from typing import Final

from functions.domain.batches import MULTICAST_MAX
from functions.settings import LINE_MULTICAST_PER_SECOND, LINE_PUSH_PER_SECOND

PROMPT_WORKERS: Final = 10
BULK_WORKERS: Final = 40
WORKERS: Final = PROMPT_WORKERS + BULK_WORKERS
"""infra/parameters.py: SendConcurrency and BulkConcurrency."""
BATCH: Final = 10
"""Messages that Lambda takes out of a queue at once (infra/send.py)."""

PUSHES_SECOND: Final = LINE_PUSH_PER_SECOND
RECIPIENTS_SECOND: Final = LINE_MULTICAST_PER_SECOND * MULTICAST_MAX


def paced_ms(calls: float, per_second: float) -> float:
    """How long a worker is held to its share of a rate over so many calls, while all workers are at work."""
    return 1000 * calls * WORKERS / per_second
