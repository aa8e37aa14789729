"""Work over all customers: campaign runs, back-fills, audits."""

from typing import Protocol

from functions.domain.approvals import Approval, Awaiting
from functions.domain.audits import AuditReport
from functions.domain.backfills import Backfill, ScanProgress
from functions.domain.campaigns import Chunk, Run
from functions.domain.customers import Customer
from functions.domain.instants import Instant


class Runs(Protocol):
    """The frozen lists of campaign runs. Whatever is frozen first stays; every later attempt reads that."""

    def find(self, campaign: str, occurrence: Instant) -> Run | None:
        """The run, where it was begun."""

    def freeze_run(self, run: Run) -> Run:
        """The run as it was begun first."""

    def chunk(self, run: Run, segment: int, number: int) -> Chunk | None:
        """A page frozen already."""

    def freeze_chunk(self, run: Run, segment: int, number: int, chunk: Chunk) -> Chunk:
        """The page as it was frozen first."""

    def is_enqueued(self, run: Run, segment: int, number: int) -> bool:
        """Whether this page is checkpointed."""

    def checkpoint(self, run: Run, segment: int, number: int) -> None:
        """Note that every intent of this page is in the send queue."""

    def finish(self, run: Run, targeted: int) -> None:
        """Note how many people the whole run is for."""

    def await_approval(self, run: Run, awaiting: Awaiting) -> None:
        """Note that the run waits; what was noted first stays."""

    def approval(self, run: Run) -> Approval | None:
        """What a second person said of the run, for good; None where nobody has."""


class Audience(Protocol):
    """All customers, page by page."""

    def page(self, segment: int, segments: int, start_key: str) -> tuple[list[Customer], str]:
        """The customers of one page of one scan segment, and the key of the next (empty at the end)."""


class Schedules(Protocol):
    """One one-off schedule a campaign, in UTC."""

    def put(self, campaign: str, occurrence: Instant) -> None:
        """Let `evaluate` run this campaign at this instant."""

    def remove(self, campaign: str) -> None:
        """Let it run no more."""

    def look_again(self, campaign: str, occurrence: Instant, at: Instant) -> None:
        """Let `evaluate` be given this run once more at this instant, beside whatever else is scheduled."""


class Backfills(Protocol):
    """Back-fills and how far they have come."""

    def find(self, backfill_id: str) -> Backfill | None:
        """What was asked for; None where nothing was."""

    def progress(self, backfill_id: str, segment: int) -> ScanProgress:
        """How far one scan segment has come."""

    def checkpoint(self, backfill_id: str, segment: int, progress: ScanProgress) -> None:
        """Note how far one scan segment has come."""


class Audits(Protocol):
    """Reports of audits."""

    def report(self, audit_id: str, part: int) -> AuditReport | None:
        """The report as far as it is; None where the audit has not begun."""

    def keep(self, report: AuditReport) -> None:
        """Note the report as far as it is."""
