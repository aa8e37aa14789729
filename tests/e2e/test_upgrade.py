"""A stack of the commit before is updated while it works, rolled back, and updated again: everybody hears once."""

from pathlib import Path

import pytest

from ops.errors import UserError
from ops.local.down import bring_down
from ops.local.place import Place
from ops.upgrade.earlier import assembly_of
from ops.upgrade.run import MESSAGES_EACH, run

pytestmark = pytest.mark.e2e

BEFORE = "HEAD~1"
PEOPLE = 30


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the commit before deploys."""
    try:
        return assembly_of(BEFORE, tmp_path_factory.mktemp("earlier"))
    except UserError as error:
        pytest.skip(f"a clone without history: {error}")


def test_moving_on_back_and_on_again_loses_and_doubles_nothing(
    earlier: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = Place(tmp_path_factory.mktemp("upgrade"))
    try:
        outcome = run(place, PEOPLE, earlier, BEFORE)
    finally:
        bring_down(place)
    assert outcome.amiss == []
    assert (outcome.delivered, outcome.copies) == (PEOPLE * MESSAGES_EACH, 0)
    assert all(move.in_flight for move in outcome.moves)
