"""Segments in bulk: the SQL of a tree says what its predicate says, for any profile at any instant."""

import datetime as dt

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.domain.context import EMPTY, Context, Fact
from functions.domain.profiles import Profile, Register, Tally
from functions.domain.segments import Tree, columns_of, compile_predicate, next_change, sql_of
from ops.bulk import answers_in_bulk, profile_table, sizes_in_bulk
from tests.domain.segment_strategies import DAY, NOW, contexts, nows, profiles, trees

MICROSECOND = dt.timedelta(microseconds=1)


@st.composite
def bulks(draw: st.DrawFn) -> tuple[dt.datetime, list[Tree], list[Profile], Context]:
    now = draw(nows)
    return (
        now,
        draw(st.lists(trees, min_size=4, max_size=12)),
        draw(st.lists(profiles(now), min_size=1, max_size=8)),
        draw(contexts(now)),
    )


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(bulks())
def test_the_sql_says_what_the_predicate_says_now_and_when_time_changes_it(
    drawn: tuple[dt.datetime, list[Tree], list[Profile], Context],
) -> None:
    now, asked, known, context = drawn
    changes = (next_change(tree, profile, now, context) for tree in asked for profile in known)
    change = next((at for at in changes if at is not None), now)
    predicates = [compile_predicate(tree, context) for tree in asked]
    with duckdb.connect() as connection:
        profile_table(connection, asked, known)
        for at in {now, change - MICROSECOND, change}:
            expected = [[holds(profile, at) for holds in predicates] for profile in known]
            assert answers_in_bulk(connection, asked, at, context) == expected


def answers(
    trees: list[Tree], *known: Profile, now: dt.datetime = NOW, context: Context = EMPTY
) -> list[list[bool]]:
    with duckdb.connect() as connection:
        profile_table(connection, trees, known)
        return answers_in_bulk(connection, trees, now, context)


def with_attribute(value: object, name: str = "rank", **more: object) -> Profile:
    given = {name: value, **more}
    return Profile(attributes={key: Register(one, NOW, "e") for key, one in given.items()})


def test_a_missing_value_makes_a_comparison_false_and_its_denial_true() -> None:
    compared: Tree = ["cmp", "==", ["attribute", "rank"], ["const", "gold"]]
    tree: Tree = ["not", ["and", compared, ["const", True]]]
    assert answers([compared, tree], Profile(), with_attribute("gold")) == [[False, True], [True, False]]


def test_kinds_are_not_mixed_and_booleans_have_no_order() -> None:
    trees: list[Tree] = [
        ["cmp", sign, ["attribute", "rank"], ["const", value]]
        for sign, value in (("==", True), ("<", True), ("==", 1), ("==", "1"), ("!=", "0"))
    ]
    assert answers(
        trees, with_attribute(True), with_attribute(1), with_attribute("1"), with_attribute(False)
    ) == [
        [True, False, False, False, False],
        [False, False, True, False, False],
        [False, False, False, True, True],
        [False, False, False, False, False],
    ]


def test_an_instant_ahead_has_a_negative_age_also_against_an_attribute() -> None:
    ahead = Profile(
        with_attribute(-1, "age").attributes, tallies={"orders": Tally(1, NOW + DAY / 2, NOW + DAY / 2)}
    )
    age: Tree = ["days_since", ["last_at", "orders"]]
    assert answers([["cmp", "==", age, ["attribute", "age"]], ["cmp", "==", age, ["const", -1]]], ahead) == [
        [True, True]
    ]


@pytest.mark.parametrize("text", ["it's", '"quoted"', "a\\b", "%_", "金", "'; DROP TABLE profiles; --"])
def test_every_text_is_only_a_text(text: str) -> None:
    trees: list[Tree] = [
        ["cmp", "==", ["attribute", "rank"], ["const", text]],
        ["tagged", text],
        ["had", "orders", ["category"], text],
        ["cmp", "==", ["context", text, ["attribute", "rank"]], ["const", text]],
    ]
    context = {text: {text: Fact(text, NOW)}}
    assert answers(trees, with_attribute(text), context=context) == [[True, False, False, True]]


def test_names_that_differ_in_case_alone_have_columns_of_their_own() -> None:
    trees: list[Tree] = [["tagged", "vip"], ["tagged", "VIP"], ["tagged", "Vip"]]
    vip = Profile(tags={"VIP": Register(True, NOW, "e")})
    assert answers(trees, vip) == [[False, True, False]]


def test_each_customer_has_the_day_of_its_own_zone() -> None:
    trees: list[Tree] = [
        ["cmp", "==", ["days_until_anniversary", ["date", ["attribute", "born"]]], ["const", 0]],
        ["month_of", ["date", ["attribute", "born"]]],
        ["cmp", "==", ["days_until", ["date", ["attribute", "born"]]], ["const", 1]],
    ]
    month_end = dt.datetime(2026, 11, 30, 15, 0, tzinfo=dt.UTC)
    zones = [with_attribute("2026-12-01", "born", zone=zone) for zone in ("Asia/Tokyo", "Europe/Berlin")]
    assert answers(trees, *zones, now=month_end) == [[True, True, False], [False, False, True]]


def test_the_last_day_of_the_calendar_has_sql_too() -> None:
    last = dt.datetime(9999, 12, 31, 12, 0, tzinfo=dt.UTC)
    tree: Tree = ["cmp", ">=", ["days_until_anniversary", ["date", ["attribute", "born"]]], ["const", 0]]
    born = [with_attribute(f"1990-12-{day}", "born", zone="Europe/Berlin") for day in (30, 31)]
    assert (
        answers([tree], *born, now=last)
        == [[compile_predicate(tree)(one, last)] for one in born]
        == [[False], [True]]
    )


def test_what_comes_at_the_same_instant_follows() -> None:
    tree: Tree = ["unfollowed", "views", "orders", 3_600]
    view = Tally(1, NOW - DAY, NOW - DAY)
    earlier = Tally(1, NOW - 2 * DAY, NOW - 2 * DAY)
    known = [Profile(tallies={"views": view, "orders": order}) for order in (view, earlier)]
    assert answers([tree], *known, Profile(tallies={"views": view}), Profile()) == [
        [False],
        [True],
        [True],
        [False],
    ]


def test_sizes_are_counted_by_one_query() -> None:
    segments: dict[str, Tree] = {"fans": ["tagged", "fan"], 'all "of" them': ["const", True]}
    fan = Profile(tags={"fan": Register(True, NOW, "e")})
    with duckdb.connect() as connection:
        profile_table(connection, segments.values(), [fan, Profile(), fan])
        assert sizes_in_bulk(connection, segments, NOW) == {"fans": 2, 'all "of" them': 3}


@pytest.mark.parametrize("tree", [["segment", "vip"], ["cmp", "==", ["what", 1], ["count", "orders"]]])
def test_what_is_no_inlined_tree_has_no_sql(tree: Tree) -> None:
    with pytest.raises(ValueError, match="segment"):
        sql_of(tree, NOW)


def test_a_column_is_made_once_however_many_trees_read_it() -> None:
    tree: Tree = ["cmp", ">", ["count", "orders"], ["const", 1]]
    assert [(one.name, one.type) for one in columns_of([tree, ["not", tree]])] == [("count.orders", "BIGINT")]
