"""load: a file was dropped. Its rows go into the inbox, window by window, and each window is checkpointed behind it.

A crash repeats one window, and a row that comes twice is the same event twice: its id is its own, or is made of the
content of the whole file and the row's number. So the content is hashed first, and the rows are read then.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from functions.domain.events import Event
from functions.domain.instants import Instant
from functions.domain.loads import (
    Drop,
    Load,
    Refusal,
    chained,
    drop_of,
    fingerprint_of,
    load_id_of,
    stated_instant,
    watermark_of,
)
from functions.domain.playbook import Playbook
from functions.domain.rows import (
    EventCells,
    EventObject,
    SnapshotRow,
    ToEvent,
    attributes_of,
    missing_columns,
)
from functions.domain.snapshots import Snapshot, too_few
from functions.domain.watermarks import LoadNote
from functions.load.missing import (
    PAGE,
    TOMBSTONES_AT_ONCE,
    WHOLE,
    Snapshots,
    comparison,
    groups_of,
    merge_group,
    run_of_window,
    tombstones,
)
from functions.load.reading import (
    RANGE_BYTES,
    File,
    Row,
    UnreadableFile,
    columns_of,
    csv_rows,
    jsonl_rows,
)
from functions.load.windows import (
    ErrorLine,
    by_customer,
    checked,
    columns_told,
    error_lines,
    whose_row,
    windows_of,
)
from functions.ports.account import AccountState
from functions.ports.messages import EventsReceived, FileDropped, LoadOrder
from functions.ports.playbooks import Playbooks
from functions.ports.queues import SECONDS_IN_HAND, Inbox
from functions.rejected import RejectedEvents

logger = logging.getLogger(__name__)

WINDOW_ROWS = 2_000
TOLD_MAX = 10_000
"""So many faults are written beside the file; all are kept for repair."""
_NO_COLUMNS = ("jsonl",)


class Parquet(Protocol):
    """Reads Parquet."""

    def columns(self, file: File) -> list[str]:
        """The names of the columns. Raises UnreadableFile."""

    def rows(self, file: File, load: Load) -> Iterator[Row]:
        """Rows from the load's place on."""


class Loads(Protocol):
    """Loads and how far they have come."""

    def begin(self, load: Load) -> Load:
        """The load as it was begun first."""

    def find(self, load_id: str) -> tuple[Load, str] | None:
        """The load as far as it is, and the tag of that."""

    def checkpoint(self, load: Load, tag: str) -> str:
        """Note how far it is, on condition that nobody did since `tag`; the new tag. Raises Conflict."""

    def first_with(self, fingerprint: str, load_id: str) -> str:
        """The load that had this content first: this one, where nobody had."""

    def keep_errors(self, load: Load, lines: Sequence[ErrorLine]) -> None:
        """Note the faults of the window that the load is at; any number of times."""

    def finish(self, load: Load) -> None:
        """Write the report, and the error file where there are faults; any number of times."""


class LoadContinuation(Protocol):
    """The queue in front of `load`."""

    def again(self, order: LoadOrder) -> None:
        """Go on with this in a new invocation."""


@dataclass(frozen=True, slots=True)
class LoadFiles:
    """The ports of this flow. `files` opens the version of an object that a load is of."""

    playbooks: Playbooks
    loads: Loads
    files: Callable[[Load], File]
    parquet: Parquet
    inbox: Inbox
    rejected: RejectedEvents
    account_state: AccountState
    continuation: LoadContinuation
    snapshots: Snapshots
    now: Callable[[], Instant]
    window_rows: int = WINDOW_ROWS

    def begin(self, dropped: FileDropped, time_left: Callable[[], float]) -> None:
        """Load a file that was dropped. What is no file is nothing."""
        drop = drop_of(dropped.key)
        if drop is None:
            return
        load_id = load_id_of(dropped.key, dropped.version)
        begun = Load(
            load_id, dropped.key, dropped.version, dropped.size, _as_drop(drop), self.now(), chain="00" * 32
        )
        if isinstance(drop, Refusal):
            begun = msgspec.structs.replace(begun, refused=drop.why)
        self.loads.begin(begun)
        self.run(LoadOrder(load_id), time_left)

    def run(self, order: LoadOrder, time_left: Callable[[], float]) -> None:
        """Go on as far as the time allows, then hand over to another invocation.

        Raises Conflict where another worker is at it: the queue may have given both the same message, and to answer it
        would be to delete it for both. It comes again, and finds the load done, or goes on where the other died.
        """
        found = self.loads.find(order.load)
        if found is None:
            logger.warning("load %s was never begun", order.load)
            return
        if not Course(self, *found, time_left).advance():
            self.continuation.again(order)


