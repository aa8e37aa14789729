"""How good the models are on real purchases that they have not seen: fitted on the days before a cut, judged after it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray
from scipy import stats

from functions.measure.models.bgnbd import WEEK_DAYS, BgNbd, expected_orders, p_alive
from functions.measure.models.returning import p_returns
from functions.measure.scores import GAPS
from ops.models.datasets import Shop
from ops.models.fit import spread
from ops.models.fitting import fit_bgnbd, fit_hour_weight, fit_interval_weight, fit_returning
from ops.models.history import history_until, orders_after

Array = NDArray[np.float64]
GROUPS = 5
LOG_GAPS = f"SELECT customer_id, what, day, ln(gap) FROM ({GAPS}) WHERE gap IS NOT NULL ORDER BY day"  # noqa: S608


class Group(NamedTuple):
    """People with similar predictions: how many, the mean that was predicted, and the mean that came."""

    people: int
    predicted: float
    came: float


class Judged(NamedTuple):
    """A data set's figures. AUC: how often somebody who ordered again was ranked before somebody who did not."""

    shop: str
    customers: int
    once: float
    ahead_days: int
    model: BgNbd
    auc_expected: float
    auc_recency: float
    auc_alive: float
    orders: tuple[float, float]
    orders_once: tuple[float, float]
    groups: list[Group]
    returns: list[Group]
    auc_returns: float


class Habits(NamedTuple):
    """`what`, as how many of one's own everybody's count, how many were predicted, and the figure by method."""

    what: str
    weight: float
    cases: int
    figures: dict[str, float]


def auc(score: Any, happened: Any) -> float:
    """The area under the ROC curve (Mann and Whitney's U by all pairs); 0.5 where one side is empty."""
    score, happened = np.asarray(score, float), np.asarray(happened, bool)
    pairs = int(happened.sum()) * int((~happened).sum())
    return float(stats.mannwhitneyu(score[happened], score[~happened]).statistic) / pairs if pairs else 0.5


def grouped(predicted: Any, came: Any, groups: int = GROUPS) -> list[Group]:
    """Calibration: people by rising prediction, in groups as equal as ties allow."""
    predicted, came = np.asarray(predicted, float), np.asarray(came, float)
    edges = np.unique(np.quantile(predicted, np.linspace(0, 1, groups + 1)[1:-1]))
    group = np.searchsorted(edges, predicted, side="left")
    return [
        Group(int(mine.sum()), float(predicted[mine].mean()), float(came[mine].mean()))
        for number in range(edges.size + 1)
        if (mine := group == number).any()
    ]


def judged(shop: Shop, ahead_days: int) -> Judged:
    """Fit on what was known at the cut, and hold it against the days after."""
    known = history_until(shop.days, shop.cut)
    model, returning = fit_bgnbd(known.x, known.recency, known.age), fit_returning(known)
    came = orders_after(shop.days, shop.cut, ahead_days)
    ahead, once = ahead_days / WEEK_DAYS, known.x == 0
    expected = expected_orders(model, known.x, known.recency, known.age, ahead)
    alive = p_alive(model, known.x, known.recency, known.age)
    assert returning is not None
    returns = p_returns(returning, known.age[once], ahead)
    return Judged(
        shop=shop.name,
        customers=known.x.size,
        once=float(once.mean()),
        ahead_days=ahead_days,
        model=model,
        auc_expected=auc(expected, came > 0),
        auc_recency=auc(known.recency - known.age, came > 0),
        auc_alive=auc(alive[~once], came[~once] > 0),
        orders=(float(expected.sum()), float(came.sum())),
        orders_once=(float(expected[once].sum()), float(came[once].sum())),
        groups=grouped(expected, came),
        returns=grouped(returns, came[once] > 0),
        auc_returns=auc(returns, came[once] > 0),
    )


def judged_intervals(database: duckdb.DuckDBPyConnection, cut: dt.date) -> Habits:
    """Of everybody who bought an item again after the cut: by which factor the day was missed, in the middle (1: not at
    all; 1.5: three days for two, or two for three)."""
    rows = database.execute(LOG_GAPS).fetchall()
    own: dict[tuple[str, str], list[float]] = {}
    following: dict[tuple[str, str], float] = {}
    for customer, what, day, gap in rows:
        if day <= cut:
            own.setdefault((customer, what), []).append(gap)
        else:
            following.setdefault((customer, what), gap)
    means = usual_of(own)
    numbered = [(place, gap - means[key[1]]) for place, (key, gaps) in enumerate(own.items()) for gap in gaps]
    weight = fit_interval_weight(*zip(*numbered, strict=True))
    cases = [(own[key], means[key[1]], gap) for key, gap in following.items() if key in own]
    guesses = {
        "item": [mean for _, mean, _ in cases],
        "own": [float(np.mean(gaps)) for gaps, _, _ in cases],
        "both": [(sum(gaps) + weight * mean) / (len(gaps) + weight) for gaps, mean, _ in cases],
    }
    truth = np.array([gap for _, _, gap in cases])
    missed = {
        how: float(np.exp(np.median(np.abs(np.array(guess) - truth)))) for how, guess in guesses.items()
    }
    return Habits("intervals", weight, len(cases), missed)


def usual_of(own: Mapping[tuple[str, str], Sequence[float]]) -> dict[str, float]:
    """By item the mean of everybody's own mean, from the gaps by (customer, item)."""
    by_item: dict[str, list[float]] = {}
    for (_, what), gaps in own.items():
        by_item.setdefault(what, []).append(float(np.mean(gaps)))
    return {what: float(np.mean(means)) for what, means in by_item.items()}


def judged_hours(baskets: Sequence[tuple[str, int]], known: int = 5) -> Habits:
    """Of everybody's next touch after so many: how often it was within an hour of the hour that was named best."""
    touched: dict[str, list[int]] = {}
    for customer, hour in baskets:
        touched.setdefault(customer, []).append(hour)
    people = [hours[: known + 1] for hours in touched.values() if len(hours) > known]
    earlier = np.array([spread(hours[:-1]) for hours in people])
    last = np.array([hours[-1] for hours in people])
    crowd = earlier.sum(axis=0) / earlier.sum()
    weight = fit_hour_weight(earlier[::2], last[::2])
    test, truth = earlier[1::2], last[1::2]
    guesses = {
        "crowd": np.full(truth.size, int(crowd.argmax())),
        "own": test.argmax(axis=1),
        "both": (test + weight * crowd).argmax(axis=1),
    }
    hits = {
        how: float((np.abs((guess - truth + 12) % 24 - 12) <= 1).mean()) for how, guess in guesses.items()
    }
    return Habits("hours", weight, truth.size, hits)
