"""send: the protocol. One read, one pure decision, one conditional write, one push, one record.

Whatever happens at any point, a redelivery either finds the end recorded, or a claim to resume with the same retry
key, or nothing done at all.
"""

import datetime as dt
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from functions.domain.account import STOP_FOR, quota_block, refused_block
from functions.domain.claims import Allow, Verdict, closed, decide, unclaimed
from functions.domain.customers import Customer
from functions.domain.gate import Claim, Gate
from functions.domain.instants import Instant
from functions.domain.sends import Intent, MenuOrder, Order, content_hash, held, record_of
from functions.domain.situations import situation_of, versions_needed
from functions.domain.trace import Facts
from functions.domain.verdicts import Ended, Situation, Wait, suppressed
from functions.ports import (
    AccountRefused,
    AccountState,
    Conflict,
    Customers,
    Line,
    OverQuota,
    Playbooks,
    RateLimited,
    Rejected,
    Renderer,
    SendQueue,
    Sends,
    Timers,
    Unknown,
)
from functions.send.menus import ShowMenu

logger = logging.getLogger(__name__)

ATTEMPTS_MAX = 8
HOPS_MAX = 4
PUSHES_MAX = 2
RATE_DELAY_SECONDS = 2
RETRY_DELAY_MIN = dt.timedelta(minutes=2)
RETRY_DELAY_MAX = dt.timedelta(hours=1)

