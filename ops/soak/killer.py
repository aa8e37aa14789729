"""Somebody who kills the workers of a function, all along."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from ops.local.workers import kill, workers_of
from ops.soak.beside import beside

LOOK_EVERY_SECONDS = 0.2
ESTABLISHED = "01"


class Killer:
    """After every `calls_mean` calls to LINE, more or less, it kills one worker that speaks to it, at
    `port`.

    One that still imports is left alone: to kill it would only stop the run, and break nothing. `calls` tells how many
    calls there were, `killed` counts.
    """

    def __init__(
        self,
        run_dir: Path,
        function: str,
        port: int,
        calls: Callable[[], int],
        calls_mean: int,
        seed: int = 0,
    ) -> None:
        self.killed = 0
        self._run_dir = run_dir
        self._function = function
        self._port = port
        self._calls = calls
        self._between = (calls_mean // 3, calls_mean * 5 // 3)
        self._dice = random.Random(seed)  # noqa: S311 - which worker and when, nothing else

    @contextmanager
    def at_work(self) -> Iterator[Self]:
        """It kills while the block runs."""
        with beside(self._kill_all_along):
            yield self

    def _kill_all_along(self, stopping: threading.Event) -> None:
        next_at = self._calls() + self._dice.randint(*self._between)
        while not stopping.wait(LOOK_EVERY_SECONDS):
            if self._calls() < next_at:
                continue
            workers = workers_of(self._run_dir, self._function)
            at_work = [one for one in workers if speaks_to(one, self._port)]
            if at_work:
                self.killed += kill(self._dice.choice(at_work))
                next_at = self._calls() + self._dice.randint(*self._between)


def speaks_to(process: int, port: int) -> bool:
    """Whether the process has a connection to this port of this machine (proc(5): net/tcp and fd)."""
    sockets = {f"socket:[{inode}]" for inode in _connections_to(port)}
    try:
        return any(str(one.readlink()) in sockets for one in Path(f"/proc/{process}/fd").iterdir())
    except OSError:
        return False  # gone meanwhile


def _connections_to(port: int) -> Iterator[str]:
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()
    for fields in map(str.split, lines[1:]):
        remote, state, inode = fields[2], fields[3], fields[9]
        if state == ESTABLISHED and int(remote.rpartition(":")[2], 16) == port:
            yield inode
