"""Calls side by side."""

import threading

from functions.threads import Threads

TOGETHER = 4


def test_calls_go_side_by_side_and_answer_in_their_order() -> None:
    meeting = threading.Barrier(TOGETHER, timeout=10)  # passed only where all of them are under way at once
    calls = [lambda number=number: (meeting.wait(), number)[1] for number in range(TOGETHER)]
    assert Threads(TOGETHER)(calls) == [0, 1, 2, 3]


def test_a_call_that_raises_is_handed_over_and_the_others_answer() -> None:
    def fails() -> str:
        raise ValueError("no")

    def works() -> str:
        return "yes"

    first, second = Threads(2)([fails, works])
    assert isinstance(first, ValueError)
    assert second == "yes"
    (alone,) = Threads(2)([fails])
    assert isinstance(alone, ValueError)


def test_nothing_to_call_is_nothing() -> None:
    assert Threads(2)([]) == []
