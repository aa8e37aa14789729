"""The protocol, broken on purpose, one rule at a time: a simulator that lets one of these pass proves nothing.

Each is named by what it does wrong; each is a mistake that somebody in the field has made.
"""

import contextlib
import copy
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import msgspec

from functions.decide.flow import Decide, _armed
from functions.domain.campaigns import Run, intent_of
from functions.domain.claims import Allow, Verdict, decide
from functions.domain.compiled import Compiled
from functions.domain.customers import Customer
from functions.domain.events import Event
from functions.domain.gate import Claim, Gate
from functions.domain.instants import Instant
from functions.domain.sends import Intent, Order, record_of
from functions.domain.trace import Facts
from functions.domain.verdicts import Ended, Situation
from functions.evaluate.flow import Evaluate
from functions.ports import Accepted, Conflict, Playbooks, Rejected, Retryable, SendQueue, Timers
from functions.send.flow import Content, Deliver
from tests.simulation.world import SimulatedWorld

Flow = TypeVar("Flow", Decide, Deliver, Evaluate)
Mutation = Callable[[SimulatedWorld], None]


def _as(kind: type[Flow], flow: Flow, **changes: Any) -> Flow:
    """The flow with the same ports, as another kind of it."""
    ports = {field.name: getattr(flow, field.name) for field in fields(flow)}
    return kind(**{**ports, **changes})


class _NoClaim(Deliver):
    """Decides, and pushes without having written the decision."""

    def _claim(self, intent: Intent, content: str) -> tuple[Verdict, Facts] | None:
        gate, customer = self._read(intent.customer_id)
        if gate is None or customer is None or self._recorded(intent):
            return None
        now = self.now()
        rules = self.playbooks.in_force().rules
        decision = decide(intent, gate, rules, self._situation(intent, customer, now), content, now)
        return decision.verdict, decision.facts


def no_claim(world: SimulatedWorld) -> None:
    """The gate is read, and not written before the push."""
    world.deliver = _as(_NoClaim, world.deliver)


class _Line:
    """LINE, as one flow calls it wrongly."""

    def __init__(self, world: SimulatedWorld) -> None:
        self._line = world.deliver.line
        self._known = world.line
        self._attempts = 0

    def link_menu(self, user: str, rich_menu_id: str) -> None:
        self._line.link_menu(user, rich_menu_id)

    def unlink_menu(self, user: str) -> None:
        self._line.unlink_menu(user)

    def push(self, to: str, messages: Sequence[Mapping[str, Any]], retry_key: str) -> Accepted:
        return self._line.push(to, messages, retry_key)


class _FreshKeys(_Line):
    def push(self, to: str, messages: Sequence[Mapping[str, Any]], retry_key: str) -> Accepted:
        self._attempts += 1
        fresh = uuid.uuid5(uuid.UUID(retry_key), str(self._attempts))
        return self._line.push(to, messages, str(fresh))


def key_from_attempt(world: SimulatedWorld) -> None:
    """Each attempt has a retry key of its own."""
    world.deliver = _as(Deliver, world.deliver, line=_FreshKeys(world))


class _RecordFirst(Deliver):
    def _push(self, intent: Intent, allowed: Allow, content: Content, facts: Facts) -> None:
        self.sends.record(record_of(intent, "sent", "", self.now(), facts=facts))
        super()._push(intent, allowed, content, facts)


def record_before_push(world: SimulatedWorld) -> None:
    """What is about to be pushed is on record as sent."""
    world.deliver = _as(_RecordFirst, world.deliver)


class _RefusingKnownKeys(_Line):
    def push(self, to: str, messages: Sequence[Mapping[str, Any]], retry_key: str) -> Accepted:
        before = len(self._known.pushes)
        answer = self._line.push(to, messages, retry_key)
        if len(self._known.pushes) == before:
            raise Rejected("http_409")
        return answer


class _ConflictIsFailure(Deliver):
    def _refused(self, intent: Intent, claim: Claim, reason: str, facts: Facts, *, unanswered: bool) -> None:
        if reason != "http_409":
            super()._refused(intent, claim, reason, facts, unanswered=unanswered)
            return
        self._close(intent, claim.hash, lambda _gate: Ended("failed", reason), facts)


def conflict_is_failure(world: SimulatedWorld) -> None:
    """409, which says that an earlier attempt was accepted, ends as failed."""
    world.deliver = _as(_ConflictIsFailure, world.deliver, line=_RefusingKnownKeys(world))


class _CheckpointAtFetch(Evaluate):
    def _enqueue(
        self, run: Run, compiled: Compiled, time_left: Callable[[], float], *, called_off: bool
    ) -> bool:
        for segment, number, chunk in self._pages(run):
            if not self.runs.is_enqueued(run, segment, number):
                self.runs.checkpoint(run, segment, number)
                intents = [
                    intent_of(one, run, compiled, self.account, called_off=called_off)
                    for one in chunk.recipients
                ]
                _put_all(self.send_queue, intents)
        return True


def _put_all(queue: SendQueue, orders: Sequence[Order]) -> None:
    if len(queue.put(orders)) < len(orders):
        raise Retryable("some were not enqueued")


def checkpoint_at_fetch(world: SimulatedWorld) -> None:
    """A campaign's page counts as done when it is read."""
    world.evaluation = _as(_CheckpointAtFetch, world.evaluation)


