"""Whether a series is flat: the median of its last third beside that of its second.

The first third is the warm-up: imports that only the first message of a kind asks for, caches that fill, a batch that is
larger than any before. Medians, because a busy second is no trend; thirds, because a leak goes on, while what warms up late
shows less and less.
"""

from collections.abc import Sequence
from statistics import median

import msgspec

GROWTH_MB_MAX = 2.0
GROWTH_SHARE_MAX = 0.03
"""Both have to be passed: 2 MB is what an allocator's arenas come and go by, 3 % of what a worker of 65 MB has."""
JUDGED_MINUTES_MIN = 6.0
"""Of thirds that are shorter than two minutes the second is still warm-up."""


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """Megabytes, or messages: at first, the medians of the second and of the last third, and the most that was seen, in so
    many minutes."""

    first: float
    middle: float
    last: float
    most: float
    minutes: float

    @property
    def growth(self) -> float:
        """From the middle of the run to its end."""
        return self.last - self.middle

    @property
    def is_flat(self) -> bool:
        """Whether it does not grow by more than noise."""
        return self.growth <= self.noise

    @property
    def is_judged(self) -> bool:
        """Whether it was looked at for long enough to say."""
        return self.minutes >= JUDGED_MINUTES_MIN

    @property
    def smallest_leak(self) -> float:
        """The least steady growth, in MB a minute, that is told from noise."""
        return self.noise / (self.minutes / 3)

    @property
    def noise(self) -> float:
        """What it may grow by, in MB."""
        return max(GROWTH_MB_MAX, self.middle * GROWTH_SHARE_MAX)


def trend_of(points: Sequence[tuple[float, float]]) -> Trend:
    """The trend of (seconds, value), oldest first and at about equal distances; at least one."""
    values, third = [value for _, value in points], len(points) // 3
    middle, last = values[third : len(values) - third], values[len(values) - third :] or values
    return Trend(
        first=round(values[0], 1),
        middle=round(median(middle), 1),
        last=round(median(last), 1),
        most=round(max(values), 1),
        minutes=round((points[-1][0] - points[0][0]) / 60, 2),
    )
