"""Fitting the models on an account's own orders: on the snapshot of a day, and what is looked at for daily scores."""

import datetime as dt
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from functions.measure.models.fitted import Fitted
from functions.measure.scores import GAPS, TOUCHES, open_views
from functions.measure.views import Views
from ops.models.fitting import fit_bgnbd, fit_hour_weight, fit_interval_weight, fit_returning
from ops.models.history import OrderDays, history_until

CUSTOMERS_MIN = 200
"""Fewer customers tell a model nothing: there is none then, and scores are ranks alone."""

_INTERVALS = f"""
WITH gaps AS (SELECT customer_id, what, ln(gap) AS log_gap FROM ({GAPS}) WHERE gap IS NOT NULL),
own AS (SELECT what, customer_id, avg(log_gap) AS mean FROM gaps GROUP BY ALL),
usual AS (SELECT what, avg(mean) AS mean FROM own GROUP BY what)
SELECT dense_rank() OVER (ORDER BY customer_id, what) AS person, log_gap - usual.mean AS apart
FROM gaps JOIN usual USING (what)
"""  # noqa: S608 — our own words
_HOURS = f"SELECT customer_id, list(hour ORDER BY happened, hour) AS hours FROM ({TOUCHES}) GROUP BY ALL HAVING count(*) > 1"  # noqa: S608


def fitted_on(workspace: Views, day: dt.date, zone: str) -> Fitted:
    """The model of a day: of its snapshot of customers, and of the orders and touches that scores look back on."""
    open_views(workspace, day, zone)
    connection = workspace.connection
    days: OrderDays = [
        sorted(own)
        for (own,) in connection.execute(
            "SELECT days FROM customers WHERE orders > 0 AND len(days) > 0"
        ).fetchall()
    ]
    gaps = connection.execute(_INTERVALS).fetchnumpy()
    hours = [own for _, own in connection.execute(_HOURS).fetchall()]
    interval_weight = fit_interval_weight(gaps["person"], gaps["apart"])
    hour_weight = fit_hour_weight(
        np.array([spread(own[:-1]) for own in hours]).reshape(-1, 24),
        np.array([own[-1] for own in hours], int),
    )
    known = history_until(days, day)
    if known.x.size < CUSTOMERS_MIN or not known.x.any():
        return Fitted(day, known.x.size, interval_weight=interval_weight, hour_weight=hour_weight)
    model = fit_bgnbd(known.x, known.recency, known.age)
    return Fitted(day, known.x.size, model, fit_returning(known), interval_weight, hour_weight)


def spread(hours: Sequence[int]) -> NDArray[np.float64]:
    """Touches by hour, each half in its own and a quarter in either neighbour."""
    counts = np.bincount(hours, minlength=24).astype(float)
    return np.asarray(0.5 * counts + 0.25 * np.roll(counts, 1) + 0.25 * np.roll(counts, -1))
