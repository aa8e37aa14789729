"""What scans note, in memory."""

from functions.domain.audits import AuditReport
from functions.domain.backfills import Backfill, ScanProgress
from tests.fakes.encoded import kept, read


class FakeBackfills:
    """Back-fills and how far they have come."""

    def __init__(self) -> None:
        self._orders: dict[str, bytes] = {}
        self._progress: dict[tuple[str, int], bytes] = {}

    def begin(self, backfill: Backfill) -> None:
        """Note what was asked for."""
        self._orders[backfill.backfill_id] = kept(backfill, Backfill)

    def find(self, backfill_id: str) -> Backfill | None:
        """What was asked for."""
        return read(self._orders.get(backfill_id), Backfill)

    def progress(self, backfill_id: str, segment: int) -> ScanProgress:
        """How far one scan segment has come."""
        return read(self._progress.get((backfill_id, segment)), ScanProgress) or ScanProgress()

    def checkpoint(self, backfill_id: str, segment: int, progress: ScanProgress) -> None:
        """Note how far one scan segment has come."""
        self._progress[backfill_id, segment] = kept(progress, ScanProgress)


class FakeAudits:
    """One report a part of an audit."""

    def __init__(self) -> None:
        self._reports: dict[tuple[str, int], bytes] = {}

    def report(self, audit_id: str, part: int) -> AuditReport | None:
        """The report as far as it is."""
        return read(self._reports.get((audit_id, part)), AuditReport)

    def keep(self, report: AuditReport) -> None:
        """Note the report as far as it is."""
        self._reports[report.audit_id, report.part] = kept(report, AuditReport)


class FakeMeasures:
    """What was said last of each number."""

    def __init__(self) -> None:
        self.last: dict[str, int] = {}

    def count(self, name: str, number: int) -> None:
        """Say how many there are now."""
        self.last[name] = number
