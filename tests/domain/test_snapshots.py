"""Full snapshots, compared in order."""

from hypothesis import given
from hypothesis import strategies as st

from functions.domain.snapshots import compared, merged, too_few

KEYS = st.sets(st.text(max_size=3))


@given(st.lists(KEYS, max_size=5))
def test_sorted_runs_are_merged_in_order_and_each_once(runs: list[set[str]]) -> None:
    assert list(merged([iter(sorted(run)) for run in runs])) == sorted(set().union(*runs))


@given(KEYS, KEYS)
def test_everybody_of_either_is_told_once_and_whether_they_are_still_there(
    new: set[str], old: set[str]
) -> None:
    told = list(compared(iter(sorted(new)), iter(sorted(old))))
    assert [key for key, _ in told] == sorted(new | old)
    assert {key for key, here in told if here} == new


def test_half_as_many_people_are_still_enough_and_one_fewer_is_too_few() -> None:
    assert not too_few(50, 100, None)
    assert too_few(49, 100, None)
    assert too_few(89, 100, 10)
    assert not too_few(0, 0, None)
