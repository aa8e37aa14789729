"""The protocol, broken on purpose, one rule at a time: a simulator that lets one of these pass proves nothing.

Each is named by what it does wrong; each is a mistake that somebody in the field has made.
"""

import contextlib
import copy
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, ClassVar, TypeVar

import msgspec

from functions.decide.changing import ChangeCustomer, armed
from functions.decide.facts import NoteFacts
from functions.decide.flow import Decide
from functions.domain.account import Block
from functions.domain.campaigns import Run, intent_of
from functions.domain.claims import Allow
from functions.domain.compiled import Compiled
from functions.domain.customers import Customer
from functions.domain.events import Event
from functions.domain.gate import Gate
from functions.domain.instants import Instant
from functions.domain.sends import Intent, Order, SendRecord, record_of
from functions.domain.verdicts import Ended, Situation
from functions.evaluate.flow import Evaluate
from functions.ports.customers import Customers, Written
from functions.ports.errors import Conflict, Rejected, Retryable
from functions.ports.line import Accepted
from functions.ports.playbooks import Playbooks
from functions.ports.queues import SendQueue
from functions.ports.timers import Timers
from functions.send.claiming import Claiming
from functions.send.ending import Ending, Failures, Finished, Pushed
from functions.send.flow import Deliver, Said
from functions.send.pushing import Answer, Refused
from tests.simulation.world import SimulatedWorld

Flow = TypeVar("Flow", Decide, Deliver, Evaluate, ChangeCustomer, NoteFacts)
Mutation = Callable[[SimulatedWorld], None]


def _as(kind: type[Flow], flow: Flow, **changes: Any) -> Flow:
    """The flow with the same ports, as another kind of it."""
    ports = {field.name: getattr(flow, field.name) for field in fields(flow)}
    return kind(**{**ports, **changes})


class _Unwritten:
    """The customers' table, whose gates are never written: it answers as if they were."""

    def __init__(self, customers: Customers) -> None:
        self._customers = customers

    def __getattr__(self, name: str) -> Any:
        return getattr(self._customers, name)

    def save_gates(self, gates: Sequence[Gate]) -> list[Written]:
        return ["written" for _ in gates]


def no_claim(world: SimulatedWorld) -> None:
    """The gate is read, and not written before the push."""
    world.deliver = _as(Deliver, world.deliver, customers=_Unwritten(world.deliver.customers))


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

    def push(
        self, to: str, messages: Sequence[Mapping[str, Any]], retry_key: str, unit: str = ""
    ) -> Accepted:
        return self._line.push(to, messages, retry_key, unit)

    def multicast(
        self, to: Sequence[str], messages: Sequence[Mapping[str, Any]], retry_key: str, unit: str = ""
    ) -> Accepted:
        return self._line.multicast(to, messages, retry_key, unit)


class _FreshKeys(_Line):
    def push(
        self, to: str, messages: Sequence[Mapping[str, Any]], retry_key: str, unit: str = ""
    ) -> Accepted:
        self._attempts += 1
        fresh = uuid.uuid5(uuid.UUID(retry_key), str(self._attempts))
        return self._line.push(to, messages, str(fresh), unit)


def key_from_attempt(world: SimulatedWorld) -> None:
    """Each attempt has a retry key of its own."""
    world.deliver = _as(Deliver, world.deliver, line=_FreshKeys(world))


class _RecordFirst(Deliver):
    def _ask(self, intent: Intent, allowed: Allow, said: Said) -> Answer:
        self.sends.record_all([record_of(intent, "sent", "", self.now())])
        return super()._ask(intent, allowed, said)


def record_before_push(world: SimulatedWorld) -> None:
    """What is about to be pushed is on record as sent."""
    world.deliver = _as(_RecordFirst, world.deliver)


class _RefusingKnownKeys(_Line):
    def push(
        self, to: str, messages: Sequence[Mapping[str, Any]], retry_key: str, unit: str = ""
    ) -> Accepted:
        before = len(self._known.pushes)
        answer = self._line.push(to, messages, retry_key, unit)
        if len(self._known.pushes) == before:
            raise Rejected("http_409")
        return answer


class _ConflictIsFailure(Ending):
    def _refused(self, pushed: Pushed, refused: Refused) -> Finished:
        reason = str(refused.refusal)
        if reason != "http_409":
            return super()._refused(pushed, refused)
        claim = pushed.allowed.claim
        return Finished(
            self.close(pushed.intent, claim.hash, lambda _gate: Ended("failed", reason), pushed.facts)
        )


