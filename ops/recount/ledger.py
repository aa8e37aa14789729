"""Figures held against their recount: how many, and which differ."""

import math
from typing import Any

NEAR = 1e-9
"""Of sums in another order, as a part of the sum."""


class Ledger:
    """Every figure that was held against something, and what is not as it was counted."""

    def __init__(self) -> None:
        self.held = 0
        self.differing: list[str] = []

    def hold(self, where: str, told: Any, counted: Any, near: float = NEAR) -> None:
        """Two numbers, texts or nothings that are to be the same."""
        self.held += 1
        if not _same(told, counted, near):
            self.differing.append(f"{where} is {told!r}, and was counted to be {counted!r}")


def _same(told: Any, counted: Any, near: float) -> bool:
    if isinstance(told, int | float) and isinstance(counted, int | float):
        return math.isclose(told, counted, rel_tol=near, abs_tol=near)
    return bool(told == counted)
