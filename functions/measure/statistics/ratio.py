"""Sample ratio: whether the arms have as many people as their weights say. Where not, no result is to be believed."""

from collections.abc import Sequence

import msgspec
import numpy as np
from scipy import stats

ALARM = 0.01
"""An always-valid p below this is a mismatch: one in a hundred experiments, over its whole life, is suspected wrongly."""
CONCENTRATION = 1_000.0
"""How near the weights the alternatives lie: shares off by some percent are found soonest."""


class SampleRatio(msgspec.Struct, frozen=True):
    """`p`: of the chi-square test, for one look; `always_p`: valid whenever one looks."""

    p: float
    always_p: float

    @property
    def mismatch(self) -> bool:
        """Whether people are missing from an arm, as far as may be said while looking daily."""
        return self.always_p < ALARM


def sample_ratio(people: Sequence[int], weights: Sequence[float]) -> SampleRatio:
    """People by arm against the arms' weights, all > 0. Nobody at all is no mismatch.

    The always-valid p is one over the Bayes factor of a Dirichlet-multinomial against the weights (Lindon and Malek,
    Anytime-Valid Inference for Multinomial Count Data, NeurIPS 2022).
    """
    everyone = sum(people)
    if not everyone:
        return SampleRatio(1.0, 1.0)
    shares = np.asarray(weights, float) / sum(weights)
    p = stats.chisquare(people, shares * everyone).pvalue
    alternatives = stats.dirichlet_multinomial.logpmf(people, CONCENTRATION * shares, np.array(everyone))
    log_factor = float(alternatives - stats.multinomial.logpmf(people, everyone, shares))
    return SampleRatio(float(p), float(np.exp(-max(0.0, log_factor))))
