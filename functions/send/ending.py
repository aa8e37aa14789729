"""What follows from a decision and from LINE's answer: an end for the send log, or a place where it comes up again."""

import datetime as dt
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from functions.domain.account import STOP_FOR, Block, quota_block, refused_block
from functions.domain.claims import Allow, closed, unclaimed
from functions.domain.gate import Gate
from functions.domain.instants import Instant, next_multiple
from functions.domain.sends import BatchOrder, Intent, Order, SendRecord, held, record_of
from functions.domain.trace import Facts
from functions.domain.verdicts import Ended
from functions.ports.account import AccountState
from functions.ports.errors import AccountRefused, OverQuota, Retryable
from functions.ports.line import Accepted
from functions.ports.queues import SendQueue
from functions.ports.sending import Sends
from functions.ports.timers import Timers
from functions.send.claiming import Claiming
from functions.send.pushing import Answer, Refused, Silent

logger = logging.getLogger(__name__)

RATE_DELAY_SECONDS = 2
RETRY_DELAY_MIN = dt.timedelta(minutes=2)
RETRY_DELAY_MAX = dt.timedelta(hours=1)

CLAIMED_ELSEWHERE = "in_a_batch"

Failures = dict[str, Exception]
"""What must be delivered again, by send id, and why."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """An intent that was claimed, the hash of its content is in the claim; and what LINE answered."""

    intent: Intent
    allowed: Allow
    facts: Facts
    answer: Answer


@dataclass(frozen=True, slots=True)
class Finished:
    """The record of the end; None where the message comes up again. `freed`: LINE definitely has not taken it, and its
    claim is given back."""

    record: SendRecord | None = None
    freed: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """The ports of this part. `hold_in_queue_seconds_max`: shorter holds wait in the queue, longer ones as a timer."""

    claiming: Claiming
    sends: Sends
    timers: Timers
    send_queue: SendQueue
    account_state: AccountState
    hold_in_queue_seconds_max: int
    now: Callable[[], Instant]

    def finish(self, pushed: Pushed) -> Finished:
        """What LINE's answer means for the message."""
        intent, claim = pushed.intent, pushed.allowed.claim
        match pushed.answer:
            case Accepted(request_id=request_id):
                return Finished(record_of(intent, "sent", "", self.now(), request_id, pushed.facts))
            case Silent():
                self.hold(intent, retry_at(claim.key_at, self.now()), "no_answer")
                return Finished()
            case Refused(refusal=AccountRefused() as refusal) as refused:
                block = self.block(refusal)
                freed = self._unclaim(pushed, refused)
                self.hold(intent, min(block.until, self.now() + STOP_FOR), block.reason)
                return Finished(freed=freed)
            case Refused(is_for_now=True) as refused:
                freed = self._unclaim(pushed, refused)
                self.come_again(intent, "rate_limit", RATE_DELAY_SECONDS)
                return Finished(freed=freed)
            case Refused() as refused:
                return self._refused(pushed, refused)

    def _unclaim(self, pushed: Pushed, refused: Refused) -> bool:
        """What was definitely refused is to the gate as if it had never been tried; whether it is."""
        claim, freed = pushed.allowed.claim, False
        if refused.unanswered:
            return False

        def change(gate: Gate, intent: Intent) -> Gate:
            nonlocal freed
            freed = gate.claim(intent.send_id) == claim
            return unclaimed(gate, intent, claim)

        self._change(pushed.intent, change)
        return freed

    def _refused(self, pushed: Pushed, refused: Refused) -> Finished:
        """Definitely failed, and the slot given back, only where no try, of whichever worker, went unanswered."""
        claim = pushed.allowed.claim

        def end(gate: Gate) -> Ended:
            definite = not refused.unanswered and gate.claim(claim.send_id) in (None, claim)
            return Ended("failed" if definite else "unknown", str(refused.refusal))

        record = self.close(pushed.intent, claim.hash, end, pushed.facts)
        return Finished(record, freed=record.status == "failed")

    def close(self, intent: Intent, content: str, end: Callable[[Gate], Ended], facts: Facts) -> SendRecord:
        """End an intent for good in the gate, which gives back the slot of a failure; the record that is to follow."""
        ended = Ended("suppressed", "erased")

        def change(gate: Gate, intent: Intent) -> Gate:
            nonlocal ended
            ended = end(gate)
            return closed(gate, intent, content, ended, self.now())

        self._change(intent, change)
        return self.record(intent, ended, facts)

    def _change(self, intent: Intent, change: Callable[[Gate, Intent], Gate]) -> None:
        for error in self.claiming.change_all([intent], change).values():
            raise error

    def record(self, intent: Intent, ended: Ended, facts: Facts) -> SendRecord:
        """The line of the send log that an end is."""
        return record_of(intent, ended.outcome, ended.reason, self.now(), facts=facts)

    def record_all(self, records: Sequence[SendRecord]) -> Failures:
        """Write them, each unless there is one of its intent; those that were not surely written."""
        if not records:
            return {}
        became = self.sends.record_all(records)
        undone = [record for record, one in zip(records, became, strict=True) if one == "undone"]
        return {record.send_id: Retryable("the send log is throttled") for record in undone}

    def block(self, refusal: AccountRefused) -> Block:
        """LINE refuses the account: nothing is sent for a while, or until the month is over."""
        now = self.now()
        block = quota_block(now) if isinstance(refusal, OverQuota) else refused_block(now)
        logger.error("LINE refuses the account (%s); sending stops until %s", refusal, block.until)
        self.account_state.block(block)
        return block

    def hold(self, order: Intent | BatchOrder, until: Instant, reason: str) -> None:
        """Let it come up again at `until`."""
        now = self.now()
        self.put_off(held(order, reason, until, now), until, now)

    def put_off(self, waiting: Order, until: Instant, now: Instant) -> None:
        """Shortly, in the queue; else as a timer, where copies that wait for one instant become one again."""
        seconds = (until - now).total_seconds()
        if seconds <= self.hold_in_queue_seconds_max:
            self.send_queue.put_later(waiting, max(0, math.ceil(seconds)))
        else:
            self.timers.hold(waiting, until, now)

    def wait_for_another(self, intent: Intent) -> None:
        """Another order has claimed it, and will end it or let it go: look again later, and ever later."""
        now, notes = self.now(), intent.holds
        since = notes[-1].at if notes and notes[-1].reason == CLAIMED_ELSEWHERE else now
        step = min(max(now - since, RETRY_DELAY_MIN), RETRY_DELAY_MAX)
        self.hold(intent, next_multiple(now, step), CLAIMED_ELSEWHERE)

    def come_again(self, order: Intent | BatchOrder, reason: str, seconds: int) -> None:
        """Let it come up again in a moment, in the queue."""
        now = self.now()
        self.send_queue.put_later(held(order, reason, now + dt.timedelta(seconds=seconds), now), seconds)


def retry_at(since: Instant, now: Instant) -> Instant:
    """When to ask again after silence: two minutes after `since`, then at twice that, and so on up to every hour.

    Whatever copies there are of one message, made by crashes and the queue, come up at the same instants of one `since`:
    in the timers they become one again, however long LINE is silent.
    """
    waited, step = now - since, RETRY_DELAY_MIN
    while step <= waited and step < RETRY_DELAY_MAX:
        step *= 2
    return since + (step if waited < step else (waited // RETRY_DELAY_MAX + 1) * RETRY_DELAY_MAX)