class _EndingOtherwise(Deliver):
    """With another kind of endings."""

    kind: ClassVar[type[Ending]] = Ending

    @property
    def ending(self) -> Ending:
        mine = super().ending
        return self.kind(**{field.name: getattr(mine, field.name) for field in fields(mine)})


class _With409AsFailure(_EndingOtherwise):
    kind = _ConflictIsFailure


def conflict_is_failure(world: SimulatedWorld) -> None:
    """409, which says that an earlier attempt was accepted, ends as failed."""
    world.deliver = _as(_With409AsFailure, world.deliver, line=_RefusingKnownKeys(world))


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

    def save_gates(self, gates: Sequence[Gate]) -> list[Written]:
        stored = [self._table.load_gate(gate.customer_id) for gate in gates]
        return self._customers.save_gates(
            [
                msgspec.structs.replace(gate, version=known.version if known else 0)
                for gate, known in zip(gates, stored, strict=True)
            ]
        )


def check_then_insert(world: SimulatedWorld) -> None:
    """The gate is checked, then written, and whoever wrote between is overwritten."""
    world.deliver = _as(Deliver, world.deliver, customers=_Unconditional(world))


class _EnqueueingFirst(ChangeCustomer):
    def change(
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

        super().change(customer_id, enqueueing, *more, **named)


class _NoOutbox(Decide):
    @property
    def changing(self) -> ChangeCustomer:
        return _as(_EnqueueingFirst, super().changing)


def enqueue_before_write(world: SimulatedWorld) -> None:
    """Intents go into the queue, and then the state is written that they follow from."""
    world.decide = _as(_NoOutbox, world.decide)


class _EnqueueingLast(ChangeCustomer):
    def change(
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
            changed = armed(change(loaded or self.first_seen(customer_id, now), now), now)
            with contextlib.suppress(Conflict):
                written = msgspec.structs.replace(changed, outbox=[], menu_order=None)
                if written != loaded:
                    self.customers.save(written)
                if changed.armed_at is not None:
                    self.timers.arm(customer_id, changed.armed_at, now)
                _put_all(self.send_queue, changed.orders)
                return
        raise Conflict("the customer is contended")


class _WriteThenEnqueue(Decide):
    @property
    def changing(self) -> ChangeCustomer:
        return _as(_EnqueueingLast, super().changing)


def write_then_enqueue(world: SimulatedWorld) -> None:
    """The state is written, and what follows from it goes into the queue with no trace in the state."""
    world.decide = _as(_WriteThenEnqueue, world.decide)


class _UnknownIsFailure(Ending):
    def record_all(self, records: Sequence[SendRecord]) -> Failures:
        return super().record_all(
            [
                msgspec.structs.replace(one, status="failed") if one.status == "unknown" else one
                for one in records
            ]
        )


class _WithoutUnknown(_EndingOtherwise):
    kind = _UnknownIsFailure


def unknown_is_failure(world: SimulatedWorld) -> None:
    """What may have arrived ends as failed."""
    world.deliver = _as(_WithoutUnknown, world.deliver)


class _Deaf(NoteFacts):
    def note(self, customer_id: str, events: Sequence[Event]) -> str:
        heard = [event for event in events if event.name != "consent_withdrawn"]
        return super().note(customer_id, heard)


class _DeafGate(Decide):
    @property
    def facts(self) -> NoteFacts:
        return _as(_Deaf, super().facts)


def opt_out_only_folded(world: SimulatedWorld) -> None:
    """A withdrawal of consent is folded, and never comes to the gate."""
    world.decide = _as(_DeafGate, world.decide)


class _ClaimingWithoutHoldout(Claiming):
    def situation(
        self, intent: Intent, customer: Customer, now: Instant, refusal: Block | None = None
    ) -> Situation:
        return msgspec.structs.replace(super().situation(intent, customer, now, refusal), holdout=False)


class _HoldoutIgnored(Deliver):
    @property
    def claiming(self) -> Claiming:
        mine = super().claiming
        return _ClaimingWithoutHoldout(**{field.name: getattr(mine, field.name) for field in fields(mine)})


def holdout_ignored(world: SimulatedWorld) -> None:
    """Who is held out is sent to as everybody else."""
    world.deliver = _as(_HoldoutIgnored, world.deliver)


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
