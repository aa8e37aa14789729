"""Maximum likelihood by SciPy, and what else is estimated from orders."""

from typing import Any

import numpy as np
from scipy import optimize

from functions.measure.models.bgnbd import BgNbd, log_likelihood
from functions.measure.models.fitted import HOUR_WEIGHT, INTERVAL_WEIGHT
from functions.measure.models.returning import AT_RISK_MIN, Returning, hazards_of
from ops.models.history import History

STARTS = ((0.0, 0.0, 0.0, 0.0), (-1.0, 1.0, 0.0, 1.0), (0.5, 2.0, -1.0, 0.5))
PERSONS_MIN = 30
WEIGHTS = (0.1, 100.0)
HOUR_WEIGHTS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
BOUND = 12.0
"""Parameters between e^-12 and e^12: data that asks for more has nobody who dies, or nobody who differs."""


def fit_bgnbd(x: Any, recency: Any, age: Any) -> BgNbd:
    """The parameters under which what customers did is likeliest, in the unit of `recency` and `age`. Alike customers are
    counted together. Raises ValueError where nobody has ordered twice, or no start comes to an end."""
    rows, counts = np.unique(
        np.stack([np.asarray(one, float) for one in (x, recency, age)]), axis=1, return_counts=True
    )
    if not rows[0].any():
        raise ValueError("nobody has ordered on two days; there is nothing to fit yet")

    def _cost(logs: Any) -> float:
        likelihoods = log_likelihood(BgNbd(*np.exp(logs)), *rows)
        return -float(counts @ likelihoods) / float(counts.sum())

    found = [
        optimize.minimize(_cost, start, method="L-BFGS-B", bounds=[(-BOUND, BOUND)] * 4) for start in STARTS
    ]
    rough = min(found, key=lambda one: float(one.fun))
    best = optimize.minimize(
        _cost, rough.x, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-12, "maxiter": 4_000}
    )
    if not np.isfinite(best.fun):
        raise ValueError("the likelihood has no maximum on this data")
    return BgNbd(*(float(one) for one in np.exp(best.x)))


def fit_returning(history: History) -> Returning | None:
    """How long one-time buyers take; None where fewer than AT_RISK_MIN have ordered."""
    if history.waited.size < AT_RISK_MIN:
        return None
    return Returning(hazards_of(history.waited, history.returned))


def fit_interval_weight(group: Any, log_gap: Any) -> float:
    """As how many of one's own intervals everybody's mean counts: the variance within a person by that between persons
    (one-way analysis of variance, method of moments). `group` numbers the persons of the gaps, each a logarithm less the
    mean of its item."""
    _, group, sizes = np.unique(np.asarray(group), return_inverse=True, return_counts=True)
    values = np.asarray(log_gap, float)
    total, persons = values.size, sizes.size
    if persons < PERSONS_MIN or total - persons < PERSONS_MIN:
        return INTERVAL_WEIGHT
    means = np.bincount(group, values) / sizes
    within = float(((values - means[group]) ** 2).sum()) / (total - persons)
    between = float((sizes * (means - values.mean()) ** 2).sum()) / (persons - 1)
    typical = (total - float((sizes**2).sum()) / total) / (persons - 1)
    spread = max((between - within) / typical, 0.0)
    return float(np.clip(within / spread if spread else np.inf, *WEIGHTS))


def fit_hour_weight(earlier: Any, last: Any) -> float:
    """As how many touches of one's own everybody's count: under which weight the hours of last touches are likeliest.

    `earlier`: persons × 24, touches spread over neighbouring hours; `last`: the hour of each person's last touch.
    """
    earlier, last = np.asarray(earlier, float), np.asarray(last, int)
    if last.size < PERSONS_MIN:
        return HOUR_WEIGHT
    crowd = earlier.sum(axis=0) / earlier.sum()
    own = earlier[np.arange(last.size), last]
    likeliest = [
        float(np.log((own + weight * crowd[last] + 1e-9) / (earlier.sum(axis=1) + weight)).mean())
        for weight in HOUR_WEIGHTS
    ]
    return HOUR_WEIGHTS[int(np.argmax(likeliest))]
