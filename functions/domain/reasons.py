"""Why a message waits or is not sent: a closed list, so that reports and people know all there is."""

from typing import Literal, get_args

Refusal = Literal[
    "unreachable",
    "no_consent",
    "excluded",
    "holdout",
    "stale_data",
    "not_confirmed",
    "no_longer_eligible",
    "erased",
    "quiet_hours",
    "capped",
    "outranked",
    "over_quota",
    "over_budget",
    "breaker_open",
    "stopped",
    "expired",
]

REFUSALS: tuple[str, ...] = get_args(Refusal)
DETAILED = ("excluded", "capped")
"""These name what refused after a colon: `excluded:complaint`, `capped:weekly`. The others stand alone."""


def reason_text(refusal: Refusal, detail: str = "") -> str:
    """The reason as the send log has it."""
    return f"{refusal}:{detail}" if detail else refusal


def reason_parts(text: str) -> tuple[str, str]:
    """The refusal of a reason, and what refused: `("capped", "weekly")`; empty where it stands alone."""
    refusal, _, detail = text.partition(":")
    return refusal, detail


def is_refusal(text: str) -> bool:
    """Whether a text is one of the closed list."""
    refusal, colon, detail = text.partition(":")
    if refusal in DETAILED:
        return bool(detail)
    return refusal in REFUSALS and not colon
