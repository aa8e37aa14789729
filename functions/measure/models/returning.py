"""Whether somebody who has ordered once will order again: how many did, week by week since their first order.

Kaplan and Meier's estimate of waiting for a second order: those who have not waited long yet count as long as they have.
"""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
WEEKS = 104
AT_RISK_MIN = 50
"""A week that fewer people have waited through says nothing by itself: from there on hazards fall off as below."""
TAIL_WEEKS = 13
TAIL_HALF_WEEKS = 26.0
"""Beyond what has been seen: the mean hazard of the last weeks seen, halved every half year."""


class Returning(msgspec.Struct, frozen=True):
    """`hazards[w]`: of those who have not ordered again in w whole weeks, the part that does in the next one."""

    hazards: list[float]


def hazards_of(waited_weeks: Any, returned: Any) -> list[float]:
    """From how many whole weeks each one-time buyer waited (until the second order, or until now), and whether they did
    return. Two years long."""
    waited, returned = np.minimum(np.asarray(waited_weeks, int), WEEKS), np.asarray(returned, bool)
    came = np.bincount(waited[returned], minlength=WEEKS + 1)[:WEEKS]
    gone = np.bincount(waited, minlength=WEEKS + 1)
    at_risk = waited.size - np.concatenate([[0], gone.cumsum()])[:WEEKS]
    # Those who are still waiting in a week have seen half of it.
    still = gone[:WEEKS] - came
    exposed = at_risk - still / 2
    seen = int(np.argmax(at_risk < AT_RISK_MIN)) if (at_risk < AT_RISK_MIN).any() else WEEKS
    hazards = np.divide(came, exposed, out=np.zeros(WEEKS), where=exposed > 0)
    last = slice(max(0, seen - TAIL_WEEKS), seen)
    tail = float(came[last].sum() / exposed[last].sum()) if exposed[last].sum() > 0 else 0.0
    later = np.arange(WEEKS - seen)
    hazards[seen:] = tail * 0.5 ** (later / TAIL_HALF_WEEKS)
    return [float(one) for one in hazards]


def p_returns(model: Returning, weeks: Any, ahead: float | None = None) -> Array:
    """The probability of a second order within so many weeks from now (None: ever, as far as two years tell), having
    waited `weeks`."""
    survival = np.concatenate([[1.0], np.cumprod(1 - np.asarray(model.hazards))])
    at = np.arange(survival.size)
    now = np.interp(np.asarray(weeks, float), at, survival)
    later = survival[-1] if ahead is None else np.interp(np.asarray(weeks, float) + ahead, at, survival)
    return np.asarray(1 - later / now)
