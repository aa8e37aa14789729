"""Whether a series is flat: the median of its last third beside that of its second.

The first third is the warm-up: imports that only the first message of a kind asks for, caches that fill, more workers. Medians, because
a busy second is no trend; thirds, because a leak goes on, while what warms up late shows less and less.
"""

from collections.abc import Sequence
from statistics import median

import msgspec

GROWTH_MB_MAX = 2.0
GROWTH_SHARE_MAX = 0.03
"""Both have to be passed: 2 MB is what an allocator's arenas come and go by, 3 % of what a worker of 65 MB has."""
SAMPLES_MIN = 6


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """Megabytes: at first, the medians of the second and of the last third, and the most that was seen."""

    first: float
    middle: float
    last: float
    most: float
    samples: int

    @property
    def growth(self) -> float:
        """From the middle of the run to its end."""
        return self.last - self.middle

    @property
    def is_flat(self) -> bool:
        """Whether it does not grow by more than noise."""
        return self.growth <= max(GROWTH_MB_MAX, self.middle * GROWTH_SHARE_MAX)

    @property
    def is_judged(self) -> bool:
        """Whether there were enough samples to say."""
        return self.samples >= SAMPLES_MIN


def trend_of(values: Sequence[float]) -> Trend:
    """The trend of samples at equal distances, oldest first; at least one."""
    third = len(values) // 3
    middle, last = values[third : len(values) - third] or values, values[len(values) - third :] or values
    return Trend(
        first=round(values[0], 1),
        middle=round(median(middle), 1),
        last=round(median(last), 1),
        most=round(max(values), 1),
        samples=len(values),
    )


def smallest_leak(trend: Trend, minutes: float) -> float:
    """The least steady growth, in MB a minute, that a run of so many minutes tells from noise."""
    return max(GROWTH_MB_MAX, trend.middle * GROWTH_SHARE_MAX) / (minutes / 3)
