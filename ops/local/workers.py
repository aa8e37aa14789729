"""The engine's warm workers of a function, and killing them as a crash would."""

import os
import signal
from pathlib import Path

from ops.target import STACK_NAME


def workers_of(run_dir: Path, function: str, stack: str = STACK_NAME) -> list[int]:
    """The process ids of a function's warm workers in this run."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(run_dir) in command and f"{stack}-{function.capitalize()}Function" in command:
            found.append(int(entry.name))
    return found


def kill(worker: int) -> bool:
    """Kill one process: no warning, no clean-up. Whether it was still there."""
    try:
        os.kill(worker, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def kill_workers(run_dir: Path, function: str) -> int:
    """Kill every worker of the function. How many."""
    return sum(kill(worker) for worker in workers_of(run_dir, function))
