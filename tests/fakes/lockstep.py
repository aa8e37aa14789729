"""Workers side by side, one I/O call at a time, in exactly the order that a schedule says."""

import itertools
import threading
from collections.abc import Callable, Sequence

from tests.fakes.taps import Tap, When

WAIT_SECONDS_MAX = 10
TAIL = 100


def schedules(length: int) -> list[tuple[int, ...]]:
    """Every order of the first so many calls of two workers; after them, either of the two goes through first."""
    heads = itertools.product((0, 1), repeat=length)
    return [(*head, *(last,) * TAIL) for head in heads for last in (0, 1)]


class _Worker:
    def __init__(self, task: Callable[[], None], control: threading.Semaphore) -> None:
        self.turn = threading.Semaphore(0)
        self.done = False
        self.error: BaseException | None = None
        self._task = task
        self._control = control
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        self.turn.acquire()
        try:
            self._task()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            self.error = error
        self.done = True
        self._control.release()

    def pause(self) -> None:
        self._control.release()
        self.turn.acquire()


def side_by_side(tap: Tap, schedule: Sequence[int], *tasks: Callable[[], None]) -> list[BaseException | None]:
    """Run the tasks, each up to its next call, in the order of the schedule, then one after the other; their errors."""
    control = threading.Semaphore(0)
    workers = [_Worker(task, control) for task in tasks]
    by_thread = {worker.thread: worker for worker in workers}

    def hook(_number: int, _name: str, when: When) -> None:
        worker = by_thread.get(threading.current_thread())
        if worker is not None and when == "before":
            worker.pause()

    tap.watch(hook)
    for worker in workers:
        worker.thread.start()
    choices = iter(schedule)
    while any(not worker.done for worker in workers):
        alive = [worker for worker in workers if not worker.done]
        alive[next(choices, 0) % len(alive)].turn.release()
        assert control.acquire(timeout=WAIT_SECONDS_MAX), "a worker hangs"
    tap.watch(None)
    return [worker.error for worker in workers]
