"""What lives in the bucket, the scan over all customers, and the schedules, in memory."""

import json
from typing import Any

import msgspec

from functions.domain.approvals import Approval, Awaiting
from functions.domain.batches import Entry, Sealed
from functions.domain.campaigns import Chunk, Run
from functions.domain.compiled import Compiled
from functions.domain.context import EMPTY, Context
from functions.domain.customers import Customer
from functions.domain.instants import Instant, format_instant
from functions.domain.playbook import Playbook
from functions.ports.errors import Rejected, Retryable
from functions.ports.line import Accepted
from tests.fakes.encoded import kept, read
from tests.fakes.tables import FakeCustomers


class FakePlaybooks:
    """Versions, kept encoded, and the one in force."""

    def __init__(self) -> None:
        self._bodies: dict[str, bytes] = {}
        self._compiled: dict[str, Compiled] = {}
        self._in_force = ""
        self._context: Context = EMPTY

    def put_context(self, context: Context) -> None:
        """Let these facts be the case."""
        self._context = context

    def apply(self, playbook: Playbook) -> None:
        """Keep the version, then point to it."""
        self._bodies[playbook.version] = msgspec.json.encode(playbook)
        self._in_force = playbook.version

    def in_force(self) -> Compiled:
        """The playbook applied last."""
        if not self._in_force:
            raise Retryable("no playbook is in force")
        return self.version(self._in_force)

    def in_force_now(self) -> Compiled:
        """The same: nothing is remembered here."""
        return self.in_force()

    def version(self, version: str) -> Compiled:
        """One version."""
        if version not in self._bodies:
            raise Rejected(f"there is no playbook version {version}")
        if version not in self._compiled:
            self._compiled[version] = Compiled(msgspec.json.decode(self._bodies[version], type=Playbook))
        if self._compiled[version].context is not self._context:
            self._compiled[version] = self._compiled[version].with_context(self._context)
        return self._compiled[version]


class FakeBatches:
    """Whatever is sealed first stays, and each place of a journal is taken once."""

    def __init__(self) -> None:
        self._sealed: dict[str, bytes] = {}
        self._journals: dict[str, list[bytes]] = {}
        self._refused: set[tuple[str, int]] = set()
        self._accepted: dict[str, bytes] = {}

    def sealed(self, batch: str) -> Sealed | None:
        """The seal."""
        return read(self._sealed.get(batch), Sealed)

    def seal(self, batch: str, sealed: Sealed) -> Sealed:
        """The first seal."""
        return msgspec.json.decode(self._sealed.setdefault(batch, kept(sealed, Sealed)), type=Sealed)

    def journal(self, batch: str) -> list[Entry]:
        """All places that are taken."""
        entries = [msgspec.json.decode(body, type=Entry) for body in self._journals.get(batch, [])]
        return [
            msgspec.structs.replace(entry, refused=(batch, number) in self._refused)
            for number, entry in enumerate(entries, start=1)
        ]

    def enter(self, batch: str, place: int, entry: Entry) -> bool:
        """Whether the place was free."""
        journal = self._journals.setdefault(batch, [])
        assert place <= len(journal) + 1, "places are taken one after the other"
        if place <= len(journal):
            return False
        journal.append(kept(entry, Entry))
        return True

    def refuse(self, batch: str, place: int) -> None:
        """Note it."""
        assert place <= len(self._journals[batch])
        self._refused.add((batch, place))

    def accepted(self, batch: str) -> Accepted | None:
        """That LINE has taken it."""
        return read(self._accepted.get(batch), Accepted)

    def accept(self, batch: str, accepted: Accepted) -> None:
        """Note it."""
        self._accepted[batch] = kept(accepted, Accepted)


