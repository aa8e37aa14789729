"""Stopping a run: its processes, its directory, its record."""

import shutil

from ops.engine.processes import end_groups, is_alive
from ops.local.place import Place


def is_up(place: Place) -> bool:
    """Whether any process of the recorded run still lives."""
    return any(is_alive(group, str(place.run_dir)) for group in place.groups().values())


def bring_down(place: Place) -> bool:
    """End what `up` started and remove what it wrote; False where there was nothing.

    Safe to repeat, and after a run whose processes were killed. LocalError where a process will not end.
    """
    existed = place.run_dir.exists() or place.record_path.exists()
    end_groups(place.groups().values(), str(place.run_dir))
    shutil.rmtree(place.run_dir, ignore_errors=True)
    place.record_path.unlink(missing_ok=True)
    return existed
