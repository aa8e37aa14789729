"""Tests that may be looked at every day: always-valid p-values and confidence sequences.

The mixture sequential probability ratio test with a normal mixture (Robbins 1970; Johari, Koomen, Pekelis and Walsh,
Always Valid Inference: Continuous Monitoring of A/B Tests, Operations Research 70 (2022)), with the variance estimated as
in Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Time-uniform central limit theory and asymptotic confidence
sequences, Annals of Statistics 52 (2024), Theorem 2.2: whenever one looks, and however often, the probability that any
interval ever misses is at most alpha, as groups grow. Each group is to be of FLOOR_PEOPLE and more, of whom FLOOR_EVENTS
and more did anything at all (tests/measure/aa.py has the figures).

With z the difference in standard errors, m = 1 / (1/n + 1/n') the effective size and r = m / TUNED_FOR times the optimal
mixture, the likelihood ratio is exp(z² r / (2 (1 + r))) / sqrt(1 + r). All functions take arrays as well as numbers.
"""

from typing import Any

import msgspec
import numpy as np
from scipy import special

from functions.measure.statistics.samples import Sample

FLOOR_PEOPLE = 100
FLOOR_EVENTS = 20
TUNED_FOR = 1_000.0
"""The effective size at which intervals are narrowest: two arms of 2,000 people. It has to be settled before any data is
seen, so it is the same for every experiment; at a tenth or ten times of it intervals are a quarter or a tenth wider."""

Numbers = Any
"""A float, or a numpy array of floats."""


class Always(msgspec.Struct, frozen=True):
    """The difference of means (treated less control), an interval and a p that stay valid whenever one looks."""

    difference: float
    low: float
    high: float
    p: float


def mixture(alpha: float) -> float:
    """The mixture's weight that makes the boundary at TUNED_FOR lowest: -W₋₁(-alpha²/e) - 1 (ibid., Appendix B.2)."""
    return float(-special.lambertw(-(alpha**2) * np.exp(-1), k=-1).real - 1)


def p_value(z: Numbers, size: Numbers, alpha: float = 0.05) -> Numbers:
    """The always-valid p of a difference of `z` standard errors at an effective size: one over the likelihood ratio.

    `alpha` only tunes the mixture; the p is valid at every level.
    """
    ratio = mixture(alpha) * np.asarray(size, float) / TUNED_FOR
    log_e = np.square(z) * ratio / (2 * (1 + ratio)) - np.log1p(ratio) / 2
    return np.exp(-np.maximum(log_e, 0.0))


def boundary(size: Numbers, level: float, alpha: float = 0.05) -> Numbers:
    """How many standard errors the interval of this level reaches to each side at an effective size > 0."""
    ratio = mixture(alpha) * np.asarray(size, float) / TUNED_FOR
    return np.sqrt((1 + 1 / ratio) * (np.log1p(ratio) - 2 * np.log(level)))


def proportion_variance(people: Numbers, yes: Numbers) -> Numbers:
    """The variance of a proportion with one more yes and one more no (Agresti and Caffo 2000), so that a group in which
    nobody did anything is not taken for certain."""
    people, yes = np.asarray(people, float) + 2, np.asarray(yes, float) + 1
    return yes / people * (1 - yes / people) / people


def mean_variance(people: Numbers, total: Numbers, squares: Numbers) -> Numbers:
    """The variance of the difference of two means, from the two groups' people, sums and sums of squares (last axis; two
    people at least): Welch's or the pooled one, whichever is larger.

    What people spend is skewed. Where a holdout is small and happens to lack its big spenders, both its mean and its own
    variance are too low, and Welch's alone would be sure of a difference that is none.
    """
    people = np.asarray(people, float)
    around = np.maximum(squares - np.square(total) / people, 0.0)
    welch = (around / (people - 1) / people).sum(axis=-1)
    pooled = around.sum(axis=-1) / (people.sum(axis=-1) - 2) * (1 / people).sum(axis=-1)
    return np.maximum(welch, pooled)


def effective_size(one: Numbers, other: Numbers) -> Numbers:
    """1 / (1/n + 1/n')."""
    one, other = np.asarray(one, float), np.asarray(other, float)
    return one * other / (one + other)


def proportions(treated: Sample, control: Sample, level: float = 0.05) -> Always:
    """The difference of two proportions. Both groups must have people."""
    variance = sum(float(proportion_variance(one.people, one.total)) for one in (treated, control))
    return _always(treated, control, variance, level)


def means(treated: Sample, control: Sample, level: float = 0.05) -> Always:
    """The difference of two means. Both groups must have two people."""
    people, total, squares = (
        np.array([getattr(treated, what), getattr(control, what)], float)
        for what in msgspec.structs.asdict(treated)
    )
    return _always(treated, control, float(mean_variance(people, total, squares)), level)


def _always(treated: Sample, control: Sample, variance: float, level: float) -> Always:
    difference, error = treated.mean - control.mean, variance**0.5
    size = float(effective_size(treated.people, control.people))
    reach = float(boundary(size, level)) * error
    p = float(p_value(difference / error, size)) if error else float(difference == 0)
    return Always(difference, difference - reach, difference + reach, p)