class FakeRuns:
    """Whatever is frozen first stays."""

    def __init__(self) -> None:
        self._frozen: dict[str, bytes] = {}
        self.enqueued: list[str] = []
        self.targeted: dict[str, int] = {}
        self._approvals: dict[str, bytes] = {}
        self._awaiting: dict[str, bytes] = {}

    def find(self, campaign: str, occurrence: Instant) -> Run | None:
        """The run, where it was begun."""
        return read(self._frozen.get(f"{campaign}@{format_instant(occurrence)}"), Run)

    def freeze_run(self, run: Run) -> Run:
        """The run as it was begun first."""
        return msgspec.json.decode(self._frozen.setdefault(run.source, kept(run, Run)), type=Run)

    def chunk(self, run: Run, segment: int, number: int) -> Chunk | None:
        """A page frozen already."""
        return read(self._frozen.get(_page(run, segment, number)), Chunk)

    def freeze_chunk(self, run: Run, segment: int, number: int, chunk: Chunk) -> Chunk:
        """The page as it was frozen first."""
        body = self._frozen.setdefault(_page(run, segment, number), kept(chunk, Chunk))
        return msgspec.json.decode(body, type=Chunk)

    def is_enqueued(self, run: Run, segment: int, number: int) -> bool:
        """Whether this page is checkpointed."""
        return _page(run, segment, number) in self.enqueued

    def checkpoint(self, run: Run, segment: int, number: int) -> None:
        """Every intent of this page is in the queue."""
        self.enqueued.append(_page(run, segment, number))

    def await_approval(self, run: Run, awaiting: Awaiting) -> None:
        """It waits since the first time this was said."""
        self._awaiting.setdefault(run.source, kept(awaiting, Awaiting))

    def awaiting(self, run: Run) -> Awaiting | None:
        """Since when it waits."""
        return read(self._awaiting.get(run.source), Awaiting)

    def approval(self, run: Run) -> Approval | None:
        """What was said of it."""
        return read(self._approvals.get(run.source), Approval)

    def decide(self, run: Run, approval: Approval) -> Approval:
        """The word as it was said first."""
        return msgspec.json.decode(
            self._approvals.setdefault(run.source, kept(approval, Approval)), type=Approval
        )

    def finish(self, run: Run, targeted: int) -> None:
        """How many people the run is for."""
        self.targeted[run.source] = targeted


def _page(run: Run, segment: int, number: int) -> str:
    return f"{run.source}/{segment}/{number}"


class FakeAudience:
    """The customers, in pages of a few. `crowded`: all of them lie in one scan segment."""

    def __init__(self, customers: FakeCustomers, page_size: int = 2, *, crowded: bool = False) -> None:
        self._customers = customers
        self.page_size = page_size
        self._crowded = crowded
        self.pages = 0

    def page(self, segment: int, segments: int, start_key: str) -> tuple[list[Customer], str]:
        """The customers of one page, and the key of the next."""
        self.pages += 1
        ids = sorted(
            customer_id
            for customer_id in self._customers.customer_bodies
            if (0 if self._crowded else sum(customer_id.encode()) % segments) == segment
            and customer_id > start_key
        )
        found = [self._customers.load(customer_id) for customer_id in ids[: self.page_size]]
        next_key = ids[self.page_size - 1] if len(ids) > self.page_size else ""
        return [customer for customer in found if customer is not None], next_key


class FakeSchedules:
    """One one-off schedule a campaign, which fires once for every `put` of an instant ahead."""

    def __init__(self) -> None:
        self._closed = False
        self.by_campaign: dict[str, Instant] = {}
        self.again: dict[tuple[str, Instant], Instant] = {}
        self.fired: set[tuple[str, str]] = set()

    def close(self) -> None:
        """Nothing is due any more, whatever is put."""
        self._closed = True
        self.by_campaign.clear()

    def put(self, campaign: str, occurrence: Instant) -> None:
        """Let it run at this instant."""
        if self._closed:
            return
        self.by_campaign[campaign] = occurrence

    def remove(self, campaign: str) -> None:
        """Let it run no more."""
        self.by_campaign.pop(campaign, None)

    def look_again(self, campaign: str, occurrence: Instant, at: Instant) -> None:
        """Let it be looked at once more."""
        self.again[campaign, occurrence] = at

    def take_due(self, now: Instant) -> list[tuple[str, Instant]]:
        """What fires now; a schedule that has fired stays where it is, as it does on AWS."""
        due = [item for item in self.by_campaign.items() if item[1] <= now and _fired(item) not in self.fired]
        self.fired |= {_fired(item) for item in due}
        again = [run for run, at in self.again.items() if at <= now]
        for run in again:
            del self.again[run]
        return [*due, *again]

    @property
    def next_due(self) -> Instant | None:
        """When the first of them fires."""
        ahead = [at for name, at in self.by_campaign.items() if _fired((name, at)) not in self.fired]
        return min([*ahead, *self.again.values()], default=None)


def _fired(item: tuple[str, Instant]) -> tuple[str, str]:
    return item[0], format_instant(item[1])


class FakeRejectedEvents:
    """What was not taken in."""

    def __init__(self) -> None:
        self.kept: list[dict[str, Any]] = []
        self.oldest: Instant | None = None

    def waits_since(self, before: Instant) -> bool:
        """Nothing is ever mended here."""
        return self.oldest is not None and self.oldest.date() < before.date()

    def keep(self, rejected: list[dict[str, Any]], received_at: Instant) -> None:
        """Keep the raw events with their faults."""
        json.dumps({"received_at": format_instant(received_at), "rejected": rejected}).encode()
        self.kept += rejected
        self.oldest = min(self.oldest or received_at, received_at)
