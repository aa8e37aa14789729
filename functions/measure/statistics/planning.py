"""How many people an experiment needs, and how long it has to run: said before it begins."""

import math

import msgspec
from scipy import optimize, stats

from functions.measure.statistics.sequential import FLOOR_PEOPLE, boundary

POWER = 0.8
ALPHA = 0.05
DETECTS = 0.2
"""A rise of the conversion rate by a fifth is what experiments are planned to find."""
DAYS_MIN = 7
"""People buy otherwise on Sundays than on Mondays: whole weeks only."""
_PEOPLE_MAX = 1e12


class Needed(msgspec.Struct, frozen=True):
    """People an arm for one look at the end, and for looking every day; `days`: how long that takes, None where nobody
    comes in."""

    once: int
    daily: int
    days: int | None = None


def needed(
    deviation: float, difference: float, comparisons: int = 1, share: float = 1.0, alpha: float = ALPHA
) -> Needed:
    """People in the smaller arm so that a real `difference` of means is found with a probability of 80 %.

    `deviation`: the standard deviation a person; `share`: people in the smaller arm for each one in the other (≤ 1).
    The daily figure is what the last look alone finds; looks before it only help.
    """
    level = alpha / comparisons
    standard = abs(difference) / deviation
    spread = 1 + share  # variance of the difference, in variances a person of the smaller arm
    reach = stats.norm.isf(level / 2) + stats.norm.ppf(POWER)
    once = spread * (reach / standard) ** 2

    def _lacking(people: float) -> float:
        errors = standard * math.sqrt(people / spread)
        return errors - float(boundary(people / spread, level)) - float(stats.norm.ppf(POWER))

    daily = _PEOPLE_MAX if _lacking(_PEOPLE_MAX) < 0 else optimize.brentq(_lacking, 1.0, _PEOPLE_MAX)
    return Needed(max(FLOOR_PEOPLE, math.ceil(once)), max(FLOOR_PEOPLE, math.ceil(daily)))


def needed_for_rate(rate: float, relative: float, comparisons: int = 1, share: float = 1.0) -> Needed:
    """The same for a conversion rate (0 < rate < 1) that rises by `relative` (0.2: by a fifth)."""
    raised = min(1.0, rate * (1 + relative))
    deviation = math.sqrt((rate * (1 - rate) + raised * (1 - raised)) / 2)
    return needed(deviation, raised - rate, comparisons, share)


def with_days(one: Needed, people_a_day: float, share_of_arm: float, window_days: int) -> Needed:
    """The same, and how long: until the smallest arm (its share of those who come in a day) has its people and they had
    `window_days` to act; in whole weeks."""
    if people_a_day <= 0:
        return one
    days = math.ceil(one.daily / (people_a_day * share_of_arm)) + window_days
    weeks = math.ceil(max(days, DAYS_MIN) / 7)
    return msgspec.structs.replace(one, days=weeks * 7)