class _Unconditional:
    """The customers' table with gates written whatever is there by now."""

    def __init__(self, world: SimulatedWorld) -> None:
        self._customers = world.deliver.customers
        self._table = world.customers

    def __getattr__(self, name: str) -> Any:
        return getattr(self._customers, name)

    def save_gate(self, gate: Gate) -> Gate:
        stored = self._table.load_gate(gate.customer_id)
        return self._customers.save_gate(
            msgspec.structs.replace(gate, version=stored.version if stored else 0)
        )


def check_then_insert(world: SimulatedWorld) -> None:
    """The gate is checked, then written, and whoever wrote between is overwritten."""
    world.deliver = _as(Deliver, world.deliver, customers=_Unconditional(world))


class _NoOutbox(Decide):
    def _change(
        self,
        customer_id: str,
        change: Callable[[Customer, Instant], Customer],
        *more: Any,
        **named: Any,
    ) -> None:
        def enqueueing(customer: Customer, now: Instant) -> Customer:
            changed = change(customer, now)
            _put_all(self.send_queue, changed.orders)
            return msgspec.structs.replace(changed, outbox=[], menu_order=None)

        super()._change(customer_id, enqueueing, *more, **named)


def enqueue_before_write(world: SimulatedWorld) -> None:
    """Intents go into the queue, and then the state is written that they follow from."""
    world.decide = _as(_NoOutbox, world.decide)


class _WriteThenEnqueue(Decide):
    def _change(
        self,
        customer_id: str,
        change: Callable[[Customer, Instant], Customer],
        not_before: Instant | None = None,
        *,
        known_only: bool = False,
        is_repeat: object = None,
    ) -> None:
        for _ in range(8):
            now = max(self.now(), not_before) if not_before else self.now()
            loaded = self.customers.load(customer_id)
            if loaded is not None and loaded.merged_into:
                customer_id = loaded.merged_into
                continue
            if loaded is None and known_only:
                return
            changed = _armed(change(loaded or self._first_seen(customer_id, now), now), now)
            with contextlib.suppress(Conflict):
                written = msgspec.structs.replace(changed, outbox=[], menu_order=None)
                if written != loaded:
                    self.customers.save(written)
                if changed.armed_at is not None:
                    self.timers.arm(customer_id, changed.armed_at, now)
                _put_all(self.send_queue, changed.orders)
                return
        raise Conflict("the customer is contended")


def write_then_enqueue(world: SimulatedWorld) -> None:
    """The state is written, and what follows from it goes into the queue with no trace in the state."""
    world.decide = _as(_WriteThenEnqueue, world.decide)


class _UnknownIsFailure(Deliver):
    def _record(self, intent: Intent, ended: Ended, facts: Facts) -> None:
        if ended.outcome == "unknown":
            ended = Ended("failed", ended.reason)
        super()._record(intent, ended, facts)


def unknown_is_failure(world: SimulatedWorld) -> None:
    """What may have arrived ends as failed."""
    world.deliver = _as(_UnknownIsFailure, world.deliver)


class _DeafGate(Decide):
    def _note_facts(self, customer_id: str, events: Sequence[Event]) -> str:
        heard = [event for event in events if event.name != "consent_withdrawn"]
        return super()._note_facts(customer_id, heard)


def opt_out_only_folded(world: SimulatedWorld) -> None:
    """A withdrawal of consent is folded, and never comes to the gate."""
    world.decide = _as(_DeafGate, world.decide)


class _SituationWithoutHoldout(Deliver):
    def _situation(self, intent: Intent, customer: Customer, now: Instant) -> Situation:
        situation = super()._situation(intent, customer, now)
        return msgspec.structs.replace(situation, holdout=False)


def holdout_ignored(world: SimulatedWorld) -> None:
    """Who is held out is sent to as everybody else."""
    world.deliver = _as(_SituationWithoutHoldout, world.deliver)


class _Sleepless:
    """The playbooks without their quiet hours."""

    def __init__(self, playbooks: Playbooks) -> None:
        self._playbooks = playbooks

    def in_force(self) -> Compiled:
        compiled = copy.copy(self._playbooks.in_force())
        compiled.rules = msgspec.structs.replace(compiled.rules, quiet_hours=None)
        return compiled

    def version(self, version: str) -> Compiled:
        return self._playbooks.version(version)


def quiet_hours_ignored(world: SimulatedWorld) -> None:
    """Night and day are one."""
    world.deliver = _as(Deliver, world.deliver, playbooks=_Sleepless(world.deliver.playbooks))


class _Forgetful:
    """The timers, which lose whom to wake."""

    def __init__(self, timers: Timers) -> None:
        self._timers = timers

    def __getattr__(self, name: str) -> Any:
        return getattr(self._timers, name)

    def arm(self, customer_id: str, due: Instant, now: Instant) -> None:
        pass


def nobody_woken(world: SimulatedWorld) -> None:
    """Time changes memberships, and nobody looks."""
    world.decide = _as(Decide, world.decide, timers=_Forgetful(world.decide.timers))


MUTANTS: Mapping[str, Mutation] = {
    mutation.__name__: mutation
    for mutation in (
        no_claim,
        key_from_attempt,
        record_before_push,
        conflict_is_failure,
        checkpoint_at_fetch,
        check_then_insert,
        enqueue_before_write,
        write_then_enqueue,
        unknown_is_failure,
        opt_out_only_folded,
        holdout_ignored,
        quiet_hours_ignored,
        nobody_woken,
    )
}
