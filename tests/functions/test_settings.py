"""Settings: what each worker is told comes to no more than LINE's limit, whatever is deployed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.settings import LINE_MULTICAST_PER_SECOND, LINE_PUSH_PER_SECOND, SettingsError, read_settings

ROUNDING = 1e-9
"""Of the limit: what a division of floats may be off by, which is one request in days."""
concurrency = st.integers(1, 2_000)


@given(concurrency, st.integers(0, 2_000), st.floats(1, 100_000), st.floats(1, 10_000))
def test_all_workers_shares_together_are_the_limit_and_no_more(
    send: int, bulk: int, push: float, multicast: float
) -> None:
    settings = read_settings(
        {
            "SEND_CONCURRENCY": str(send),
            "BULK_CONCURRENCY": str(bulk),
            "LINE_PUSH_PER_SECOND": str(push),
            "LINE_MULTICAST_PER_SECOND": str(multicast),
        }
    )
    for share, limit in ((settings.push_per_second, push), (settings.multicast_per_second, multicast)):
        assert share > 0
        assert limit * (1 - ROUNDING) <= share * (send + bulk) <= limit * (1 + ROUNDING)


def test_lines_own_limits_hold_where_nothing_is_said() -> None:
    alone = read_settings({})
    assert (alone.push_per_second, alone.multicast_per_second) == (
        LINE_PUSH_PER_SECOND,
        LINE_MULTICAST_PER_SECOND,
    )
    assert (LINE_PUSH_PER_SECOND, LINE_MULTICAST_PER_SECOND) == (2_000, 200)


@pytest.mark.parametrize("name", ["SEND_CONCURRENCY", "LINE_PUSH_PER_SECOND"])
def test_a_rate_that_is_no_number_is_a_mistake_of_the_deployment(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} must be a number"):
        read_settings({name: "many"})
