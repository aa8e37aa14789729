"""The benchmark of a night's measuring, over a small day: history costs no more once the windows are full."""

import pytest

from ops.bench import measuring


@pytest.mark.slow
def test_what_is_read_does_not_grow_with_history_beyond_the_windows() -> None:
    """The times and the memory of a million sends are the benchmark's own, not a test's."""
    found = measuring.measured_days(lambda: None, sends=2_000, days=(5, 405, 420))
    short, year, more = found
    assert year.objects_read <= short.objects_read + 400 + 90 + 90 + 15
    assert more.objects_read <= year.objects_read * measuring.OBJECTS_RATIO_MAX
    assert [one.name for one in measuring.rows(found) if "objects" in one.name and not one.ok] == []
