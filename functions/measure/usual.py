"""What is usual: the range that a day's count is expected in, by the same weekdays before it; and rates surely past a limit."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from scipy import stats

SURE = 0.999
"""A day within its usual range is taken for one outside once in a thousand."""
SURE_OF_LIMIT = 0.95
DAYS_MIN = 3
ODDS_MIN = 1.5
"""Of many messages the smallest difference is sure: it has to be worth telling too."""
TRUST = 0.5
"""How much of the messages before counts: days differ by more than chance, so that the past knows less than it seems to."""


class Count(NamedTuple):
    """So many `of` so many."""

    number: int
    of: int

    @property
    def rate(self) -> float:
        """Their part."""
        return self.number / self.of if self.of else 0.0


def surely_above(count: Count, limit: float) -> bool:
    """Whether a rate is above a limit, by the lower end of its exact interval."""
    if not count.number or count.rate <= limit:
        return False
    lowest = stats.beta.ppf(1 - SURE_OF_LIMIT, count.number, count.of - count.number + 1)
    return bool(lowest > limit)


def usual_range(before: Sequence[Count], of: int) -> tuple[int, int] | None:
    """The least and the most of `of` that are usual; None where fewer than DAYS_MIN days say anything.

    The predictive beta-binomial range of the days' median rate: one odd day among them moves it little.
    """
    days = [one for one in before if one.of]
    if len(days) < DAYS_MIN or of < 1:
        return None
    rate, weight = median(one.rate for one in days), TRUST * sum(one.of for one in days)
    form = stats.betabinom(of, rate * weight + 0.5, (1 - rate) * weight + 0.5)
    return int(form.ppf(1 - SURE)), int(form.ppf(SURE))


def unusually_high(count: Count, before: Sequence[Count]) -> float | None:
    """The upper end of the usual range, as a rate, where a count is well above it; else None."""
    found = usual_range(before, count.of)
    if found is None or count.number <= found[1] or not _differs(count, before, ODDS_MIN):
        return None
    return found[1] / count.of


def unusually_low(count: Count, before: Sequence[Count]) -> float | None:
    """The lower end of the usual range, as a rate, where a count is well below it; else None."""
    found = usual_range(before, count.of)
    if found is None or count.number >= found[0] or _differs(count, before, 1 / ODDS_MIN):
        return None
    return found[0] / count.of


def _differs(count: Count, before: Sequence[Count], times: float) -> bool:
    """Whether the odds are at least so many times what they usually are."""
    usual = median(one.rate for one in before if one.of)
    return _odds(count.rate) >= times * _odds(usual)


def _odds(rate: float) -> float:
    return rate / (1 - rate) if rate < 1 else float("inf")
