"""evaluate: a campaign's hour has come. Freeze whom it is for, enqueue everyone, checkpoint; any number of times.

The list is a chain of pages in the order of the scan, each frozen by whoever comes first, so that two runs side by
side walk the same chain and make the same intents. Enqueueing begins when all is frozen: a crash skips nobody.
"""

import datetime as dt
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from functions.domain.approvals import FrozenList, RunHash
from functions.domain.batches import MULTICAST_MIN, orders_of_page
from functions.domain.campaigns import (
    Chunk,
    Run,
    intent_of,
    is_occurrence,
    next_occurrence,
    number_of_user,
    recipient_of,
)
from functions.domain.compiled import Compiled
from functions.domain.instants import Instant
from functions.domain.sends import Order
from functions.evaluate.approval import AskApproval
from functions.ports.account import Measures
from functions.ports.campaigns import Audience, Runs, Schedules
from functions.ports.errors import Retryable
from functions.ports.messages import CampaignRun
from functions.ports.playbooks import PlaybooksNow
from functions.ports.queues import SECONDS_IN_HAND, Continuation, SendQueue

logger = logging.getLogger(__name__)

SCAN_SEGMENTS = 4
REARMS_MAX = 4
"""So often a playbook may come into force while one order is taken up."""
PAGES_MAX = 100_000
EARLY = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Evaluate:
    """The ports of this flow. `multicast_min`: so many people who are told the same are told together."""

    account: str
    playbooks: PlaybooksNow
    audience: Audience
    runs: Runs
    send_queue: SendQueue
    schedules: Schedules
    continuation: Continuation
    measures: Measures
    now: Callable[[], Instant]
    multicast_min: int = MULTICAST_MIN

    def run(self, campaign: str, occurrence: Instant, time_left: Callable[[], float]) -> None:
        """Run one occurrence as far as the time allows, then hand over to another invocation."""
        current = self.playbooks.in_force()
        if occurrence > self.now() + EARLY:
            logger.warning("campaign %s was called before its time", campaign)
            return
        self._rearm(campaign, current, occurrence)
        run = self._run(campaign, occurrence, current)
        if run is None:
            logger.warning("campaign %s is not in force", campaign)
            return
        if not self._advance(run, self.playbooks.version(run.playbook), time_left):
            self.continuation.again(CampaignRun(campaign, occurrence))

    def _advance(self, run: Run, compiled: Compiled, time_left: Callable[[], float]) -> bool:
        """Whether there is no more to do for now: all is enqueued, or it waits for approval."""
        frozen = self._freeze(run, compiled, time_left)
        if frozen is None:
            return False
        answer = AskApproval(self.runs, self.schedules, self.measures, self.now).ask(run, compiled, frozen)
        if answer == "wait":
            return True
        return self._enqueue(run, compiled, time_left, called_off=answer == "rejected")

    def _run(self, campaign: str, occurrence: Instant, current: Compiled) -> Run | None:
        """The run as it was begun first. One that was begun is finished, whatever is in force by now: the gate stops
        what was switched off, and every one it was for is accounted for. None where there is nothing to begin: also where
        an earlier playbook's schedule calls at an hour that is no longer the campaign's."""
        begun = self.runs.find(campaign, occurrence)
        if begun is not None:
            return begun
        wanted = current.playbook.campaigns.get(campaign)
        if wanted is None or not is_occurrence(wanted, current.playbook.zone, occurrence):
            return None
        return self.runs.freeze_run(Run(campaign, occurrence, current.version, self.now(), SCAN_SEGMENTS))

    def _rearm(self, campaign: str, current: Compiled, occurrence: Instant) -> None:
        """First of all, so that no crash can end a recurring campaign. A run that is replayed sets nothing back.

        Where another playbook came into force meanwhile, which this process may not know of for seconds, its date may have
        been overwritten with the old one: it is set again.
        """
        for _ in range(REARMS_MAX):
            wanted = current.playbook.campaigns.get(campaign)
            if wanted is None:
                return
            following = next_occurrence(wanted, current.playbook.zone, max(occurrence, self.now()))
            if following is not None:
                self.schedules.put(campaign, following)
            version, current = current.version, self.playbooks.in_force_now()
            if current.version == version:
                return

    def _freeze(self, run: Run, compiled: Compiled, time_left: Callable[[], float]) -> FrozenList | None:
        """The whole list, where every page is frozen now."""
        whole, listed = RunHash(run, compiled), set[int]()
        for segment in range(run.scan_segments):
            start_key = ""
            for number in range(PAGES_MAX):
                if time_left() < SECONDS_IN_HAND:
                    return None
                chunk = self.runs.chunk(run, segment, number) or self._frozen_page(
                    run, compiled, segment, number, start_key, listed
                )
                whole.add(chunk)
                listed.update(number_of_user(one.line_user_id) for one in chunk.recipients)
                start_key = chunk.next_key
                if not start_key:
                    break
        self.runs.finish(run, whole.frozen.targeted)
        return whole.frozen

    def _frozen_page(
        self, run: Run, compiled: Compiled, segment: int, number: int, start_key: str, listed: Collection[int]
    ) -> Chunk:
        """Who was listed already is not listed again: while the list is made a LINE user may become another customer's."""
        customers, next_key = self.audience.page(segment, run.scan_segments, start_key)
        found = {
            number_of_user(one.line_user_id): one
            for customer in customers
            if (one := recipient_of(customer, run, compiled)) is not None
        }
        chunk = Chunk([one for user, one in found.items() if user not in listed], next_key)
        return self.runs.freeze_chunk(run, segment, number, chunk)

    def _enqueue(
        self, run: Run, compiled: Compiled, time_left: Callable[[], float], *, called_off: bool
    ) -> bool:
        """Whether every page is enqueued now. The checkpoint follows the queue's answer, never the fetch."""
        for segment, number, chunk in self._pages(run):
            if self.runs.is_enqueued(run, segment, number):
                continue
            if time_left() < SECONDS_IN_HAND:
                return False
            orders = self._orders(run, compiled, segment, number, chunk, called_off=called_off)
            taken = self.send_queue.put(orders)
            if len(taken) < len(orders):
                raise Retryable(f"{len(orders) - len(taken)} orders of {run.source} were not enqueued")
            self.runs.checkpoint(run, segment, number)
        return True

    def _orders(
        self, run: Run, compiled: Compiled, segment: int, number: int, chunk: Chunk, *, called_off: bool
    ) -> Sequence[Order]:
        """People who are told the same go in batches. A run that is called off sends nothing: each ends alone."""
        if called_off:
            return [intent_of(one, run, compiled, self.account, called_off=True) for one in chunk.recipients]
        return orders_of_page(run, compiled, self.account, segment, number, chunk, self.multicast_min)

    def _pages(self, run: Run) -> Iterator[tuple[int, int, Chunk]]:
        for segment in range(run.scan_segments):
            for number in range(PAGES_MAX):
                chunk = self.runs.chunk(run, segment, number)
                if chunk is None:
                    raise Retryable(f"page {number} of {run.source} is not readable yet")
                yield segment, number, chunk
                if not chunk.next_key:
                    break
