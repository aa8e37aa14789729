"""History in: past events from a file, by the flow that loads dropped files, through the inbox like everything else.

The load is kept beside those of dropped files (`loads/` in the bucket), named by the file's content: an import that is cut
off goes on where it was, and a file that was imported is not imported again.
"""

import hashlib
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from functions.aws.loads import S3Loads, S3Snapshots
from functions.domain.events import Event
from functions.domain.instants import Instant
from functions.domain.loads import Drop, Load, Refusal, drop_of, load_id_of
from functions.load.flow import LoadFiles
from functions.load.windows import ErrorLine
from functions.parquet import Arrow
from functions.ports.errors import Conflict
from functions.ports.messages import EventsReceived, FileDropped, InboxMessage, LoadOrder
from functions.ports.queues import Inbox
from ops.errors import UserError
from ops.loaded_file import LocalFile
from ops.stores import Stores

MESSAGES_A_CALL = 200
SHOWN_MAX = 20
WINDOW_ROWS = 20_000
"""Ten times that of the function: the more of a customer's events come together, the fewer writes they take."""
BLOCK_BYTES = 1024 * 1024
_Item = TypeVar("_Item")
OnProgress = Callable[[Load], None]


class Imported(msgspec.Struct, frozen=True):
    """How much went in. `faults`: the first rejected rows, as `file:line: why`; `causes`: code → how many."""

    events: int
    customers: int
    rejected: int
    causes: dict[str, int]
    faults: list[str]
    same: bool = False


@contextmanager
def import_progress() -> Iterator[OnProgress]:
    """A bar on standard error, where somebody watches: the file is read once to know it, and once for its rows."""
    bars = Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn(),
        console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty(),
    )  # fmt: skip
    with bars:
        bar = bars.add_task("reading", total=None)

        def show(load: Load) -> None:
            done = load.size if load.stage == "done" else min(load.size, load.place.offset)
            bars.update(bar, total=load.size, completed=done, description=f"{load.rows:,} rows")

        yield show


def import_file(stores: Stores, file: Path, on_progress: OnProgress | None = None) -> Imported:
    """Every event of the file that the dictionary knows, folded without starting journeys. UserError for no such file."""
    loads = _Told(S3Loads(stores.objects), on_progress)
    inbox = _Counting(stores.inbox)
    return _run(_flow(stores, file, loads, inbox), file, loads, inbox)


def try_import(stores: Stores, file: Path, on_progress: OnProgress | None = None) -> Imported:
    """What `import_file` would take in and reject; nothing is written."""
    loads, inbox = _Told(_Nowhere(), on_progress), _Counting(None)
    return _run(_flow(stores, file, loads, inbox), file, loads, inbox)


def _flow(stores: Stores, file: Path, loads: "_Told", inbox: "_Counting") -> LoadFiles:
    nowhere: Any = _Nowhere()
    return LoadFiles(
        playbooks=stores.playbooks,
        loads=loads,
        files=lambda _: LocalFile(file),
        parquet=Arrow(),
        inbox=inbox,
        # Whoever imports has the file, and is told its lines.
        rejected=nowhere,
        account_state=nowhere,
        continuation=nowhere,
        snapshots=S3Snapshots(stores.objects),
        now=stores.now,
        window_rows=WINDOW_ROWS,
    )


def _run(flow: LoadFiles, file: Path, loads: "_Told", inbox: "_Counting") -> Imported:
    dropped, drop = _dropped(file)
    load_id = load_id_of(dropped.key, dropped.version)
    known = loads.find(load_id)
    if known is None or known[0].state != "loaded":
        if known is not None:
            loads.resume(known[0])
        else:
            loads.begin(
                Load(load_id, dropped.key, dropped.version, dropped.size, drop, flow.now(), chain="00" * 32)
            )
        try:
            flow.run(LoadOrder(load_id), lambda: float("inf"))
        except Conflict:
            raise UserError(
                f"{file} is being imported by somebody else too; wait for that, then say it again to see what came of it."
            ) from None
    found = loads.find(load_id)
    assert found is not None, "it was begun"
    load = found[0]
    if load.refused:
        raise UserError(f"{file}: {load.refused}")
    faults = [f"{file}:{one.row}: {one.reason}" for one in loads.lines[:SHOWN_MAX]]
    same = known is not None and known[0].state == "loaded"
    return Imported(load.taken, len(inbox.customers), load.rejected, load.causes, faults, same)


