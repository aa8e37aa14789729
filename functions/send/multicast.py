"""Multicast: a batch of people who are told the same, with the guarantees that each of them has when told alone.

Claim each member, seal the batch, call LINE, record each member. A redelivery finds the claims and renews them, or the
seal and the journal, or that LINE has taken it, and goes on from there. Who cannot go in the batch goes alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from functions.domain.account import STOP_FOR
from functions.domain.batches import Entry, Sealed, Successor, standing, successors
from functions.domain.campaigns import intent_of, run_of_source
from functions.domain.claims import Allow, Decision, closed, decide_sealed, key_ends_at, released
from functions.domain.gate import Claim, Gate
from functions.domain.instants import Instant
from functions.domain.sends import KEY_LIFE, BatchOrder, Intent, SendRecord, content_hash, record_of
from functions.domain.trace import Facts
from functions.domain.verdicts import Ended, Wait
from functions.ports.campaigns import Runs
from functions.ports.customers import Both
from functions.ports.errors import AccountRefused, Conflict, RateLimited, Rejected, Retryable
from functions.ports.line import Accepted, Line
from functions.ports.playbooks import Playbooks
from functions.ports.sending import Batches
from functions.send.claiming import Claiming
from functions.send.ending import RATE_DELAY_SECONDS, Ending, Failures, retry_at
from functions.send.pushing import Refused, Silent, answer_of
from functions.send.sealing import Members, Sealing


@dataclass(frozen=True, slots=True)
class Multicast:
    """The ports of this part."""

    account: str
    runs: Runs
    batches: Batches
    playbooks: Playbooks
    line: Line
    claiming: Claiming
    ending: Ending
    sealing: Sealing
    unit_of: Callable[[Intent], str]
    record_all: Callable[[Sequence[SendRecord]], Failures]
    now: Callable[[], Instant]

    def deliver(self, order: BatchOrder) -> None:
        """Bring one batch as far as it goes. Raises Retryable where it must be delivered again."""
        page = self._page(order)
        sealed, facts, is_fresh = self.batches.sealed(order.send_id), dict[str, Facts](), False
        if sealed is None:
            (sealed, facts), is_fresh = self.sealing.seal(order, page), True
        self._part_with(order, [one for position, one in page.items() if position not in sealed.members])
        members = {position: page[position] for position in sealed.members}
        if not members:
            return
        batch = _Batch(order, sealed, members, facts)
        if is_fresh:
            self._call(batch, [])
        else:
            self._resume(batch)

    def _page(self, order: BatchOrder) -> Members:
        """Everybody whom the order is for, by position on the page."""
        campaign, occurrence = run_of_source(order.source)
        run = self.runs.find(campaign, occurrence)
        chunk = self.runs.chunk(run, order.segment, order.number) if run else None
        if run is None or chunk is None:
            raise Retryable(f"a page of {order.source} is not readable")
        compiled = self.playbooks.version(run.playbook)
        return {one: intent_of(chunk.recipients[one], run, compiled, self.account) for one in order.members}

    def _part_with(self, order: BatchOrder, others: Sequence[Intent]) -> None:
        """Those who were claimed for the batch and sealed out of it go alone. Enqueued first: until their claim is
        released they wait there, and nobody is lost."""
        if not others:
            return
        read = self.claiming.read_all(one.customer_id for one in others)
        claimed = [one for one in others if _is_claimed(read[one.customer_id][0], one, order)]
        if claimed:
            self.sealing.alone(claimed)
            self._release(order, claimed)

    def _release(self, order: BatchOrder, intents: Sequence[Intent]) -> None:
        """Take the batch's claims out of the gates, and give their units back."""
        freed: dict[str, Claim | None] = {}

        def change(gate: Gate, intent: Intent) -> Gate:
            after = released(gate, intent, order.send_id)
            freed[intent.send_id] = None if after == gate else gate.claim(intent.send_id)
            return after

        self._change_all(intents, change)
        claims = [(one, freed.get(one.send_id)) for one in intents]
        self.sealing.lending.give_back([(one, claim.key_at) for one, claim in claims if claim])

    def _change_all(self, intents: Sequence[Intent], change: Callable[[Gate, Intent], Gate]) -> None:
        for error in self.claiming.change_all(intents, change).values():
            raise error

    def _resume(self, batch: "_Batch") -> None:
        """Somebody sealed it before: go on from what the journal says."""
        accepted = self.batches.accepted(batch.name)
        if accepted is not None:
            self._record_sent(batch, accepted)
            return
        journal = self.batches.journal(batch.name)
        match standing(journal):
            case "again" | "halves" as successor:
                self._dissolve(batch, successor)
            case state:
                if self._is_still_allowed(batch, journal, is_tried=state == "tried"):
                    self._call(batch, journal)

    def _is_still_allowed(self, batch: "_Batch", journal: Sequence[Entry], *, is_tried: bool) -> bool:
        """Decide on every member anew. Where anybody may not get it now, nobody does by this batch: it is void where
        surely no call was taken; else it waits where all will be allowed while the key lives, or ends as unknown."""
        members = list(batch.members.values())
        read = self.claiming.read_all(one.customer_id for one in members)
        decide = partial(self._decided, batch, read)
        decisions = [decide(read[one.customer_id][0], one) for one in members]
        batch.facts.update({one.send_id: made.facts for one, made in zip(members, decisions, strict=True)})
        refused = [made.verdict for made in decisions if not isinstance(made.verdict, Allow)]
        if not refused:
            self._change_all(members, lambda gate, intent: decide(gate, intent).gate)
            return True
        waits = [verdict for verdict in refused if isinstance(verdict, Wait)]
        latest = max((wait.until for wait in waits), default=self.now())
        if not is_tried:
            self._void(batch, len(journal) + 1, "again")
        elif len(waits) == len(refused) and latest < self._key_ends_at(batch, read):
            self.ending.hold(batch.order, latest, waits[0].reason)
        else:
            ended = next((verdict for verdict in refused if isinstance(verdict, Ended)), None)
            self._end_as_unknown(batch, ended.reason if ended else waits[0].reason)
        return False

    def _decided(
        self, batch: "_Batch", read: Mapping[str, Both], gate: Gate | None, intent: Intent
    ) -> Decision:
        customer = read[intent.customer_id][1]
        now, rules = self.now(), self.playbooks.in_force().rules
        if gate is None or customer is None:
            erased = Decision(Ended("unknown", "erased"), gate or Gate(intent.customer_id))
            return self.claiming.without_gate(gate, now) or erased
        situation = self.claiming.situation(intent, customer, now)
        return decide_sealed(intent, gate, rules, situation, batch.name, now)

    def _key_ends_at(self, batch: "_Batch", read: Mapping[str, Both]) -> Instant:
        gates = [(read[one.customer_id][0], one) for one in batch.members.values()]
        ends = (key_ends_at(gate, one.send_id) for gate, one in gates if gate is not None)
        return min(ends, default=batch.sealed.sealed_at + KEY_LIFE)

    def _call(self, batch: "_Batch", journal: Sequence[Entry]) -> None:
        """Take the journal's next place, call LINE with the batch's key, and do what follows from its answer."""
        place, members = len(journal) + 1, list(batch.members.values())
        unit = self.unit_of(members[0])  # of the run, and so of them all
        self._enter(batch, place, Entry("call", self.now()))
        users = [one.line_user_id for one in members]
        call = partial(self.line.multicast, users, batch.sealed.content, batch.name, unit)
        match answer_of(call, unanswered=standing(journal) == "tried"):
            case Accepted() as accepted:
                self.batches.accept(batch.name, accepted)
                self._record_sent(batch, accepted)
            case Silent():
                self.ending.hold(batch.order, retry_at(batch.sealed.sealed_at, self.now()), "no_answer")
            case Refused(refusal=refusal, unanswered=unanswered):
                if not unanswered:
                    self.batches.refuse(batch.name, place)
                self._refused(batch, place, refusal, unanswered=unanswered)

    def _enter(self, batch: "_Batch", place: int, entry: Entry) -> None:
        if not self.batches.enter(batch.name, place, entry):
            raise Conflict("another worker is at this batch")

    def _refused(
        self, batch: "_Batch", place: int, refusal: Rejected | RateLimited, *, unanswered: bool
    ) -> None:
        """Refused for now, the batch comes again as it is. Refused itself, it is halved, so that whoever LINE refuses is
        found; but not where an earlier call may have been taken: then nobody knows."""
        match refusal:
            case RateLimited():
                self.ending.come_again(batch.order, "rate_limit", RATE_DELAY_SECONDS)
            case AccountRefused():
                block = self.ending.block(refusal)
                self.ending.hold(batch.order, min(block.until, self.now() + STOP_FOR), block.reason)
            case _ if unanswered:
                self._end_as_unknown(batch, str(refusal))
            case _:
                self._void(batch, place + 1, "halves")

    def _void(self, batch: "_Batch", place: int, successor: Successor) -> None:
        """Nobody calls LINE for this batch any more."""
        self._enter(batch, place, Entry(successor, self.now()))
        self._dissolve(batch, successor)

    def _dissolve(self, batch: "_Batch", successor: Successor) -> None:
        """Release every member, then enqueue what follows; as often as it takes, for the journal says what that is."""
        self._release(batch.order, list(batch.members.values()))
        following = successors(batch.order, batch.sealed, successor, self.account)
        orders = [batch.members[one.members[0]] if len(one.members) == 1 else one for one in following]
        if len(self.sealing.send_queue.put(orders)) < len(orders):
            raise Retryable("what follows a void batch was not enqueued")

    def _record_sent(self, batch: "_Batch", accepted: Accepted) -> None:
        now = self.now()
        self._record(
            [
                record_of(one, "sent", "", now, accepted.request_id, batch.facts.get(one.send_id))
                for one in batch.members.values()
            ]
        )

    def _end_as_unknown(self, batch: "_Batch", reason: str) -> None:
        """It may have arrived, and is not said again: each member's claim is closed, and each end recorded."""
        ended, content = Ended("unknown", reason), content_hash(batch.sealed.content)
        members = list(batch.members.values())
        self._change_all(members, lambda gate, one: closed(gate, one, content, ended, self.now()))
        self._record([self.ending.record(one, ended, batch.facts.get(one.send_id, {})) for one in members])

    def _record(self, records: Sequence[SendRecord]) -> None:
        for error in self.record_all(records).values():
            raise error


@dataclass(frozen=True, slots=True)
class _Batch:
    """A sealed batch in a worker's hands. `facts`: what the decisions on its members rested on, by send id."""

    order: BatchOrder
    sealed: Sealed
    members: Members
    facts: dict[str, Facts]

    @property
    def name(self) -> str:
        """The batch's name, which is its retry key."""
        return self.order.send_id


def _is_claimed(gate: Gate | None, intent: Intent, order: BatchOrder) -> bool:
    claim = gate.claim(intent.send_id) if gate else None
    return claim is not None and claim.batch == order.send_id and claim.state == "open"
