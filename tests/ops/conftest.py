"""Whatever a test of a command makes it do: what it asks AWS for stands in infra/rights.py."""

from collections.abc import Iterator

import pytest

from infra.rights import Right
from tests.ops.recorded import Recorder

# A test lets a message end while `sends --watch` sleeps.
OF_TESTS = {("sends", "dynamodb:PutItem")}


def _of_test(command: str, right: Right) -> bool:
    return (command, right.action) in OF_TESTS


@pytest.fixture(autouse=True)
def measured_rights() -> Iterator[Recorder]:
    """The recorder of this test's commands."""
    recorder = Recorder()
    with recorder.listening():
        yield recorder
    beyond = [found for found in recorder.beyond() if not _of_test(*found)]
    assert beyond == [], f"say in infra/rights.py that it needs this, and think of who may then: {beyond}"
