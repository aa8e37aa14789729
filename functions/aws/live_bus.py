"""The live bus: batches of ten, every failed entry read, what failed tried again and then reported."""

import time
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.aws.request_batches import fitting_batches
from functions.domain.live import SOURCE, Told
from functions.ports.errors import Retryable

TIME_BYTES = 14
TRIES_MAX = 4
REFUSED = frozenset({"InvalidArgument", "MalformedDetail"})
"""Codes of a failed entry that no other try changes; any other may pass."""


class EventBridgeLive:
    """One bus, by name; `client` is boto3's for EventBridge."""

    def __init__(self, client: Any, bus: str) -> None:
        self._client = client
        self._bus = bus

    def tell(self, told: Sequence[Told]) -> int:
        """Put all; how many are refused for good. Raises Retryable where some were not taken in: then others were, and
        are told again."""
        refused = 0
        waiting = list(told)
        for attempt in range(TRIES_MAX):
            if attempt:
                time.sleep(0.05 * 2**attempt)
            failed: list[Told] = []
            for batch in fitting_batches(waiting, _bytes_of):
                for one, code in self._put(batch):
                    if code in REFUSED:
                        refused += 1
                    else:
                        failed.append(one)
            waiting = failed
            if not waiting:
                return refused
        raise Retryable(f"{len(waiting)} of {len(told)} events were not taken in by the live bus")

    def _put(self, batch: Sequence[Told]) -> list[tuple[Told, str]]:
        """What failed of a batch, and with which code."""
        try:
            answer = self._client.put_events(Entries=[self._entry(one) for one in batch])
        except (BotoCoreError, ClientError) as error:
            raise Retryable(f"the live bus took nothing in ({type(error).__name__})") from error
        if not answer["FailedEntryCount"]:
            return []
        pairs = zip(batch, answer["Entries"], strict=True)
        return [(one, entry["ErrorCode"]) for one, entry in pairs if entry.get("ErrorCode")]

    def _entry(self, one: Told) -> dict[str, Any]:
        return {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": one.kind,
            "Time": one.at,
            "Detail": one.detail,
        }


def _bytes_of(one: Told) -> int:
    """As EventBridge counts an entry (PutEvents)."""
    return len(SOURCE) + TIME_BYTES + len(one.kind.encode()) + len(one.detail.encode())
