"""Properties of segments: the answer is constant until `next_change`, and differs there."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.domain.context import Context
from functions.domain.profiles import Profile, Tally
from functions.domain.segments import Tree, compile_next_change, compile_predicate, next_change
from tests.domain.segment_strategies import DAY, HOUR, NOW, moments_in_life, trees
from tests.domain.segments_plainly import plain

MICROSECOND = dt.timedelta(microseconds=1)
Life = tuple[dt.datetime, Profile, Context]


@pytest.mark.parametrize(
    ("sign", "limit", "days"),
    [
        *((sign, 30, 30) for sign in ("<", ">=", "==", "!=")),
        *((sign, 30, 31) for sign in ("<=", ">")),
        *((sign, 30.5, 31) for sign in ("<", ">=", "<=", ">")),
        *((sign, 30.5, None) for sign in ("==", "!=")),
        *((sign, 5, None) for sign in ("<", ">=", "<=", ">", "==", "!=")),
        *((sign, 10, 11) for sign in ("<=", ">", "==", "!=")),
        *((sign, 10, None) for sign in ("<", ">=")),
        *((sign, 10**9, None) for sign in ("<", ">=", "==")),
    ],
)
def test_an_age_of_ten_days_changes_the_answer_when_it_comes_to_the_limit(
    sign: str, limit: float, days: int | None
) -> None:
    since = NOW - 10 * DAY
    profile = Profile(tallies={"orders": Tally(1, since, since)})
    tree = ["cmp", sign, ["days_since", ["last_at", "orders"]], ["const", limit]]
    assert next_change(tree, profile, NOW) == (None if days is None else since + days * DAY)


def test_a_leaf_that_cannot_turn_the_whole_is_passed_over() -> None:
    since = NOW - 10 * DAY
    profile = Profile(tallies={"orders": Tally(1, since, since)})
    over = [["cmp", ">", ["days_since", ["last_at", "orders"]], ["const", limit]] for limit in (20, 30)]
    assert next_change(["and", *over], profile, NOW) == since + 31 * DAY
    assert next_change(["or", *over], profile, NOW) == since + 21 * DAY
    assert next_change(["and", *over, ["tagged", "fan"]], profile, NOW) is None


@settings(max_examples=400)
@given(trees, moments_in_life(), st.integers(0, 10_000))
def test_the_answer_is_constant_until_next_change_and_differs_there(
    tree: Tree, life: Life, seed: int
) -> None:
    now, profile, context = life
    holds = compile_predicate(tree, context)
    before, at = holds(profile, now), next_change(tree, profile, now, context)
    end = at or now + 800 * DAY
    span = min(end - now, 800 * DAY)
    steps = [now + span * ((seed + 7919 * number) % 10_000) / 10_000 for number in range(150)]
    hourly = [now + hours * HOUR for hours in range(0, int(span / HOUR), 11)]
    assert all(holds(profile, moment) == before for moment in (*steps, *hourly) if moment < end)
    if at:
        assert at > now
        assert holds(profile, at) != before
        assert holds(profile, at - MICROSECOND) == before


@given(trees, moments_in_life())
def test_walking_from_change_to_change_goes_ahead(tree: Tree, life: Life) -> None:
    now, profile, context = life
    change, holds = compile_next_change(tree, context), compile_predicate(tree, context)
    for _ in range(30):
        at = change(profile, now)
        if at is None:
            return
        assert at > now
        assert holds(profile, at) is not holds(profile, now)
        now = at


@given(trees, moments_in_life())
def test_not_turns_every_answer_round(tree: Tree, life: Life) -> None:
    now, profile, context = life
    assert compile_predicate(["not", tree], context)(profile, now) is not compile_predicate(tree, context)(
        profile, now
    )


@given(trees, moments_in_life())
def test_the_fast_predicate_agrees_with_the_plain_reading(tree: Tree, life: Life) -> None:
    now, profile, context = life
    assert compile_predicate(tree, context)(profile, now) is plain(tree, profile, now, context)


@pytest.mark.parametrize(
    "now", [dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)]
)
@given(tree=trees, life=moments_in_life())
def test_the_ends_of_the_calendar_are_no_error(now: dt.datetime, tree: Tree, life: Life) -> None:
    _, profile, context = life
    compile_predicate(tree, context)(profile, now)
    at = next_change(tree, profile, now, context)
    assert at is None or at > now
