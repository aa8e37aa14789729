"""A server of our own in LINE's place."""

import threading
from collections.abc import Iterator

import pytest

from tests.line.answering import Answers


@pytest.fixture
def answers() -> Iterator[Answers]:
    with Answers() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
