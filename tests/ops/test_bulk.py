"""Segments in bulk: the SQL of a tree says what its predicate says, for any profile at any instant."""

import datetime as dt

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.domain.context import Context
from functions.domain.profiles import Profile
from functions.domain.segments import Tree, compile_predicate, next_change
from ops.bulk import answers_in_bulk, profile_table
from tests.domain.segment_strategies import contexts, nows, profiles, trees

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
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
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
