"""What an experiment needs, said before it begins."""

import pytest

from functions.domain import playbook as pb
from functions.measure.statistics.planning import needed_for_rate
from ops.plan.trials import RATE, RISE, sought, trials
from tests.domain.strategies import compiled, scenario, send

SPLIT = pb.Split("perk", [("sample", 1), ("shipping", 1)])
MEASURE = pb.Measure(order="purchase", goals={"purchase": pb.Goal("purchase", 14 * 86_400)})


def book(variants: dict[str, int], *, on: bool = True) -> pb.Playbook:
    care = pb.Scenario(
        pb.Entry("purchase", 86_400), [SPLIT, send("hello")], 1, "buy", "12% → 15%", "crm", on=on
    )
    return compiled(
        scenarios={"care": care, "plain": scenario(send("hello"))},
        experiments={"perk": pb.Experiment("offer", variants)},
        measure=MEASURE,
    ).playbook


def test_a_target_says_what_is_to_be_found() -> None:
    assert sought("クロスセル率 12% → 15%") == pytest.approx((0.12, 0.25))
    assert sought("30％ -> 24%") == pytest.approx((0.3, -0.2))
    for nothing in ("all", "12% → 12%", "0% → 3%"):
        assert sought(nothing) == (RATE, RISE)


def test_people_and_whole_weeks_follow_from_the_target_and_the_pace() -> None:
    (found,) = trials(book({"sample": 50, "shipping": 50}), {"care": 2_800, "plain": 99}, 28)
    assert found.people == needed_for_rate(0.12, 0.25).daily
    assert found.days is not None
    assert found.days % 7 == 0
    assert found.days * 50 >= found.people + 14 * 50 > (found.days - 7) * 50
    (uneven,) = trials(book({"sample": 90, "shipping": 10}), {"care": 2_800}, 28)
    assert uneven.days is not None
    assert uneven.days > found.days


def test_more_arms_need_more_and_where_nobody_comes_no_days_are_said() -> None:
    (two,) = trials(book({"sample": 1, "shipping": 1}), {}, 28)
    (three,) = trials(book({"sample": 1, "shipping": 1, "both": 1}), {}, 28)
    assert three.people > two.people
    assert two.days is None


def test_a_scenario_that_is_off_is_nobodys_experiment() -> None:
    assert list(trials(book({"sample": 1, "shipping": 1}, on=False), {"care": 100}, 28)) == []
