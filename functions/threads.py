"""Calls side by side: a worker waits for LINE once a batch, not once a message."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Answer = TypeVar("_Answer")


class Threads:
    """At most so many calls at once. The threads live as long as the process."""

    def __init__(self, at_once: int) -> None:
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="together")

    def __call__(self, calls: Sequence[Callable[[], _Answer]]) -> list[_Answer | Exception]:
        """What each call answered, or raised; in the order of the calls. One call alone needs no thread."""
        if len(calls) == 1:
            return [_outcome(calls[0])]
        return list(self._pool.map(_outcome, calls))


def _outcome(call: Callable[[], _Answer]) -> _Answer | Exception:
    try:
        return call()
    except Exception as error:  # noqa: BLE001 — handed to whoever asked for the calls
        return error
