"""One figure of a benchmark."""

import msgspec


class Measure(msgspec.Struct, frozen=True):
    """What was measured, in its unit; the budget it must keep (`limit`, at most) and what it stands beside.

    `baseline` says in words, with its figure, what the value is to be compared with, measured in the same run. Without
    a `limit` it is told and not judged.
    """

    name: str
    value: float
    unit: str
    limit: float | None
    baseline: str

    @property
    def ok(self) -> bool:
        """Whether the budget is kept."""
        return self.limit is None or self.value <= self.limit
