"""A crash before and after every call of one send of each kind: whatever the point, one copy and one record."""

import pytest

from tests.simulation.crash_points import STORIES
from tests.simulation.jobs import Crashed, CrashJob, done

POINTS_MIN = 15
PAIRS = 6


@pytest.mark.parametrize("story", STORIES)
def test_a_crash_at_any_point_of_a_send_makes_neither_two_copies_nor_none(story: str) -> None:
    crashed = done(CrashJob(story, PAIRS))
    assert isinstance(crashed, Crashed)
    assert crashed.fault == ""
    assert crashed.points > POINTS_MIN
    assert crashed.pairs == PAIRS
