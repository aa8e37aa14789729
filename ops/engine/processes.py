"""Processes that were started here: found again, ended, and seen to be gone.

A process belongs to a run when the run's own directory stands in its command line and it is in the process
group that the run recorded. Both, so that a number reused by the system never costs a stranger its life.
"""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.engine.errors import LocalError

# The engine keeps no state between runs: nothing is lost where it is slow to say goodbye.
GRACE_SECONDS = 2.0
KILL_SECONDS = 5.0
POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Listed:
    """One live process as the system lists it."""

    pid: int
    group: int
    command: str


def start_group(command: Sequence[str], environment: Mapping[str, str], log: Path, cwd: Path) -> int:
    """Start `command` as the leader of its own session and process group; its pid, which is the group's id."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env=dict(environment), cwd=cwd, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    _children[process.pid] = process
    return process.pid


def end_groups(groups: Iterable[int], mark: str) -> None:
    """SIGTERM to every process of `groups` that bears `mark`, SIGKILL to what is left, until none is.

    LocalError where something survives even that.
    """
    wanted = set(groups)
    for number, patience in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
        for process in _marked(wanted, mark):
            _signal(process.pid, number)
        if _gone_within(patience, wanted, mark):
            _collect(wanted)
            return
    left = ", ".join(str(process.pid) for process in _marked(wanted, mark))
    raise LocalError(f"Could not stop process {left}: end it by hand.")


def is_alive(pid: int, mark: str) -> bool:
    """Whether the process still runs and, where it is not our own child, bears `mark` in its command line.

    A child that was started a moment ago may not show its command line yet.
    """
    _reap()
    return pid in _children or any(process.pid == pid and mark in process.command for process in _listing())


def free_port() -> int:
    """A port that was free a moment ago on the loopback address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def require_port_free(port: int) -> None:
    """LocalError where something listens on `port` already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise LocalError(f"Port {port} is taken: choose another with --port, or leave it out.") from None


def tail(log: Path, lines: int = 8) -> str:
    """The last lines of a log, for an error message; empty where there is none."""
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


_children: dict[int, subprocess.Popen[bytes]] = {}


def _marked(groups: set[int], mark: str) -> list[Listed]:
    return [
        process
        for process in _listing()
        if process.group in groups and (mark in process.command or process.pid in _children)
    ]


def _gone_within(seconds: float, groups: set[int], mark: str) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        _reap()
        if not _marked(groups, mark):
            return True
        time.sleep(POLL_SECONDS)
    return False


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _collect(groups: set[int]) -> None:
    """Wait for our own children of these groups: one that is exiting is not listed, and not yet collected either."""
    for pid in groups & _children.keys():
        with contextlib.suppress(subprocess.TimeoutExpired):
            _children[pid].wait(timeout=KILL_SECONDS)
    _reap()


def _reap() -> None:
    """Collect our own ended children: until then the system lists them as if they lived."""
    for pid in [pid for pid, process in _children.items() if process.poll() is not None]:
        del _children[pid]


def _listing() -> list[Listed]:
    """Every process but the dead ones that nobody collected."""
    proc = Path("/proc")
    return _listing_of_proc(proc) if (proc / "self" / "stat").exists() else _listing_of_ps()


def _listing_of_proc(proc: Path) -> list[Listed]:
    listed = []
    for entry in proc.iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            # "pid (name) state ppid pgrp …"; the name may hold anything, brackets too.
            state, _, group = stat.rpartition(")")[2].split()[:3]
            if state != "Z":
                listed.append(Listed(int(entry.name), int(group), command))
    return listed


def _listing_of_ps() -> list[Listed]:
    command = ["ps", "-A", "-ww", "-o", "pid=,pgid=,stat=,command="]
    rows = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.splitlines()
    fields = [row.split(None, 3) for row in rows]
    return [Listed(int(f[0]), int(f[1]), f[3]) for f in fields if len(f) == 4 and not f[2].startswith("Z")]  # noqa: PLR2004
