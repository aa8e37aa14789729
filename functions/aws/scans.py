"""What scans over all customers note in the bucket: back-fills under `backfills/`, audits under `audits/`."""

import msgspec

from functions.aws.objects import Objects
from functions.domain.audits import AuditReport
from functions.domain.backfills import Backfill, ScanProgress

_backfill = msgspec.json.Decoder(Backfill)
_progress = msgspec.json.Decoder(ScanProgress)
_report = msgspec.json.Decoder(AuditReport)


class S3Backfills:
    """Each back-fill an object, and one for each of its scan segments."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def begin(self, backfill: Backfill) -> None:
        """Note what was asked for."""
        self._objects.write(f"backfills/{backfill.backfill_id}/order.json", msgspec.json.encode(backfill))

    def find(self, backfill_id: str) -> Backfill | None:
        """What was asked for; None where nothing was."""
        body = self._objects.read(f"backfills/{backfill_id}/order.json")
        return _backfill.decode(body) if body is not None else None

    def progress(self, backfill_id: str, segment: int) -> ScanProgress:
        """How far one scan segment has come."""
        body = self._objects.read(_segment_key(backfill_id, segment))
        return _progress.decode(body) if body is not None else ScanProgress()

    def checkpoint(self, backfill_id: str, segment: int, progress: ScanProgress) -> None:
        """Note how far one scan segment has come."""
        self._objects.write(_segment_key(backfill_id, segment), msgspec.json.encode(progress))


def _segment_key(backfill_id: str, segment: int) -> str:
    return f"backfills/{backfill_id}/{segment:04}.json"


class S3Audits:
    """One report a part of an audit."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def report(self, audit_id: str, part: int) -> AuditReport | None:
        """The report as far as it is; None where the audit has not begun."""
        body = self._objects.read(_report_key(audit_id, part))
        return _report.decode(body) if body is not None else None

    def keep(self, report: AuditReport) -> None:
        """Note the report as far as it is."""
        self._objects.write(_report_key(report.audit_id, report.part), msgspec.json.encode(report))


def _report_key(audit_id: str, part: int) -> str:
    return f"audits/{audit_id}/{part:04}.json"
