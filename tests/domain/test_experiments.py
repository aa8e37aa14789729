"""Experiments and holdouts: stable buckets, right proportions, and no ties between one name and another."""

import hashlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain import playbook as pb
from functions.domain.experiments import BUCKETS, bucket, is_held_out, variant_at, variant_of
from tests.domain.strategies import compiled, scenario, send

PEOPLE = [f"c{number}" for number in range(20_000)]
SPLIT = pb.Split("day14", [("coupon", 1), ("shipping", 2)])
HALVES = pb.Experiment("offer", {"coupon": 50, "shipping": 50})

names = st.text("abcdefgh_", min_size=1, max_size=12)
weights = st.dictionaries(names, st.integers(1, 1000), min_size=2, max_size=6)


def chi_square(counts: Counter[str], expected: dict[str, float]) -> float:
    return sum((counts[name] - number) ** 2 / number for name, number in expected.items())


def test_a_bucket_is_what_its_formula_says() -> None:
    digest = hashlib.sha256(b"day14\x1fc1").digest()
    assert bucket("day14", "c1") == int.from_bytes(digest[:8], "big") % 10_000


@given(weights, st.integers(0, BUCKETS - 1))
def test_every_bucket_has_one_variant_whatever_the_order_in_which_they_are_written(
    variants: dict[str, int], number: int
) -> None:
    found = variant_at(variants, number)
    assert found in variants
    assert variant_at(dict(reversed(variants.items())), number) == found


@given(weights)
def test_the_buckets_are_parted_by_weight_to_one_bucket(variants: dict[str, int]) -> None:
    counts = Counter(variant_at(variants, number) for number in range(BUCKETS))
    for name, weight in variants.items():
        assert abs(counts[name] - BUCKETS * weight / sum(variants.values())) <= 1


@pytest.mark.parametrize("name", ["day14", "subject", "frequency"])
def test_people_fall_into_the_variants_by_weight(name: str) -> None:
    variants = {"a": 50, "b": 30, "c": 20}
    counts = Counter(variant_at(variants, bucket(name, unit)) for unit in PEOPLE)
    expected = {one: len(PEOPLE) * weight / 100 for one, weight in variants.items()}
    assert chi_square(counts, expected) < 13.8  # 0.1 % of fair draws are further off


def test_one_experiment_says_nothing_about_another() -> None:
    halves = {"a": 1, "b": 1}
    both = Counter(
        variant_at(halves, bucket("one", unit)) + variant_at(halves, bucket("two", unit)) for unit in PEOPLE
    )
    quarter = len(PEOPLE) / 4
    assert chi_square(both, dict.fromkeys(("aa", "ab", "ba", "bb"), quarter)) < 16.3


def test_a_holdout_says_nothing_about_an_experiment() -> None:
    playbook = compiled(holdout=pb.Holdout(50, ["promotion"])).playbook
    inside = [unit for unit in PEOPLE if is_held_out(playbook, "cart", "promotion", unit)]
    counts = Counter(variant_of(SPLIT, HALVES, {}, unit) for unit in inside)
    assert chi_square(counts, dict.fromkeys(("coupon", "shipping"), len(inside) / 2)) < 10.8


def test_a_scenarios_holdout_says_nothing_about_an_experiment_of_the_same_name() -> None:
    playbook = book(own=50)
    split = pb.Split("cart", SPLIT.arms)
    inside = [unit for unit in PEOPLE if is_held_out(playbook, "cart", "promotion", unit)]
    counts = Counter(variant_of(split, HALVES, {}, unit) for unit in inside)
    assert chi_square(counts, dict.fromkeys(("coupon", "shipping"), len(inside) / 2)) < 10.8


@given(st.integers(1, 1000), names)
def test_changed_weights_move_nobody_who_was_exposed(weight: int, unit: str) -> None:
    first = variant_of(SPLIT, HALVES, {}, unit)
    changed = pb.Experiment("offer", {"coupon": weight, "shipping": 1})
    assert variant_of(SPLIT, changed, {"day14": first}, unit) == first


def test_who_was_in_a_variant_that_is_gone_is_assigned_anew() -> None:
    assert variant_of(SPLIT, HALVES, {"day14": "gone"}, "c1") == variant_of(SPLIT, HALVES, {}, "c1")


# ---- holdouts


def held(playbook: pb.Playbook, kind: pb.Kind = "promotion", source: str = "cart") -> set[str]:
    return {unit for unit in PEOPLE[:4000] if is_held_out(playbook, source, kind, unit)}


def book(percent: float = 0.0, *, own: float = 0.0, kinds: list[pb.Kind] | None = None) -> pb.Playbook:
    return compiled(
        holdout=pb.Holdout(percent, kinds or ["promotion"]) if percent else None,
        scenarios={
            "cart": scenario(send(), holdout_percent=own),
            "other": scenario(send(), holdout_percent=own),
        },
        campaigns={"weekly": pb.Campaign("all", "promotion", 1, 60, "crm", holdout_percent=own)},
    ).playbook


def test_nobody_is_held_out_unless_it_is_said() -> None:
    assert held(book()) == set()


def test_the_accounts_holdout_is_the_same_people_for_every_source_and_only_for_its_kinds() -> None:
    out = held(book(10))
    assert 320 < len(out) < 480
    assert held(book(10), source="other") == held(book(10), source="weekly") == out
    assert held(book(10), "notification") == set()


def test_a_higher_percentage_holds_out_the_same_people_and_more() -> None:
    assert held(book(5)) < held(book(20))


def test_each_scenario_and_campaign_holds_out_people_of_its_own() -> None:
    groups = [held(book(own=10), source=source) for source in ("cart", "other", "weekly")]
    assert all(320 < len(group) < 480 for group in groups)
    assert len(groups[0] & groups[1]) < 80


def test_support_is_held_out_only_where_the_account_lists_it() -> None:
    assert held(book(own=50), "support") == set()
    assert len(held(book(0.01, own=50, kinds=["support"]), "support")) > 1600
