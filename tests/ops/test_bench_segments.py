"""The measures of segments: they measure what they say, on a small table."""

from functions.domain.segments import columns_of, compile_predicate
from ops.bench import segments as bench


def test_the_query_by_hand_and_ours_count_the_same_people() -> None:
    measure = bench.bulk(rows=5_000)
    assert measure.value > 0
    assert "by hand" in measure.baseline


def test_every_column_that_the_segments_read_is_made() -> None:
    assert {column.name for column in columns_of(bench.trees().values())} == bench._MADE.keys()


def test_the_ten_segments_hold_for_some_profiles_and_not_for_others() -> None:
    profiles = [bench._profile(number) for number in range(200)]
    for name, tree in bench.trees().items():
        holds = compile_predicate(tree)
        assert {holds(profile, bench.NOW) for profile in profiles} == {True, False}, name
