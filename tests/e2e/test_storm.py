"""The storm, in small: LINE drops or refuses 40 % of calls, send workers are killed all along, and everyone hears once.

`make soak` does the same with 5,000 messages.
"""

import pytest

from ops.local.down import bring_down
from ops.local.place import Place
from ops.soak.storm import run

pytestmark = pytest.mark.e2e

SENDS = 150


def test_in_a_storm_every_message_is_accepted_once_and_the_accounts_close(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    place = Place(tmp_path_factory.mktemp("storm"))
    try:
        outcome = run(place, SENDS, say=lambda _text: None)
    finally:
        bring_down(place)
    assert outcome.amiss == []
    assert (outcome.accepted, outcome.copies, outcome.accounts.sent) == (SENDS, 0, SENDS)
    assert outcome.workers_killed >= 2
    assert set(outcome.faults) == {"accept_then_drop", "error_500", "rate_429"}
