"""Models of customers against published figures, lifetimes' own formulas, and simulated people."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate

from functions.measure.models.bgnbd import BgNbd, expected_orders, log_likelihood, p_alive
from functions.measure.models.fitted import HOUR_WEIGHT, INTERVAL_WEIGHT, Fitted, decoded, encoded, newest_key
from functions.measure.models.returning import Returning, hazards_of, p_returns
from functions.measure.scores import modelled
from ops.models.datasets import CDNOW_CUT, cdnow
from ops.models.document import section
from ops.models.fit import fitted_on
from ops.models.fitting import fit_bgnbd, fit_hour_weight, fit_interval_weight, fit_returning
from ops.models.history import history_until
from ops.models.judging import auc, grouped
from tests.measure.lake_of_rows import Rows

DOCUMENT = Path(__file__).parents[2] / "docs" / "models.md"
PUBLISHED = BgNbd(0.243, 4.414, 0.793, 2.426)


def test_cdnow_gives_the_published_parameters_to_three_digits() -> None:
    known = history_until(cdnow().days, CDNOW_CUT)
    assert (known.x.size, known.x.sum()) == (2_357, 2_457)
    found = fit_bgnbd(known.x, known.recency, known.age)
    assert [round(one, 3) for one in (found.r, found.alpha, found.a, found.b)] == [0.243, 4.414, 0.793, 2.426]
    assert -log_likelihood(found, known.x, known.recency, known.age).sum() == pytest.approx(9_582.4, abs=0.1)


def test_the_published_customer_is_expected_to_order_1_23_times() -> None:
    """Fader, Hardie and Lee (2005): x = 2, tx = 30.43, T = 38.86, over 39 weeks; their spreadsheet says 1.226."""
    assert expected_orders(PUBLISHED, 2, 30.43, 38.86, 39.0) == pytest.approx(1.226, abs=0.001)


def test_p_alive_is_what_the_definition_integrates_to() -> None:
    """Over rates and probabilities of dying, by quadrature: alive at T, by all that could have happened."""
    x, recency, age = 3.0, 10.0, 25.0
    r, alpha, a, b = PUBLISHED.r, PUBLISHED.alpha, PUBLISHED.a, PUBLISHED.b

    def weighted(rate: float, p: float, alive: bool) -> float:
        prior = rate ** (r - 1) * np.exp(-alpha * rate) * p ** (a - 1) * (1 - p) ** (b - 1)
        seen = (
            (1 - p) ** x * rate**x * np.exp(-rate * age)
            if alive
            else p * (1 - p) ** (x - 1) * rate**x * np.exp(-rate * recency)
        )
        return float(prior * seen)

    parts = [
        integrate.dblquad(
            lambda p, rate, alive=alive: weighted(rate, p, alive), 0, 30, 1e-9, 1 - 1e-9, epsabs=1e-13
        )[0]
        for alive in (True, False)
    ]
    assert p_alive(PUBLISHED, x, recency, age) == pytest.approx(parts[0] / sum(parts), rel=1e-4)


def test_expected_orders_are_those_of_simulated_customers() -> None:
    model = BgNbd(1.2, 6.0, 0.9, 3.0)
    days = simulated(model, 15_000, weeks=80)
    x = np.array([(own <= 40).sum() for own in days])
    last = np.array([own[own <= 40].max(initial=0.0) for own in days])
    came = np.array([((own > 40) & (own <= 60)).sum() for own in days])
    age = np.full(x.size, 40.0)
    found = expected_orders(model, x, last, age, 20.0)
    for group in grouped(found, came):
        assert group.predicted == pytest.approx(group.came, rel=0.15, abs=0.02)
    refitted = fit_bgnbd(x, last, age)
    assert refitted.r / refitted.alpha == pytest.approx(model.r / model.alpha, rel=0.1)


def simulated(model: BgNbd, people: int, weeks: float) -> list[np.ndarray]:
    dice = np.random.default_rng(4)
    rates, ps = dice.gamma(model.r, 1 / model.alpha, people), dice.beta(model.a, model.b, people)
    orders = [
        dice.exponential(1 / max(rate, 1e-9), 200).cumsum()[: dice.geometric(p)]
        for rate, p in zip(rates, ps, strict=True)
    ]
    return [own[own <= weeks] for own in orders]


def test_at_a_of_one_the_formula_has_no_hole() -> None:
    near = [float(expected_orders(BgNbd(0.5, 4.0, a, 2.0), 3, 20, 30, 13.0)) for a in (0.999, 1.0, 1.001)]
    assert near[0] > near[1] > near[2]
    assert near[0] - near[2] < 0.01


def test_one_time_buyers_are_always_alive_to_bg_nbd_and_less_and_less_to_us() -> None:
    ages = np.array([0.0, 4.0, 20.0, 60.0, 103.0])
    assert (p_alive(PUBLISHED, np.zeros(5), np.zeros(5), ages) == 1).all()
    fitted = Fitted(CDNOW_CUT, 100, PUBLISHED, fit_returning(history_until(cdnow().days, CDNOW_CUT)))
    alive, expected = modelled(fitted, np.zeros(5), np.zeros(5), ages)
    assert (np.diff(alive) < 0).all()
    assert (np.diff(expected) < 0).all()
    assert 0 < alive[-1] < alive[0] < 0.6
    repeat, _ = modelled(fitted, [2], [20.0], [30.0])
    assert repeat == p_alive(PUBLISHED, 2, 20.0, 30.0)


def test_without_a_model_there_are_no_scores_of_it() -> None:
    alive, expected = modelled(Fitted(CDNOW_CUT), [0, 3], [0, 9], [10, 12])
    assert np.isnan(alive).all()
    assert np.isnan(expected).all()


def test_hazards_are_the_parts_that_return_of_those_who_still_wait() -> None:
    """400 people: a quarter returns in week 0, a third of the rest in week 1, the others are still waiting after two years."""
    waited, returned = (
        np.repeat([0, 1, 200], [100, 100, 200]),
        np.repeat([True, True, False], [100, 100, 200]),
    )
    found = hazards_of(waited, returned)
    assert found[:3] == pytest.approx([0.25, 1 / 3, 0])
    assert p_returns(Returning(found), [0.0])[0] == pytest.approx(0.5)
    assert p_returns(Returning(found), [1.0], 1.0)[0] == pytest.approx(1 / 3)


def test_beyond_what_has_been_seen_hazards_fall_off() -> None:
    dice = np.random.default_rng(1)
    waited = np.minimum(dice.geometric(0.05, 2_000) - 1, 30)
    found = hazards_of(waited, waited < 30)
    assert found[20] == pytest.approx(0.05, abs=0.02)
    assert found[31] > found[57] > found[103] > 0
    assert found[57] == pytest.approx(found[31] / 2, rel=0.05)


def test_an_intervals_weight_is_the_variance_within_by_that_between() -> None:
    dice = np.random.default_rng(2)
    person = np.repeat(np.arange(3_000), 5)
    gaps = dice.normal(0, 0.4, 3_000)[person] + dice.normal(0, 0.8, person.size)
    assert fit_interval_weight(person, gaps) == pytest.approx(4.0, rel=0.15)
    alike = dice.normal(0, 0.8, person.size)
    assert fit_interval_weight(person, alike) > 30


def test_a_model_is_fitted_on_an_accounts_own_snapshot() -> None:
    """The tenth of CDNOW as an account's customers: the published parameters come out, and the defaults where there are no
    intervals and touches to learn from."""
    shop = cdnow()
    known = [[day for day in own if day <= CDNOW_CUT] for own in shop.days]
    customers = [
        {"customer_id": f"c{number}", "orders": len(own), "days": own, "day": CDNOW_CUT}
        for number, own in enumerate(known)
    ]
    found = fitted_on(Rows({"customers": customers}), CDNOW_CUT, "Asia/Tokyo")
    assert found.bgnbd is not None
    assert round(found.bgnbd.alpha, 3) == 4.414
    assert found.returning is not None
    assert (found.customers, found.interval_weight, found.hour_weight) == (
        2_357,
        INTERVAL_WEIGHT,
        HOUR_WEIGHT,
    )
    few = fitted_on(Rows({"customers": customers[:50]}), CDNOW_CUT, "Asia/Tokyo")
    assert (few.bgnbd, few.customers) == (None, 50)


def test_weights_are_learnt_from_orders_and_touches() -> None:
    dice = np.random.default_rng(5)
    orders = []
    for number in range(400):
        hour, gap = int(dice.integers(0, 12)), 20 + 10 * (number % 4)
        for turn in range(4):
            day = CDNOW_CUT - dt.timedelta(days=turn * gap + number % 7)
            at = dt.datetime.combine(day, dt.time(hour))
            orders.append(
                {"customer_id": f"c{number}", "item": "toner", "day": day, "at": at, "cancelled": False}
            )
    found = fitted_on(Rows({"orders": orders}), CDNOW_CUT, "Asia/Tokyo")
    assert found.interval_weight == 0.1
    assert found.hour_weight == 1.0


def test_an_hours_weight_is_large_where_all_are_alike_and_small_where_nobody_is() -> None:
    dice = np.random.default_rng(3)
    own = dice.integers(7, 21, 400)
    faithful = np.zeros((400, 24))
    faithful[np.arange(400), own] = 6
    assert fit_hour_weight(faithful, own) <= 2
    same = np.stack([np.bincount(dice.integers(7, 21, 6), minlength=24) for _ in range(400)])
    assert fit_hour_weight(same, dice.integers(7, 21, 400)) >= 64


def test_a_fitted_model_reads_back_and_the_newest_by_a_day_is_found() -> None:
    fitted = Fitted(CDNOW_CUT, 10, PUBLISHED, Returning([0.1]), 2.0, 8.0)
    assert decoded(encoded(fitted)) == fitted
    later = Fitted(CDNOW_CUT.replace(year=1998), 10, PUBLISHED)
    keys = [fitted.key, later.key, "models/v1/other"]
    assert newest_key(keys, CDNOW_CUT) == fitted.key
    assert newest_key(keys, later.day) == later.key
    assert newest_key(keys, CDNOW_CUT.replace(day=1)) is None


def test_auc_is_half_for_nothing_and_one_for_all() -> None:
    assert auc([1, 2, 3, 4], [False, False, True, True]) == 1.0
    assert auc([1, 1, 1, 1], [False, True, False, True]) == 0.5
    assert auc([1, 2], [True, True]) == 0.5


def test_the_page_on_models_says_what_the_published_tenth_gives_today() -> None:
    assert section(cdnow()) in DOCUMENT.read_text(encoding="utf-8")