Content = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Deliver:
    """The ports of this flow. `hold_in_queue_seconds_max`: shorter holds wait in the queue, longer ones as a timer."""

    customers: Customers
    sends: Sends
    timers: Timers
    send_queue: SendQueue
    playbooks: Playbooks
    line: Line
    renderer: Renderer
    account_state: AccountState
    hold_in_queue_seconds_max: int
    now: Callable[[], Instant]

    def take(self, order: Order) -> None:
        """One message of the send queue."""
        match order:
            case Intent():
                self.deliver(order)
            case MenuOrder():
                ShowMenu(
                    self._read, self.playbooks, self.line, self.account_state, self.send_queue, self.now
                ).show(order)

    def deliver(self, intent: Intent) -> None:
        """Bring one intent to its end, or put it where it will come up again. Raises Conflict on races lost too often."""
        try:
            content = self._rendered(intent)
        except ValueError as error:
            # Neither the error's text nor its trace is logged: both may quote the customer's values.
            logger.error("message %s cannot be rendered (%s)", intent.message, type(error).__name__)  # noqa: TRY400
            self._close(intent, "", lambda _gate: Ended("failed", "render_error"), {})
            return
        claimed = self._claim(intent, content_hash(content))
        if claimed is None:
            return  # an earlier delivery recorded its end
        verdict, facts = claimed
        match verdict:
            case Allow():
                self._push(intent, verdict, content, facts)
            case Wait():
                self._hold(intent, verdict.until, verdict.reason)
            case Ended():
                self._record(intent, verdict, facts)

    def _rendered(self, intent: Intent) -> Content:
        message = self.playbooks.version(intent.playbook).playbook.messages[intent.message]
        return self.renderer.render(message.content, intent.values)

    def _claim(self, intent: Intent, content: str) -> tuple[Verdict, Facts] | None:
        """Read, decide, write on condition. What it returns is in the gate already. None: the end is on record."""
        for _ in range(ATTEMPTS_MAX):
            gate, customer = self._read(intent.customer_id)
            if gate is None or customer is None:
                return suppressed("erased"), {}
            claim = gate.claim(intent.send_id)
            if claim and claim.state == "open" and self._recorded(intent):
                return None
            now = self.now()
            rules = self.playbooks.in_force().rules
            decision = decide(intent, gate, rules, self._situation(intent, customer, now), content, now)
            if claim and claim.state != "open":
                return decision.verdict, decision.facts
            try:
                self.customers.save_gate(decision.gate)
            except Conflict:
                continue
            return decision.verdict, decision.facts
        raise Conflict(f"the gate for intent {intent.send_id} is contended")

    def _read(self, customer_id: str) -> tuple[Gate | None, Customer | None]:
        """Gate and customer, of whoever the customer was merged into."""
        for _ in range(HOPS_MAX):
            gate, customer = self.customers.load_both(customer_id)
            if gate is None or not gate.merged_into:
                return gate, customer
            customer_id = gate.merged_into
        raise Conflict("customers are merged in a circle")

    def _recorded(self, intent: Intent) -> bool:
        return self.sends.find(intent.customer_id, intent.made_at, intent.send_id) is not None

    def _situation(self, intent: Intent, customer: Customer, now: Instant) -> Situation:
        versions = {name: self.playbooks.version(name) for name in versions_needed(intent, customer)}
        account = self.account_state.read()
        return situation_of(intent, customer, self.playbooks.in_force(), versions, now, account)

    def _push(self, intent: Intent, allowed: Allow, content: Content, facts: Facts) -> None:
        """Push with the intent's own key. `unanswered`: an earlier attempt may have been accepted."""
        claim, unanswered = allowed.claim, allowed.resumed
        for _ in range(PUSHES_MAX):
            try:
                accepted = self.line.push(claim.to, content, intent.send_id)
            except Unknown:
                unanswered = True
                continue
            except RateLimited:
                self._refused_for_now(intent, claim, unanswered=unanswered)
                again = self.now() + dt.timedelta(seconds=RATE_DELAY_SECONDS)
                self.send_queue.put_later(held(intent, "rate_limit", again, self.now()), RATE_DELAY_SECONDS)
                return
            except AccountRefused as refusal:
                self._account_refused(intent, claim, refusal, unanswered=unanswered)
                return
            except Rejected as refusal:
                self._refused(intent, claim, str(refusal), facts, unanswered=unanswered)
                return
            now = self.now()
            self.sends.record(record_of(intent, "sent", "", now, accepted.request_id, facts))
            return
        now = self.now()
        delay = min(max(now - claim.key_at, RETRY_DELAY_MIN), RETRY_DELAY_MAX)
        self._hold(intent, now + delay, "no_answer")

    def _refused(self, intent: Intent, claim: Claim, reason: str, facts: Facts, *, unanswered: bool) -> None:
        """Definitely failed, and the slot given back, only where no attempt, of whichever worker, went unanswered."""

        def end(gate: Gate) -> Ended:
            definite = not unanswered and gate.claim(intent.send_id) in (None, claim)
            return Ended("failed" if definite else "unknown", reason)

        self._close(intent, claim.hash, end, facts)

    def _refused_for_now(self, intent: Intent, claim: Claim, *, unanswered: bool) -> None:
        """What was definitely refused is unclaimed: to the gate it is as if it had never been tried."""
        if not unanswered:
            self._change_gate(intent, lambda gate: unclaimed(gate, intent, claim))

    def _account_refused(
        self, intent: Intent, claim: Claim, refusal: AccountRefused, *, unanswered: bool
    ) -> None:
        """The account is blocked, and the message waits; when it comes up again, the gate decides by the block."""
        now = self.now()
        block = quota_block(now) if isinstance(refusal, OverQuota) else refused_block(now)
        logger.error("LINE refuses the account (%s); sending stops until %s", refusal, block.until)
        self.account_state.block(block)
        self._refused_for_now(intent, claim, unanswered=unanswered)
        self._hold(intent, min(block.until, now + STOP_FOR), block.reason)

    def _hold(self, intent: Intent, until: Instant, reason: str) -> None:
        now = self.now()
        seconds, waiting = (until - now).total_seconds(), held(intent, reason, until, now)
        if seconds <= self.hold_in_queue_seconds_max:
            self.send_queue.put_later(waiting, max(0, math.ceil(seconds)))
        else:
            self.timers.hold(waiting, until, now)

    def _close(self, intent: Intent, content: str, end: Callable[[Gate], Ended], facts: Facts) -> None:
        """End an intent for good: first in the gate, which gives back the slot of a failure, then on record."""
        ended = suppressed("erased")

        def change(gate: Gate) -> Gate:
            nonlocal ended
            ended = end(gate)
            return closed(gate, intent, content, ended, self.now())

        self._change_gate(intent, change)
        self._record(intent, ended, facts)

    def _change_gate(self, intent: Intent, change: Callable[[Gate], Gate]) -> None:
        """Change the gate on condition that nobody else did; a lost race starts over. No gate, no change."""
        for _ in range(ATTEMPTS_MAX):
            gate, _customer = self._read(intent.customer_id)
            if gate is None:
                return
            changed = change(gate)
            try:
                if changed != gate:
                    self.customers.save_gate(changed)
            except Conflict:
                continue
            return
        raise Conflict(f"the gate for intent {intent.send_id} is contended")

    def _record(self, intent: Intent, ended: Ended, facts: Facts) -> None:
        self.sends.record(record_of(intent, ended.outcome, ended.reason, self.now(), facts=facts))
