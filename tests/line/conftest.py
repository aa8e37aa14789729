"""Servers in LINE's place: our sandbox, and one that says what it is told to say."""

import threading
from collections.abc import Iterator

import pytest

from ops.line_sandbox import LineSandbox
from tests.line.answering import Answers


@pytest.fixture(scope="module")
def running() -> Iterator[LineSandbox]:
    """One sandbox for a module's tests, each of which begins by resetting it."""
    with LineSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def answers() -> Iterator[Answers]:
    with Answers() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
