"""What goes in one request: at most ten entries and 256 KB together, as SQS and EventBridge count alike."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

ENTRIES_MAX = 10
BYTES_MAX = 256 * 1024

_Entry = TypeVar("_Entry")


def fitting_batches(entries: Iterable[_Entry], bytes_of: Callable[[_Entry], int]) -> Iterator[list[_Entry]]:
    """Entries in order, as many a request as fit. One that is larger alone goes alone, and is refused."""
    batch: list[_Entry] = []
    size = 0
    for entry in entries:
        length = bytes_of(entry)
        if batch and (len(batch) == ENTRIES_MAX or size + length > BYTES_MAX):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += length
    if batch:
        yield batch