@dataclass(slots=True)
class Course:
    """One invocation's way through one load."""

    ports: LoadFiles
    load: Load
    tag: str
    time_left: Callable[[], float]

    def advance(self) -> bool:
        """Whether there is no more to do."""
        if self.load.stage == "done":
            self.ports.loads.finish(self.load)
            return True
        if self.load.refused:
            return self._finish(self.load.refused)
        try:
            return self._hash() and self._rows() and self._missing() and self._finish()
        except UnreadableFile as error:
            return self._finish(refused=f"{error}{_taken_already(self.load)}")

    def _hash(self) -> bool:
        """Read the whole file once, to know it; then its head."""
        if self.load.stage != "hashing":
            return True
        file, chain, hashed = self.ports.files(self.load), self.load.chain, self.load.hashed
        while hashed < file.size:
            if self.time_left() < SECONDS_IN_HAND:
                self._note(chain=chain, hashed=hashed)
                return False
            block = file.read(hashed, RANGE_BYTES)
            chain, hashed = chained(chain, block), hashed + len(block)
        self.load = msgspec.structs.replace(self.load, chain=chain, hashed=hashed)
        self._begin_rows(file)
        return True

    def _begin_rows(self, file: File) -> None:
        drop, playbook = self.load.drop, self._playbook
        as_of = stated_instant(drop.stated, drop.kind, playbook.zone) if _is_snapshot(drop) else None
        self.load = msgspec.structs.replace(self.load, as_of=as_of)
        fingerprint = fingerprint_of(self.load)
        first = self.ports.loads.first_with(fingerprint, self.load.load_id)
        same_as = "" if first == self.load.load_id else first
        head: dict[str, Any] = {} if same_as else self._head(file, as_of) | self._before(as_of)
        self._note(stage="rows", fingerprint=fingerprint, same_as=same_as, **head)

    def _head(self, file: File, as_of: Instant | None) -> dict[str, Any]:
        """The columns and where the rows begin. Raises UnreadableFile."""
        drop = self.load.drop
        if drop.form in _NO_COLUMNS:
            return {}
        if drop.form == "parquet":
            head: dict[str, Any] = {"columns": self.ports.parquet.columns(file)}
        else:
            columns, place = columns_of(file, self.load)
            head = {"columns": columns, "place": msgspec.structs.replace(place, row=0)}
        missing = missing_columns(head["columns"], snapshot=_is_snapshot(drop))
        if missing:
            raise UnreadableFile(
                f"the column {', '.join(missing)} is missing; the first line must name the columns."
            )
        if _is_snapshot(drop) and as_of is None and "as_of" not in head["columns"]:
            raise UnreadableFile(
                "nothing says which day it shows; name it …_2026-11-26.csv, or add the column as_of."
            )
        return head

    def _before(self, as_of: Instant | None) -> dict[str, Any]:
        """The full snapshot that this one is compared with: the last, where that is of an earlier day."""
        last = self.ports.snapshots.last(self.load.drop.source) if self.load.drop.kind == "snapshot" else None
        if last is None or as_of is None or last.as_of >= as_of:
            return {}
        return {"before": last.load, "before_people": last.people, "gone": last.attributes}

    def _rows(self) -> bool:
        """Window by window: the good into the inbox, the bad aside, then the checkpoint."""
        if self.load.stage != "rows" or self.load.same_as:
            return True
        to_event = self._to_event()
        for window in windows_of(self._read(), self.ports.window_rows):
            if self.time_left() < SECONDS_IN_HAND:
                return False
            self._take(window, to_event)
        return True

    def _read(self) -> Iterator[Row]:
        file, load = self.ports.files(self.load), self.load
        readers = {"csv": csv_rows, "jsonl": jsonl_rows, "parquet": self.ports.parquet.rows}
        return readers[load.drop.form](file, load)

    def _to_event(self) -> ToEvent:
        drop, dictionary = self.load.drop, self._playbook.events
        if _is_snapshot(drop):
            full = drop.kind == "snapshot"
            return SnapshotRow(dictionary, drop.source, self.load.as_of, full=full, gone=self.load.gone)
        return EventCells(dictionary, drop.source) if drop.form == "csv" else EventObject(drop.source)

    def _take(self, window: list[Row], to_event: ToEvent) -> None:
        good, bad = checked(window, to_event, self.load, self._playbook, self.ports.now())
        history = self.load.drop.kind == "history"
        self.ports.inbox.put(
            [EventsReceived(customer, events, history) for customer, events in by_customer(good).items()]
        )
        load = self._counted(window, good, bad)
        if bad:
            self.ports.rejected.keep(bad, self.load.began_at)
            self.ports.loads.keep_errors(self.load, error_lines(bad)[: TOLD_MAX - self.load.told])
        if load.drop.kind == "snapshot":
            keys = {event.customer_id for event in good} | {one for one in map(whose_row, bad) if one}
            self.ports.snapshots.put_page(load.load_id, run_of_window(self.load.windows), 0, sorted(keys))
        self.tag, self.load = self.ports.loads.checkpoint(load, self.tag), load

    def _counted(self, window: list[Row], good: list[Event], bad: list[dict[str, Any]]) -> Load:
        load, causes = self.load, dict(self.load.causes)
        for fault in bad:
            causes[fault["code"]] = causes.get(fault["code"], 0) + 1
        times = [event.occurred_at for event in good]
        return msgspec.structs.replace(
            load,
            place=window[-1][2],
            windows=load.windows + 1,
            rows=load.rows + len(window),
            taken=load.taken + len(good),
            rejected=load.rejected + len(bad),
            told=min(TOLD_MAX, load.told + len(bad)),
            causes=causes,
            nameless=load.nameless + sum(not whose_row(one) for one in bad),
            columns=columns_told(load, good),
            newest=max([*times, *([load.newest] if load.newest else [])], default=None),
        )

    def _missing(self) -> bool:
        """Of a full snapshot: the list of its people, and what is known no more of those who are not in it."""
        load = self.load
        if load.drop.kind != "snapshot" or load.same_as:
            return True
        if load.stage == "rows":
            self._note(stage="missing", kept_back=self._kept_back())
        while self.load.merged < groups_of(self.load):
            if self.time_left() < SECONDS_IN_HAND:
                return False
            merge_group(self.ports.snapshots, self.load, self.load.merged)
            self._note(merged=self.load.merged + 1)
        return self._compare()

    def _kept_back(self) -> str:
        """Why nobody is taken as missing, though they are not in it; empty where they are."""
        load, source = self.load, self._playbook.sources.get(self.load.drop.source)
        if load.nameless:
            return f"{load.nameless:,} rows could not be read, and nobody knows whose they are"
        expect = source.expect if source else None
        if too_few(load.rows, load.before_people, expect.rows_within if expect else None):
            return f"it has {load.rows:,} rows, and the one before had {load.before_people:,} people"
        return ""

    def _compare(self) -> bool:
        """Page by page; those who are gone are told before the page is noted."""
        ports, gone, page = self.ports, list[str](), list[str]()
        for key, here in comparison(ports.snapshots, self.load):
            (page if here else gone).append(key)
            if len(page) == PAGE or len(gone) == TOMBSTONES_AT_ONCE:
                self._note_page(page, gone, key)
                page, gone = [], []
                if self.time_left() < SECONDS_IN_HAND:
                    return False
        if page or gone:
            self._note_page(page, gone, max([*page[-1:], *gone[-1:]]))
        if not self.load.kept_back and (at := self._shown_at) is not None:
            load = self.load
            snapshot = Snapshot(load.load_id, at, attributes_of(load.columns), load.people, load.keys_pages)
            ports.snapshots.move_on(load.drop.source, snapshot)
        return True

    @property
    def _shown_at(self) -> Instant | None:
        return self.load.as_of or self.load.newest

    def _note_page(self, page: list[str], gone: list[str], last_key: str) -> None:
        load, at = self.load, self._shown_at
        if page:
            self.ports.snapshots.put_page(load.load_id, WHOLE, load.keys_pages, page)
        told = 0
        if gone and at is not None and not load.kept_back:
            attributes = sorted({*load.gone, *attributes_of(load.columns)})
            events = tombstones(gone, load, attributes, at)
            self.ports.inbox.put([EventsReceived(customer, one) for customer, one in events.items()])
            told = len(gone)
        self._note(
            last_key=last_key,
            keys_pages=load.keys_pages + bool(page),
            people=load.people + len(page),
            tombstones=load.tombstones + told,
        )

    def _finish(self, refused: str = "") -> bool:
        load, now = msgspec.structs.replace(self.load, refused=refused), self.ports.now()
        watermark = None if refused else watermark_of(load, self._playbook, now)
        self._note_source(load, watermark, now)
        self._note(stage="done", refused=refused, watermark=watermark, ended_at=now)
        self.ports.loads.finish(self.load)
        return True

    def _note_source(self, load: Load, watermark: Instant | None, now: Instant) -> None:
        """Only of sources that the playbook names, and of files that were read to their end. Before the load is done: a
        crash between repeats it, and a load is noted once."""
        source = self._playbook.sources.get(load.drop.source)
        if load.refused or source is None or load.drop.kind == "history":
            return
        within = source.expect.rows_within if source.expect else None
        note = LoadNote(load.load_id, now, self._rows_of(load), watermark)
        self.ports.account_state.note_load(load.drop.source, note, within)

    def _rows_of(self, load: Load) -> int:
        """The rows taken in; of a file whose content was loaded before, those that it had then."""
        first = self.ports.loads.find(load.same_as) if load.same_as else None
        return first[0].taken if first else load.taken

    @property
    def _playbook(self) -> Playbook:
        return self.ports.playbooks.in_force().playbook

    def _note(self, **changes: Any) -> None:
        load = msgspec.structs.replace(self.load, **changes)
        self.tag, self.load = self.ports.loads.checkpoint(load, self.tag), load


def _taken_already(load: Load) -> str:
    """A warning for whoever mends a file that broke off midway: its rows without ids of their own would count again."""
    if not load.taken:
        return ""
    return (
        f" The first {load.rows:,} rows were read and {load.taken:,} of them taken in: send only those that follow, "
        "unless each row has an event_id."
    )


def _as_drop(drop: Drop | Refusal) -> Drop:
    return drop if isinstance(drop, Drop) else Drop("", "events", "csv", gz=False)


def _is_snapshot(drop: Drop) -> bool:
    return drop.kind in ("snapshot", "partial")
