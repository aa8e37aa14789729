"""Ending processes: all of ours, none of anybody else's."""

import os
import subprocess
import sys
import time

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
