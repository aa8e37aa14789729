"""What goes on in a thread of its own for as long as a block runs."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def beside(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """`work` beside the block: it is told by the event that it has to stop, and is waited for."""
    stopping = threading.Event()
    thread = threading.Thread(target=work, args=(stopping,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


@contextmanager
def every(seconds: float, deed: Callable[[], None]) -> Iterator[None]:
    """The deed beside the block, every so often: a progress bar that moves on, a sample that is taken."""

    def again(stopping: threading.Event) -> None:
        while not stopping.wait(seconds):
            deed()

    with beside(again):
        yield
