"""Tests for one look at data whose size was settled before: two proportions, two means.

Whoever looks daily and stops at the first p < 0.05 is wrong far more often than once in twenty: for that there is
`sequential`.
"""

import math

import msgspec
from scipy import stats

from functions.measure.statistics.samples import Sample


class Test(msgspec.Struct, frozen=True):
    """`difference` of the means (treated less control), its interval, and the two-sided p of no difference."""

    __test__ = False  # pytest: no test of ours

    difference: float
    low: float
    high: float
    p: float


def proportions(treated: Sample, control: Sample, alpha: float = 0.05) -> Test:
    """Pearson's chi-square without correction (the pooled z-test), and Newcombe's hybrid score interval.

    Newcombe, Interval estimation for the difference between independent proportions, Statistics in Medicine 17 (1998),
    method 10: it stays within [-1, 1] and holds its level where counts are small. Both groups must have people.
    """
    difference = treated.mean - control.mean
    own, other = _wilson(treated, alpha), _wilson(control, alpha)
    low = difference - math.hypot(treated.mean - own[0], other[1] - control.mean)
    high = difference + math.hypot(own[1] - treated.mean, control.mean - other[0])
    return Test(difference, low, high, _chi_square_p(treated, control))


def means(treated: Sample, control: Sample, alpha: float = 0.05) -> Test:
    """Welch's t-test and its interval. Both groups must have two people; without any variance p is 1 or 0."""
    difference = treated.mean - control.mean
    parts = (treated.variance / treated.people, control.variance / control.people)
    error = math.sqrt(sum(parts))
    if error == 0:
        return Test(difference, difference, difference, 1.0 if difference == 0 else 0.0)
    found = stats.ttest_ind_from_stats(
        treated.mean,
        treated.deviation,
        treated.people,
        control.mean,
        control.deviation,
        control.people,
        equal_var=False,
    )
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (treated.people - 1) + parts[1] ** 2 / (control.people - 1))
    low, high = stats.t.interval(1 - alpha, freedom, loc=difference, scale=error)
    return Test(difference, float(low), float(high), float(found.pvalue))


def _wilson(sample: Sample, alpha: float) -> tuple[float, float]:
    found = stats.binomtest(round(sample.total), sample.people).proportion_ci(1 - alpha, method="wilson")
    return float(found.low), float(found.high)


def _chi_square_p(treated: Sample, control: Sample) -> float:
    yes = (treated.total, control.total)
    no = (treated.people - treated.total, control.people - control.total)
    if not sum(yes) or not sum(no):
        return 1.0
    return float(stats.chi2_contingency([yes, no], correction=False).pvalue)
