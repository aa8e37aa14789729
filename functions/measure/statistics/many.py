"""Several comparisons at once: keeping the chance of any false alarm at alpha."""

from collections.abc import Sequence

import numpy as np


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment (1979): below alpha, with probability 1 - alpha at least, only where there is something.

    SciPy has Benjamini and Hochberg's alone, which bounds another error. Always-valid p stay so: Holm holds for any ps.
    """
    order = np.argsort(ps)
    steps = (len(ps) - np.arange(len(ps))) * np.asarray(ps, float)[order]
    adjusted = np.empty(len(ps))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(one) for one in adjusted]
