"""Days with orders by customer, cut at a day: what models are fitted on before it, and judged by after it."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from functions.measure.models.bgnbd import WEEK_DAYS

Array = NDArray[np.float64]
OrderDays = Sequence[Sequence[dt.date]]
"""Of each customer the days with orders, sorted, each once; nobody without any."""


class History(NamedTuple):
    """Of each customer in weeks: days with orders after the first, from first to last, from first until now; whole weeks
    that they waited for the second (or still wait), and whether it came."""

    x: Array
    recency: Array
    age: Array
    waited: NDArray[np.int_]
    returned: NDArray[np.bool_]


def history_until(days: OrderDays, until: dt.date) -> History:
    """What was known at the end of a day, of those who had ordered by then."""
    known = [[one for one in own if one <= until] for own in days if own[0] <= until]
    return History(
        x=np.array([len(own) - 1.0 for own in known]),
        recency=np.array([(own[-1] - own[0]).days / WEEK_DAYS for own in known]),
        age=np.array([(until - own[0]).days / WEEK_DAYS for own in known]),
        waited=np.array([((own[1] if len(own) > 1 else until) - own[0]).days // 7 for own in known], int),
        returned=np.array([len(own) > 1 for own in known], bool),
    )


def orders_after(days: OrderDays, until: dt.date, ahead_days: int) -> Any:
    """Days with orders within so many days after `until`, of those who had ordered by then."""
    end = until + dt.timedelta(days=ahead_days)
    return np.array([sum(until < one <= end for one in own) for own in days if own[0] <= until], float)
