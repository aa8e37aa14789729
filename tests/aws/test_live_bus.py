"""The live bus: full batches, every failed entry read, and nothing lost where a batch is taken in only in part."""

import datetime as dt
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.aws.live_bus import TRIES_MAX, EventBridgeLive
from functions.aws.request_batches import BYTES_MAX, ENTRIES_MAX
from functions.domain.live import Told
from functions.ports.errors import Retryable

AT = dt.datetime(2026, 11, 2, 3, 4, 5, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)


class StubbornEvents:
    """An EventBridge that lists some entries as failed. `fails`: detail, number of the try → its code; None: taken in."""

    def __init__(self, fails: Callable[[str, int], str | None] = lambda _detail, _try: None) -> None:
        self._fails = fails
        self._tries: dict[str, int] = {}
        self.batches: list[list[str]] = []
        self.kept: list[str] = []

    def put_events(self, *, Entries: Sequence[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """As EventBridge answers: an entry each, in order."""
        self.batches.append([one["Detail"] for one in Entries])
        entries: list[dict[str, str]] = []
        for one in Entries:
            detail = one["Detail"]
            self._tries[detail] = self._tries.get(detail, 0) + 1
            code = self._fails(detail, self._tries[detail])
            entries.append({"ErrorCode": code, "ErrorMessage": "…"} if code else {"EventId": detail})
            if not code:
                self.kept.append(detail)
        return {"FailedEntryCount": sum("ErrorCode" in one for one in entries), "Entries": entries}


def events(number: int) -> list[Told]:
    return [Told("SendEnded.v1", AT, str(one)) for one in range(number)]


def test_what_a_batch_does_not_take_in_is_put_again_alone() -> None:
    stubborn = StubbornEvents(lambda d, tried: "ThrottlingException" if d in "37" and tried < 3 else None)
    assert EventBridgeLive(stubborn, "bus").tell(events(12)) == 0
    assert sorted(map(int, stubborn.kept)) == list(range(12))
    assert [len(batch) for batch in stubborn.batches] == [ENTRIES_MAX, 2, 2, 2]


def test_what_is_never_taken_in_is_retryable_after_bounded_tries() -> None:
    stubborn = StubbornEvents(lambda detail, _: "InternalFailure" if detail == "3" else None)
    with pytest.raises(Retryable, match="1 of 12"):
        EventBridgeLive(stubborn, "bus").tell(events(12))
    assert sum("3" in batch for batch in stubborn.batches) == TRIES_MAX
    assert len(stubborn.kept) == 11


def test_what_is_refused_for_good_is_told_and_not_tried_again() -> None:
    stubborn = StubbornEvents(lambda detail, _: "MalformedDetail" if detail == "3" else None)
    assert EventBridgeLive(stubborn, "bus").tell(events(4)) == 1
    assert len(stubborn.batches) == 1


def test_a_bus_that_is_gone_is_retryable() -> None:
    class Gone:
        def put_events(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "PutEvents")

    with pytest.raises(Retryable, match="ClientError"):
        EventBridgeLive(Gone(), "bus").tell(events(1))


def test_no_batch_is_larger_than_eventbridge_takes() -> None:
    stubborn = StubbornEvents()
    details = [f"{number}{'あ' * 20_000}" for number in range(9)]
    assert EventBridgeLive(stubborn, "bus").tell([Told("SendEnded.v1", AT, one) for one in details]) == 0
    assert stubborn.kept == details
    sizes = [sum(len(one.encode()) for one in batch) for batch in stubborn.batches]
    assert len(sizes) == 3
    assert max(sizes) <= BYTES_MAX
