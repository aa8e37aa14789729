"""The tests of experiments against SciPy and statsmodels, and what they promise, by simulation."""

import gc
import math
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats import multitest, power, proportion, weightstats

from functions.measure.statistics import fixed, sequential
from functions.measure.statistics.many import holm
from functions.measure.statistics.planning import Needed, needed, needed_for_rate, with_days
from functions.measure.statistics.ratio import sample_ratio
from functions.measure.statistics.samples import Sample, yes_or_no
from functions.measure.statistics.verdicts import compared, too_small
from tests.measure import aa

counts = st.integers(2, 5_000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


def sample_of(values: np.ndarray) -> Sample:
    return Sample(len(values), float(values.sum()), float((values**2).sum()))


def spent(seed: int, people: int, scale: float) -> np.ndarray:
    dice = np.random.default_rng(seed)
    return dice.lognormal(0, 1, people) * scale * (dice.random(people) < 0.4)


@given(counts, counts)
def test_two_proportions_are_tested_as_statsmodels_does(one: tuple[int, int], other: tuple[int, int]) -> None:
    found = fixed.proportions(yes_or_no(*one), yes_or_no(*other))
    if 0 < one[1] + other[1] < one[0] + other[0]:
        p = proportion.proportions_ztest([one[1], other[1]], [one[0], other[0]])[1]
        assert found.p == pytest.approx(p, abs=1e-9)
    low, high = proportion.confint_proportions_2indep(one[1], one[0], other[1], other[0], method="newcomb")
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


def test_nobody_or_everybody_in_both_groups_is_no_difference() -> None:
    assert fixed.proportions(yes_or_no(50, 0), yes_or_no(80, 0)).p == 1.0
    assert fixed.proportions(yes_or_no(50, 50), yes_or_no(80, 80)).p == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_two_means_are_tested_as_statsmodels_and_scipy_do(seed: int) -> None:
    one, other = spent(seed, 300, 1.2), spent(seed + 100, 170, 1.0)
    found = fixed.means(sample_of(one), sample_of(other))
    compare = weightstats.CompareMeans(weightstats.DescrStatsW(one), weightstats.DescrStatsW(other))
    assert (found.low, found.high) == pytest.approx(compare.tconfint_diff(usevar="unequal"))
    assert found.p == pytest.approx(stats.ttest_ind(one, other, equal_var=False).pvalue)


def test_means_without_any_variance_are_equal_or_not() -> None:
    assert fixed.means(Sample(5, 5.0, 5.0), Sample(4, 4.0, 4.0)).p == 1.0
    assert fixed.means(Sample(5, 10.0, 20.0), Sample(4, 4.0, 4.0)).p == 0.0


def test_a_samples_variance_is_numpys() -> None:
    values = spent(3, 500, 3_000)
    assert sample_of(values).variance == pytest.approx(np.var(values, ddof=1))
    assert Sample(1, 2.0, 4.0).variance == 0.0


def holm_of_statsmodels(ps: list[float]) -> list[float]:
    # It tidies up all of the process's memory at each call, which in a process of tests takes a tenth of a second.
    with mock.patch.object(gc, "collect"):
        return list(multitest.multipletests(ps, method="holm")[1])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holms_adjustment_is_that_of_statsmodels(ps: list[float]) -> None:
    assert holm(ps) == pytest.approx(holm_of_statsmodels(ps))


def test_the_likelihood_ratio_is_the_normal_mixture_integrated() -> None:
    """exp(δz - δ²/2) with δ spread normally around 0, by quadrature."""
    for z, size in [(0.3, 50.0), (2.5, 800.0), (4.0, 20_000.0)]:
        ratio = sequential.mixture(0.05) * size / sequential.TUNED_FOR
        grid = np.linspace(-60, 60, 240_001) * max(1.0, math.sqrt(ratio) / 5)
        density = stats.norm.pdf(grid, scale=math.sqrt(ratio))
        integral = np.trapezoid(np.exp(grid * z - grid**2 / 2) * density, grid)
        assert float(sequential.p_value(z, size)) == pytest.approx(min(1.0, 1 / integral), rel=1e-6)


@given(st.floats(-10, 10), st.floats(10, 1e6), st.sampled_from([0.05, 0.01, 0.0125]))
def test_an_interval_leaves_out_zero_exactly_where_p_is_below_its_level(
    z: float, size: float, level: float
) -> None:
    reach = float(sequential.boundary(size, level))
    if abs(abs(z) - reach) > 1e-9:
        assert (abs(z) > reach) == (float(sequential.p_value(z, size)) < level)


def test_the_boundary_is_lowest_relative_to_others_where_it_is_tuned_for() -> None:
    """At TUNED_FOR no other mixture has a lower boundary at alpha."""
    best = float(sequential.boundary(sequential.TUNED_FOR, 0.05))
    other = [
        math.sqrt((1 + 1 / weight) * (math.log1p(weight) - 2 * math.log(0.05)))
        for weight in sequential.mixture(0.05) * np.array([0.5, 0.9, 1.1, 2.0])
    ]
    assert best < min(other)
    assert best == pytest.approx(3.035, abs=0.001)


def test_an_always_valid_interval_is_wider_than_that_of_one_look() -> None:
    one, other = yes_or_no(2_000, 260), yes_or_no(2_000, 200)
    always, once = sequential.proportions(one, other), fixed.proportions(one, other)
    assert always.low < once.low < once.high < always.high
    assert always.p > once.p


def test_the_vectorised_variance_is_that_of_every_single_experiment() -> None:
    one, other = spent(1, 800, 1.0), spent(2, 90, 1.0)
    found = sequential.means(sample_of(one), sample_of(other))
    welch = one.var(ddof=1) / 800 + other.var(ddof=1) / 90
    around = one.var() * 800 + other.var() * 90
    error = math.sqrt(max(welch, around / 888 * (1 / 800 + 1 / 90)))
    reach = error * float(sequential.boundary(800 * 90 / 890, 0.05))
    assert found.high - found.difference == pytest.approx(reach)


def test_the_sample_ratios_chi_square_is_scipys_and_its_own_p_waits_for_more() -> None:
    found = sample_ratio([5_300, 4_700], [50, 50])
    assert found.p == pytest.approx(stats.chisquare([5_300, 4_700]).pvalue)
    assert found.p < found.always_p < 0.01
    assert found.mismatch
    assert not sample_ratio([1_040, 960], [50, 50]).mismatch
    assert sample_ratio([0, 0], [1, 1]).always_p == 1.0
    assert not sample_ratio([950, 50], [95, 5]).mismatch


def test_people_needed_for_one_look_are_those_of_statsmodels() -> None:
    found = needed(deviation=5_000, difference=400)
    reference = power.NormalIndPower().solve_power(effect_size=400 / 5_000, alpha=0.05, power=0.8)
    assert found.once == math.ceil(reference)
    holdout = needed(deviation=5_000, difference=400, share=1 / 19)
    reference = power.NormalIndPower().solve_power(effect_size=0.08, alpha=0.05, power=0.8, ratio=19)
    assert holdout.once == math.ceil(reference)
    rate = needed_for_rate(0.30, 0.2)
    reference = proportion.samplesize_proportions_2indep_onetail(0.06, 0.30, 0.8, ratio=1, alpha=0.05)
    assert rate.once == pytest.approx(reference, rel=0.01)


def test_the_daily_figure_is_enough_in_a_simulation() -> None:
    """With the people that daily looks need, a real effect is found with 80 % at least."""
    found = needed_for_rate(0.05, 0.3)
    world = aa.World("", found.daily * 2 / 40, 0.5, 0.05, lift=1.3, days=40)
    assert aa.lived(world, 1_000).alarms.mean() >= 0.8
    half = world._replace(people_a_day=world.people_a_day / 3)
    assert aa.lived(half, 1_000).alarms.mean() < 0.8


def test_the_playbooks_guide_says_how_many_people_daily_looks_need() -> None:
    said = " | ".join(f"{needed_for_rate(percent / 100, 0.2).daily:,}" for percent in (1, 3, 5, 10, 30))
    assert said in (Path(__file__).parents[2] / "docs" / "playbooks.md").read_text(encoding="utf-8")


def test_days_are_whole_weeks_until_the_smallest_arm_has_its_people_and_they_could_act() -> None:
    assert with_days(Needed(100, 1_000), people_a_day=100, share_of_arm=0.5, window_days=7).days == 28
    assert with_days(Needed(100, 100), people_a_day=10_000, share_of_arm=0.5, window_days=0).days == 7
    assert with_days(Needed(100, 100), people_a_day=0, share_of_arm=0.5, window_days=0).days is None


def test_too_few_people_or_actions_get_no_interval() -> None:
    lacks = too_small(yes_or_no(99, 30), yes_or_no(400, 3), 3)
    assert [(lack.code, lack.have) for lack in lacks] == [("people", 99), ("conversions", 3)]
    found = compared(yes_or_no(99, 30), yes_or_no(400, 3), 0.05, is_rate=True, acted=3)
    assert found.low is found.p is None
    assert not found.is_sure
    assert "99" in lacks[0].in_words()
    assert "99人" in lacks[0].in_words("ja")


@pytest.mark.parametrize("world", aa.WORLDS, ids=lambda world: world.name)
def test_daily_peeking_raises_at_most_five_percent_false_alarms_and_intervals_cover(world: aa.World) -> None:
    looks = aa.lived(world, 400, seed=7)
    assert looks.alarms.mean() <= 0.05
    assert looks.misses.mean() <= 0.05
    assert looks.looks > 25


@pytest.mark.parametrize("world", aa.REAL, ids=lambda world: world.name)
def test_a_real_effect_is_found_and_its_interval_covers_it(world: aa.World) -> None:
    looks = aa.lived(world, 400, seed=7)
    assert looks.alarms.mean() >= 0.9
    assert looks.misses.mean() <= 0.05


def test_the_simulation_would_notice_a_test_that_does_not_bear_peeking() -> None:
    assert aa.naive_alarms(aa.WORLDS[1], 400) > 0.15


def test_an_arm_that_loses_people_is_noticed_and_a_sound_one_is_left_alone() -> None:
    assert aa.ratio_alarms(60, 40, 300, share=0.5) <= 0.02
    assert aa.ratio_alarms(60, 40, 300, share=0.47) >= 0.9
