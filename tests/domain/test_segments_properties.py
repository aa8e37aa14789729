"""Properties of segments: the answer is constant until `next_change`, and differs there."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.domain.instants import whole_days
from functions.domain.profiles import Profile, Register, Tally
from functions.domain.segments import Tree, compile_next_change, compile_predicate, next_change

NOW = dt.datetime(2026, 11, 20, 3, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
SIGNS = ["==", "!=", "<", "<=", ">", ">="]
ALIASES = ["orders", "carts"]
ATTRIBUTES = ["rank", "age", "due"]

instants = st.integers(-120 * 24 * 60, 3 * 24 * 60).map(lambda minutes: NOW + dt.timedelta(minutes=minutes))
numbers = st.one_of(st.integers(-5, 150), st.sampled_from([0.5, 29.5, -1.25, 10**9, 1e14]))
scalars = st.one_of(numbers, st.booleans(), st.sampled_from(["gold", "silver"]))
moments = st.one_of(
    st.tuples(st.sampled_from(["first_at", "last_at"]), st.sampled_from(ALIASES)).map(list),
    st.just(["instant", ["attribute", "due"]]),
)
timeless = st.one_of(
    scalars.map(lambda value: ["const", value]),
    st.sampled_from(ALIASES).map(lambda alias: ["count", alias]),
    st.sampled_from(ALIASES).map(lambda alias: ["sum", alias, "amount"]),
    st.sampled_from(ATTRIBUTES).map(lambda name: ["attribute", name]),
)
ages = moments.map(lambda moment: ["days_since", moment])
limits = st.one_of(numbers.map(lambda number: ["const", number]), timeless)
leaves = st.one_of(
    st.tuples(st.just("cmp"), st.sampled_from(SIGNS), ages, limits).map(list),
    st.tuples(st.just("cmp"), st.sampled_from(SIGNS), limits, ages).map(list),
    st.tuples(st.just("cmp"), st.sampled_from(SIGNS), timeless, timeless).map(list),
    st.tuples(st.just("cmp"), st.sampled_from(SIGNS), moments, moments).map(list),
    st.just(["tagged", "fan"]),
    st.booleans().map(lambda value: ["const", value]),
)
trees: st.SearchStrategy[Tree] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(lambda tree: ["not", tree]),
        st.lists(inner, min_size=2, max_size=4).map(lambda parts: ["and", *parts]),
        st.lists(inner, min_size=2, max_size=4).map(lambda parts: ["or", *parts]),
    ),
    max_leaves=8,
)


@st.composite
def tallies(draw: st.DrawFn) -> Tally:
    one, other = draw(instants), draw(instants)
    sums = draw(st.dictionaries(st.just("amount"), st.integers(0, 150_000_000)))
    return Tally(draw(st.integers(1, 5)), min(one, other), max(one, other), sums)


def registers(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Register]:
    return values.map(lambda value: Register(value, NOW, "e"))


dues = st.one_of(instants.map(dt.datetime.isoformat), st.just("never"), st.integers())
profiles = st.builds(
    Profile,
    attributes=st.fixed_dictionaries(
        {}, optional={"rank": registers(scalars), "age": registers(numbers), "due": registers(dues)}
    ),
    tags=st.dictionaries(st.just("fan"), registers(st.booleans())),
    tallies=st.dictionaries(st.sampled_from(ALIASES), tallies()),
)


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


@settings(max_examples=300)
@given(trees, profiles, st.integers(0, 10_000))
def test_the_answer_is_constant_until_next_change_and_differs_there(
    tree: Tree, profile: Profile, seed: int
) -> None:
    holds = compile_predicate(tree)
    before, at = holds(profile, NOW), next_change(tree, profile, NOW)
    end = at or NOW + 400 * DAY
    span = min(end - NOW, 400 * DAY)
    steps = [NOW + span * ((seed + 7919 * number) % 10_000) / 10_000 for number in range(200)]
    hourly = [NOW + dt.timedelta(hours=hours) for hours in range(0, int(span / dt.timedelta(hours=1)), 7)]
    assert all(holds(profile, moment) == before for moment in (*steps, *hourly) if moment < end)
    if at:
        assert at > NOW
        assert holds(profile, at) != before
        assert holds(profile, at - dt.timedelta(microseconds=1)) == before


@given(trees, profiles)
def test_walking_from_change_to_change_comes_to_an_end(tree: Tree, profile: Profile) -> None:
    change, now, steps = compile_next_change(tree), NOW, 0
    while (at := change(profile, now)) is not None:
        now, steps = at, steps + 1
        assert steps <= 64


@given(trees, profiles)
def test_not_turns_every_answer_round(tree: Tree, profile: Profile) -> None:
    assert compile_predicate(["not", tree])(profile, NOW) is not compile_predicate(tree)(profile, NOW)


def plain(tree: Tree, profile: Profile, now: dt.datetime) -> bool:
    """The language once more, as slowly and plainly as it can be said."""
    match tree:
        case ["and", *parts]:
            return all(plain(part, profile, now) for part in parts)
        case ["or", *parts]:
            return any(plain(part, profile, now) for part in parts)
        case ["not", part]:
            return not plain(part, profile, now)
        case ["tagged", tag]:
            return tag in profile.tag_names
        case ["const", bool() as answer]:
            return answer
        case ["cmp", sign, left, right]:
            return compared(sign, value_of(left, profile, now), value_of(right, profile, now))
    raise AssertionError(tree)


def value_of(tree: Tree, profile: Profile, now: dt.datetime) -> Any:
    match tree:
        case ["const", value]:
            return value
        case ["attribute", name]:
            return profile.attribute(name)
        case ["instant", inner]:
            try:
                return dt.datetime.fromisoformat(value_of(inner, profile, now))
            except (TypeError, ValueError):
                return None
        case ["days_since", inner]:
            since = value_of(inner, profile, now)
            return None if since is None else whole_days(since, now)
    return value_of_tally(tree, profile.tallies.get(tree[1]))


def value_of_tally(tree: Tree, tally: Tally | None) -> Any:
    if tally is None:
        return 0 if tree[0] == "count" else None
    return tally.sum_of(tree[2]) if tree[0] == "sum" else getattr(tally, tree[0])


def compared(sign: str, left: Any, right: Any) -> bool:
    kinds = {bool: "boolean", int: "number", float: "number", str: "text", dt.datetime: "time"}
    if left is None or right is None or kinds[type(left)] != kinds[type(right)]:
        return False
    if isinstance(left, bool) and sign not in ("==", "!="):
        return False
    answers: dict[str, Callable[[], bool]] = {
        "==": lambda: left == right,
        "!=": lambda: left != right,
        "<": lambda: left < right,
        "<=": lambda: left <= right,
        ">": lambda: left > right,
        ">=": lambda: left >= right,
    }
    return answers[sign]()


@given(trees, profiles)
def test_the_fast_predicate_agrees_with_the_plain_reading(tree: Tree, profile: Profile) -> None:
    assert compile_predicate(tree)(profile, NOW) is plain(tree, profile, NOW)
