"""evaluate: after a new playbook, find the customers whom it changes, and let decide refresh them.

One message a scan segment. Each page is looked at, its refreshes are enqueued, and only then is the page checkpointed:
a crash repeats one page, and a refresh that comes twice changes nothing the second time.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from functions.domain.backfills import Backfill, ScanProgress, needs_refresh
from functions.domain.compiled import Compiled
from functions.domain.customers import Customer, pinned_versions
from functions.domain.instants import Instant
from functions.ports.campaigns import Audience, Backfills
from functions.ports.messages import BackfillSegment, CustomerRefresh
from functions.ports.playbooks import Playbooks
from functions.ports.queues import SECONDS_IN_HAND, Continuation, Inbox

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refill:
    """The ports of this flow."""

    playbooks: Playbooks
    audience: Audience
    backfills: Backfills
    inbox: Inbox
    continuation: Continuation
    now: Callable[[], Instant]

    def run(self, order: BackfillSegment, time_left: Callable[[], float]) -> None:
        """Scan one segment as far as the time allows, then hand over to another invocation."""
        backfill = self.backfills.find(order.backfill)
        if backfill is None:
            logger.warning("back-fill %s was never begun", order.backfill)
            return
        progress = self.backfills.progress(backfill.backfill_id, order.segment)
        while not progress.done:
            if time_left() < SECONDS_IN_HAND:
                self.continuation.again(order)
                return
            progress = self._page(backfill, order.segment, progress)
            self.backfills.checkpoint(backfill.backfill_id, order.segment, progress)

    def _page(self, backfill: Backfill, segment: int, progress: ScanProgress) -> ScanProgress:
        current = self.playbooks.in_force()
        if current.version != backfill.playbook:  # a newer one is in force, with a back-fill of its own
            return msgspec.structs.replace(progress, done=True, superseded=True)
        customers, next_key = self.audience.page(segment, backfill.scan_segments, progress.next_key)
        wanted = [customer for customer in customers if self._is_wanted(customer, backfill, current)]
        self.inbox.put(
            [CustomerRefresh(one.customer_id, backfill.asked_at, backfill.starts) for one in wanted]
        )
        return ScanProgress(
            next_key, progress.looked + len(customers), progress.refreshed + len(wanted), done=not next_key
        )

    def _is_wanted(self, customer: Customer, backfill: Backfill, current: Compiled) -> bool:
        versions = {version: self.playbooks.version(version) for version in pinned_versions(customer)}
        return needs_refresh(customer, current, versions, backfill.starts, self.now())
