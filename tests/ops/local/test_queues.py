"""Waiting until the queues are idle: nothing on its way is missed, and no queue is asked without need."""

from collections import Counter
from typing import Any, cast

import pytest

from ops.engine.errors import StalledError
from ops.local.queues import QUEUES, WorkQueues
from ops.target import Target


class Counted:
    """Queues that hold what `moves` make of them: one move after each question, the last for ever."""

    def __init__(self, *moves: dict[str, int]) -> None:
        self._moves = list(moves)
        self.asked: list[str] = []

    def output(self, name: str) -> str:
        return name.removeprefix("Queue").removesuffix("Url")

    def client(self, _service: str) -> "Counted":
        return self

    def get_queue_attributes(self, **asked: Any) -> Any:
        self.asked.append(asked["QueueUrl"])
        move = self._moves.pop(0) if len(self._moves) > 1 else self._moves[0]
        return {
            "Attributes": {
                "ApproximateNumberOfMessages": str(move.get(self.asked[-1], 0)),
                "ApproximateNumberOfMessagesNotVisible": "0",
                "ApproximateNumberOfMessagesDelayed": "0",
            }
        }


def settled(*moves: dict[str, int], stall_seconds: float = 60.0) -> list[str]:
    """Whom `settle` asked, in order."""
    queues = Counted(*moves)
    WorkQueues(cast(Target, queues), stall_seconds).settle()
    return queues.asked


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody sleeps."""
    monkeypatch.setattr("ops.local.queues.time.sleep", lambda _seconds: None)


def test_idle_queues_are_all_asked_twice() -> None:
    assert settled({}) == [*QUEUES, *QUEUES]


def test_while_a_queue_works_it_alone_is_asked() -> None:
    working: dict[str, int] = {"Measure": 1}
    asked = Counter(settled(*[working] * 50, {}))
    assert asked["Measure"] > 40
    assert max(asked[name] for name in QUEUES if name != "Measure") == 3


def test_what_moves_on_to_a_queue_that_was_asked_before_is_waited_for() -> None:
    # The last queue works on it, and hands it to the first when that has just been found empty.
    before: list[dict[str, int]] = [{}] * (len(QUEUES) - 1) + [{"Measure": 1}]
    asked = settled(*before, {"Load": 1}, {"Load": 1}, {"Load": 1}, {})
    assert asked[len(QUEUES) : len(QUEUES) + 4] == ["Measure", "Load", "Load", "Load"]
    assert asked[-2 * len(QUEUES) :] == [*QUEUES, *QUEUES]


def test_one_idle_look_is_not_enough() -> None:
    nothing: list[dict[str, int]] = [{}] * len(QUEUES)
    asked = settled(*nothing, {"Load": 1}, {})
    assert asked[-2 * len(QUEUES) :] == [*QUEUES, *QUEUES]
    assert len(asked) >= 3 * len(QUEUES)


def test_a_queue_that_does_not_move_is_named() -> None:
    with pytest.raises(StalledError, match="messages held: inbox 2; dead letters: none"):
        settled({"Inbox": 2}, stall_seconds=0.01)


def test_a_queue_that_works_off_its_messages_is_not_stalled() -> None:
    assert settled(*({"Inbox": left} for left in range(3_000, -1, -1)), stall_seconds=0.5)
