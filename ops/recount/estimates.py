"""What experiments show, by statsmodels, and by the formulas as they were published where it has none."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy import special
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from ops.recount.trials import Group

ALPHA = 0.05
PEOPLE_LEAST, ACTED_LEAST = 100, 20
"""Of smaller groups nothing is estimated."""
TUNED_FOR = CONCENTRATION = 1_000.0


def estimates(metric: str, one: Group, other: Group, level: float) -> Iterator[tuple[str, float | None]]:
    """The difference, its always-valid interval and p, and the same for one look."""
    is_rate = metric == "conversion"
    ours, theirs = ((group.converted.astype(float) if is_rate else group.net) for group in (one, other))
    difference = mean_of(ours) - mean_of(theirs)
    yield "difference", difference
    acted = min(int((group.converted if is_rate else group.ordered).sum()) for group in (one, other))
    names = ("low", "high", "p", "fixed_low", "fixed_high", "fixed_p")
    if min(len(ours), len(theirs)) < PEOPLE_LEAST or acted < ACTED_LEAST:
        yield from ((name, None) for name in names)
        return
    always = _always_valid(ours, theirs, level, is_rate=is_rate)
    once = _once(ours, theirs, level, is_rate=is_rate)
    yield from zip(names, (*always, *once), strict=True)


def _once(ours: Any, theirs: Any, level: float, *, is_rate: bool) -> tuple[float, float, float]:
    """Newcombe's interval and the pooled z-test; Welch's of both."""
    if is_rate:
        counts, people = [ours.sum(), theirs.sum()], [len(ours), len(theirs)]
        low, high = confint_proportions_2indep(
            counts[0], people[0], counts[1], people[1], method="newcomb", compare="diff", alpha=level
        )
        return float(low), float(high), float(proportions_ztest(counts, people)[1])
    means = CompareMeans(DescrStatsW(ours), DescrStatsW(theirs))
    low, high = means.tconfint_diff(alpha=level, usevar="unequal")
    return float(low), float(high), float(means.ttest_ind(usevar="unequal")[1])


def _always_valid(ours: Any, theirs: Any, level: float, *, is_rate: bool) -> tuple[float, float, float]:
    """The normal mixture's boundary (Waudby-Smith et al. 2024) and its p."""
    sizes = np.array([len(ours), len(theirs)], float)
    if is_rate:
        yes = np.array([ours.sum(), theirs.sum()]) + 1
        error = math.sqrt(float((yes / (sizes + 2) * (1 - yes / (sizes + 2)) / (sizes + 2)).sum()))
    else:
        spreads = np.array([ours.var(ddof=1), theirs.var(ddof=1)])
        welch = float((spreads / sizes).sum())
        pooled = float((spreads * (sizes - 1)).sum() / (sizes.sum() - 2) * (1 / sizes).sum())
        error = math.sqrt(max(welch, pooled))
    difference, effective = mean_of(ours) - mean_of(theirs), float(1 / (1 / sizes).sum())
    mixture = float(-special.lambertw(-(ALPHA**2) / math.e, k=-1).real - 1) * effective / TUNED_FOR
    reach = error * math.sqrt((1 + 1 / mixture) * math.log((1 + mixture) / level**2))
    factor = math.exp((difference / error) ** 2 * mixture / (2 * (1 + mixture))) / math.sqrt(1 + mixture)
    return difference - reach, difference + reach, min(1.0, 1 / factor)


def ratio_p(people: Sequence[int], weights: Sequence[float]) -> float:
    """One over the Bayes factor of a Dirichlet-multinomial against the arms' shares."""
    counts, shares = np.array(people, float), np.array(weights, float) / sum(weights)
    total, prior = counts.sum(), CONCENTRATION * shares
    alternative = special.gammaln(prior.sum()) - special.gammaln(total + prior.sum())
    alternative += (special.gammaln(counts + prior) - special.gammaln(prior)).sum()
    return float(min(1.0, math.exp(special.xlogy(counts, shares).sum() - alternative)))


def mean_of(values: Any) -> float:
    """0 of nobody."""
    return float(np.mean(values)) if len(values) else 0.0