def _dropped(file: Path) -> tuple[FileDropped, Drop]:
    """The file as if it had been dropped as history; its version is its content."""
    try:
        with file.open("rb") as opened:
            head = opened.read(4_096).lstrip()
            opened.seek(0)
            digest = hashlib.sha256()
            while block := opened.read(BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}.") from None
    drop = drop_of(f"incoming/import/history/{file.name}")
    if not isinstance(drop, Drop):
        if isinstance(drop, Refusal) and file.suffix.lower() in (".xlsx", ".xls", ".zip"):
            raise UserError(f"{file}: {drop.why}")
        drop = Drop("import", "history", "jsonl" if head.startswith(b"{") else "csv", gz=False)
    # Named by what is in it: the same file under another name goes on where it was cut off.
    key = f"incoming/import/history/{digest.hexdigest()[:20]}"
    return FileDropped(key, digest.hexdigest(), file.stat().st_size), msgspec.structs.replace(drop, source="")


class _Told:
    """The loads, with each checkpoint told to whoever shows it."""

    def __init__(self, loads: Any, on_progress: OnProgress | None) -> None:
        self._loads = loads
        self._on_progress = on_progress
        self.lines: list[ErrorLine] = []

    def begin(self, load: Load) -> Load:
        """The load as it was begun first."""
        begun: Load = self._loads.begin(load)
        return begun

    def resume(self, load: Load) -> None:
        """Show how far it had come."""
        if self._on_progress:
            self._on_progress(load)

    def find(self, load_id: str) -> tuple[Load, str] | None:
        """As far as it is."""
        found: tuple[Load, str] | None = self._loads.find(load_id)
        return found

    def checkpoint(self, load: Load, tag: str) -> str:
        """Note it and show it."""
        written: str = self._loads.checkpoint(load, tag)
        self.resume(load)
        return written

    def first_with(self, fingerprint: str, load_id: str) -> str:
        """Whoever had the content first."""
        first: str = self._loads.first_with(fingerprint, load_id)
        return first

    def keep_errors(self, load: Load, lines: Sequence[ErrorLine]) -> None:
        """Note them, and keep the first to show."""
        self.lines += lines[: SHOWN_MAX - len(self.lines)]
        self._loads.keep_errors(load, lines)

    def finish(self, load: Load) -> None:
        """Nobody dropped the file: there is nothing beside which a report could stand."""


class _Counting:
    """The inbox, and whose events went there; without one, they are only counted."""

    def __init__(self, inbox: Inbox | None) -> None:
        self._inbox = inbox
        self.customers: Counter[str] = Counter()

    def put(self, messages: Sequence[InboxMessage]) -> None:
        """In calls of a bounded size."""
        for group in _groups(iter(messages), MESSAGES_A_CALL):
            if self._inbox is not None:
                self._inbox.put(group)
        self.customers.update(
            message.customer_id for message in messages if isinstance(message, EventsReceived)
        )


class _Nowhere:
    """Ports of which an import, or a trial of one, needs nothing: a load is kept in memory, the rest is forgotten."""

    def __init__(self) -> None:
        self._load: Load | None = None

    def begin(self, load: Load) -> Load:
        self._load = load
        return load

    def find(self, _load_id: str) -> tuple[Load, str] | None:
        return (self._load, "") if self._load else None

    def checkpoint(self, load: Load, _tag: str) -> str:
        self._load = load
        return ""

    def first_with(self, _fingerprint: str, load_id: str) -> str:
        return load_id

    def keep_errors(self, load: Load, lines: Sequence[ErrorLine]) -> None:
        """Shown already."""

    def keep(self, rejected: list[dict[str, Any]], received_at: Instant) -> None:
        """Told, and not kept."""

    def again(self, order: LoadOrder) -> None:
        raise AssertionError(f"an import has all the time it takes, and {order} is not put off")

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"an import does not ask for {name}")


def import_events(
    stores: Stores, events: Iterable[Event], on_progress: Callable[[int], None] | None = None
) -> int:
    """Enqueue events as history, one message a customer; how many customers. `on_progress` gets each step's customers."""
    by_customer: dict[str, list[Event]] = {}
    for event in events:
        by_customer.setdefault(event.customer_id, []).append(event)
    messages = (EventsReceived(customer_id, mine, history=True) for customer_id, mine in by_customer.items())
    for group in _groups(messages, MESSAGES_A_CALL):
        stores.inbox.put(group)
        if on_progress:
            on_progress(len(group))
    return len(by_customer)


def _groups(items: Iterator[_Item], size: int) -> Iterator[list[_Item]]:
    while group := list(islice(items, size)):
        yield group
