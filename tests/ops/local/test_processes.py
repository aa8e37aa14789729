"""Ending processes: all of ours, none of anybody else's."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ops.engine import processes


def test_a_process_that_does_not_bear_the_mark_is_spared() -> None:
    """A process group's number may belong to a stranger by the time `down` runs."""
    stranger = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        processes.end_groups([stranger.pid], "/run/of/another")
        time.sleep(0.05)
        assert stranger.poll() is None
    finally:
        stranger.communicate()


def test_the_listing_of_ps_says_what_proc_says() -> None:
    """Where there is no /proc, as on macOS, ps answers."""
    own = [p for p in processes._listing_of_ps() if p.pid == os.getpid()]
    assert [p.group for p in own] == [os.getpgrp()]


def test_a_child_that_does_not_show_its_command_line_yet_is_alive_and_can_be_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a moment after its start the system lists a process without any command line."""
    command = [sys.executable, "-c", "import time; time.sleep(60)", str(tmp_path)]
    pid = processes.start_group(command, dict(os.environ), tmp_path / "log", tmp_path)
    listing = processes._listing
    bare = lambda: [processes.Listed(p.pid, p.group, "") for p in listing()]  # noqa: E731
    monkeypatch.setattr(processes, "_listing", bare)
    assert processes.is_alive(pid, str(tmp_path))
    processes.end_groups([pid], str(tmp_path))
    assert not processes.is_alive(pid, str(tmp_path))
