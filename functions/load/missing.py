"""load: who was in a source's last full snapshot and is not in this one has no attributes of it any more.

Each window left its customer ids, sorted. Groups of windows are merged into runs, and all runs into the list of the
snapshot, page by page beside the list of the one before: never more in memory than a page of each. Every step is noted.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import count, islice
from typing import Protocol

from functions.domain.events import Event
from functions.domain.instants import Instant
from functions.domain.loads import Load
from functions.domain.snapshots import Snapshot, compared, merged

GROUP = 64
PAGE = 5_000
TOMBSTONES_AT_ONCE = 500
WHOLE = "all"


class Snapshots(Protocol):
    """Lists of customer ids by load and run, in pages; and the last full snapshot of each source."""

    def put_page(self, load_id: str, run: str, number: int, keys: Sequence[str]) -> None:
        """Keep a page; any number of times."""

    def page(self, load_id: str, run: str, number: int) -> list[str] | None:
        """A page; None behind the last one."""

    def last(self, source: str) -> Snapshot | None:
        """The last full snapshot; None where there was none."""

    def move_on(self, source: str, snapshot: Snapshot) -> None:
        """Let this be the last one, on condition that none of a later day is."""


def run_of_window(number: int) -> str:
    """The run that a window leaves."""
    return f"w{number:08}"


def groups_of(load: Load) -> int:
    """How many runs the windows are merged into."""
    return -(-load.windows // GROUP)


def merge_group(snapshots: Snapshots, load: Load, group: int) -> None:
    """Merge the windows of one group into a run of pages. The same again where it is done again."""
    windows = range(group * GROUP, min((group + 1) * GROUP, load.windows))
    keys = merged([keys_of(snapshots, load.load_id, run_of_window(number)) for number in windows])
    _put_pages(snapshots, load.load_id, f"m{group:06}", keys)


def _put_pages(snapshots: Snapshots, load_id: str, run: str, keys: Iterator[str]) -> None:
    for number in count():
        page = list(islice(keys, PAGE))
        if not page:
            return
        snapshots.put_page(load_id, run, number, page)


def keys_of(snapshots: Snapshots, load_id: str, run: str, after: str = "") -> Iterator[str]:
    """The ids of a run, page by page; those behind one only, where one is given."""
    for number in count():
        page = snapshots.page(load_id, run, number)
        if page is None:
            return
        yield from (key for key in page if key > after)


def comparison(snapshots: Snapshots, load: Load) -> Iterator[tuple[str, bool]]:
    """Every customer of this snapshot or the one before, from where the load stands on, and whether it is still there."""
    runs = [
        keys_of(snapshots, load.load_id, f"m{group:06}", load.last_key) for group in range(groups_of(load))
    ]
    old = keys_of(snapshots, load.before, WHOLE, load.last_key) if load.before else iter(())
    return compared(merged(runs), old)


def tombstones(
    customers: Iterable[str], load: Load, attributes: Sequence[str], at: Instant
) -> dict[str, list[Event]]:
    """What says of each of these customers that the source knows nothing of them any more."""
    return {
        customer: [
            Event(
                event_id=f"file:{load.fingerprint}:gone:{sha256(customer.encode()).hexdigest()[:24]}",
                customer_id=customer,
                name="profile_updated",
                occurred_at=at,
                source=load.drop.source,
                properties=dict.fromkeys(attributes),
            )
        ]
        for customer in customers
    }
