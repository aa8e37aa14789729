"""evaluate: once a day, a sample of customers has its memberships worked out anew; any difference wakes a person. Whoever
has events that are older than they are kept is told to decide, which folds them away."""

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from functions.domain.audits import AUDIT_PARTS, AuditReport, finding_of, with_page
from functions.domain.bases import lines_of
from functions.domain.compiled import Compiled
from functions.domain.customers import Customer, folds_away
from functions.domain.instants import Instant
from functions.ports.account import Measures
from functions.ports.campaigns import Audience, Audits
from functions.ports.errors import Rejected
from functions.ports.messages import AuditPart, CustomerRefresh
from functions.ports.playbooks import Playbooks
from functions.ports.queues import SECONDS_IN_HAND, Continuation, Inbox
from functions.rejected import Unmended

logger = logging.getLogger(__name__)
REJECTED_FORGOTTEN = "RejectedForgotten"
FORGOTTEN_AFTER = dt.timedelta(days=30)
"""So long a rejected event may wait for a person before somebody is woken; it is kept far longer (infra/objects.py)."""


@dataclass(frozen=True, slots=True)
class Audit:
    """The ports of this flow."""

    playbooks: Playbooks
    audience: Audience
    audits: Audits
    measures: Measures
    continuation: Continuation
    inbox: Inbox
    rejected: Unmended
    now: Callable[[], Instant]

    def run(self, order: AuditPart, time_left: Callable[[], float]) -> AuditReport:
        """Audit one part as far as the time allows, then hand over to another invocation. The report, as far as it is."""
        report = self.audits.report(order.audit, order.part) or AuditReport(
            order.audit, order.part, AUDIT_PARTS, self.playbooks.in_force().version, self.now()
        )
        while not report.done:
            if time_left() < SECONDS_IN_HAND:
                self.continuation.again(order)
                break
            report = self._page(report)
            if report.done:  # told before it is noted: a crash tells it twice rather than never
                self._tell(report)
            self.audits.keep(report)
        return report

    def _page(self, report: AuditReport) -> AuditReport:
        current, now = self.playbooks.in_force(), self.now()
        customers, next_key = self.audience.page(report.part, report.parts, report.next_key)
        findings = [finding_of(one, current, self._kept_under(one), now) for one in customers]
        self._fold_away(customers, current, now)
        return msgspec.structs.replace(with_page(report, findings, next_key), done=not next_key)

    def _fold_away(self, customers: Sequence[Customer], current: Compiled, now: Instant) -> None:
        """Whoever has events that are older than they are kept: only decide may touch a customer. This night comes to
        each customer in its turn; to ask twice is harmless."""
        kept_seconds = current.playbook.folded_away
        lines = lines_of(kept_seconds, kept_seconds, now)
        due = [one for one in customers if folds_away(one, lines, current.dictionary)]
        if due:
            self.inbox.put([CustomerRefresh(one.customer_id, now) for one in due])
            self.measures.count("CustomersFoldedAway", len(due))

    def _kept_under(self, customer: Customer) -> Compiled | None:
        try:
            return self.playbooks.version(customer.segments_of) if customer.segments_of else None
        except Rejected:
            return None

    def _tell(self, report: AuditReport) -> None:
        self.measures.count("MembershipDifferences", report.differences)
        self.measures.count("MembershipsOverdue", report.overdue)
        self.measures.count(REJECTED_FORGOTTEN, int(self.rejected.waits_since(self.now() - FORGOTTEN_AFTER)))
        if report.differences:
            logger.error("%d of %d customers have other memberships", report.differences, report.looked)
