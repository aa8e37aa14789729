"""Mistakes on purpose in what is decided, enqueued and folded: decide, tick, evaluate, and the rules of the domain.

What is patched is patched for one seed's world (`SimulatedWorld.patch`) and mended when that is over.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from functions.decide import folding
from functions.decide.changing import ChangeCustomer
from functions.decide.flow import Decide
from functions.domain import (
    audits,
    backfills,
    caps,
    claims,
    journeys,
    memberships,
    moves,
    profiles,
    progress,
    verdicts,
)
from functions.domain.claims import Allow, Decision
from functions.domain.compiled import Compiled
from functions.domain.customers import Customer
from functions.domain.events import Event
from functions.domain.gate import Claim, Gate
from functions.domain.instants import LATEST, Instant
from functions.domain.journeys import Cause, Journey
from functions.domain.playbook import Cap, Kind, Playbook, Scenario, Split
from functions.domain.sends import Intent, Order
from functions.domain.verdicts import Ended, Rules, Situation
from functions.evaluate.backfill import Refill
from functions.evaluate.flow import Evaluate
from functions.ports.errors import Retryable
from functions.ports.messages import BackfillSegment, EventsReceived, InboxMessage
from functions.ports.timers import DueRow
from functions.tick.flow import Tick
from tests.simulation.mutants import _as
from tests.simulation.run import Mutation, matters_where
from tests.simulation.world import SimulatedWorld

HOUR = dt.timedelta(hours=1)


# --- caps, consent, freshness, expiry


def caps_by_calendar_day(world: SimulatedWorld) -> None:
    """A rolling window ends with the day in which it began."""

    def leaves_at(cap: Cap, at: Instant, zone: str) -> Instant:
        return caps.period_end(cap.calendar or "day", at, zone)

    world.patch(caps, "leaves_at", leaves_at)


def calendar_caps_in_utc(world: SimulatedWorld) -> None:
    """The customer's day is Greenwich's."""
    period_end = caps.period_end

    def in_utc(period: Literal["day", "week", "month"], at: Instant, _zone: str) -> Instant:
        return period_end(period, at, "UTC")

    world.patch(caps, "period_end", in_utc)


def category_caps_ignored(world: SimulatedWorld) -> None:
    """A cap that is of some categories only counts nothing."""

    def counts(cap: Cap, kind: Kind, _category: str) -> bool:
        return kind in cap.kinds and not cap.categories

    world.patch(caps, "counts", counts)


def freshness_ignored(world: SimulatedWorld) -> None:
    """What rests on a source goes whether the source was heard of or not."""
    world.patch(verdicts, "_stale", lambda *_arguments: None)


def consent_unless_withdrawn(world: SimulatedWorld) -> None:
    """Nobody has to have agreed; it is enough not to have refused."""

    def is_missing(intent: Intent, gate: Gate, rules: Rules) -> bool:
        withdrawn = [name for name, register in gate.consent.items() if not register.value]
        return any(name in withdrawn for name in verdicts.purposes_heeded(intent, rules))

    world.patch(verdicts, "_consent_missing", is_missing)


def expiry_ignored(world: SimulatedWorld) -> None:
    """What has expired goes all the same."""
    forbidden = verdicts._forbidden

    def forbidden_later(
        intent: Intent, gate: Gate, rules: Rules, situation: Situation, now: Instant
    ) -> Ended | None:
        return forbidden(msgspec.structs.replace(intent, expires_at=LATEST), gate, rules, situation, now)

    world.patch(verdicts, "_forbidden", forbidden_later)


# --- claims


def key_past_its_life(world: SimulatedWorld) -> None:
    """A retry key is used for as long as the message lives; LINE knows it for a day."""
    world.patch(claims, "KEY_LIFE", dt.timedelta(days=9))


def claim_pruned_early(world: SimulatedWorld) -> None:
    """A claim is forgotten an hour after it was made; a message may wait, and come again, for days."""
    new_claim = claims._new_claim

    def short_lived(intent: Intent, content: str, now: Instant, batch: str = "") -> Claim:
        return msgspec.structs.replace(new_claim(intent, content, now, batch), until=now + HOUR)

    world.patch(claims, "_new_claim", short_lived)


def slot_kept_on_failure(world: SimulatedWorld) -> None:
    """What LINE has definitely refused goes on counting against the caps."""
    closed = claims._closed

    def keeping(claim: Claim, gate: Gate, ended: Ended) -> Gate:
        return msgspec.structs.replace(closed(claim, gate, ended), contacts=gate.contacts)

    world.patch(claims, "_closed", keeping)


def resume_without_recheck(world: SimulatedWorld) -> None:
    """A claim without a record is pushed again whatever was said, or has become of the hour, meanwhile."""

    def resumed(
        intent: Intent,
        claim: Claim,
        gate: Gate,
        _rules: Rules,
        _situation: Situation,
        _content: str,
        now: Instant,
    ) -> Decision:
        return Decision(Allow(claim, resumed=True), claims._claimed(intent, gate, claim, now))

    world.patch(claims, "_resumed", resumed)


def nobody_counts_attempts(world: SimulatedWorld) -> None:
    """A worker that was refused takes the claim for its own, although another worker has tried since."""
    resumed = claims._resumed

    def uncounted(
        intent: Intent,
        claim: Claim,
        gate: Gate,
        rules: Rules,
        situation: Situation,
        content: str,
        now: Instant,
    ) -> Decision:
        lower = msgspec.structs.replace(claim, attempt=claim.attempt - 1)
        return resumed(intent, lower, gate, rules, situation, content, now)

    world.patch(claims, "_resumed", uncounted)


# --- tick


class _DoneFirst(Tick):
    def _enqueue(self, rows: list[DueRow]) -> None:
        self.timers.done(rows)
        super()._enqueue(rows)


def tick_deletes_first(world: SimulatedWorld) -> None:
    """What is due leaves the timers, and then goes into the queues."""
    world.ticker = _DoneFirst(
        world.ticker.timers, world.ticker.inbox, world.ticker.send_queue, world.ticker.now
    )


# --- the answers of batches


class _Trusting:
    """The send queue, of which everybody thinks that it takes in all that it is given."""

    def __init__(self, queue: Any) -> None:
        self._queue = queue

    def put(self, orders: Sequence[Order]) -> list[str]:
        self._queue.put(orders)
        return [order.send_id for order in orders]

    def put_later(self, order: Order, seconds: int) -> None:
        self._queue.put_later(order, seconds)


class _TrustingInbox:
    def __init__(self, inbox: Any) -> None:
        self._inbox = inbox

    def put(self, messages: Sequence[InboxMessage]) -> None:
        try:
            self._inbox.put(messages)
        except Retryable:
            return


def failed_ignored_by_decide(world: SimulatedWorld) -> None:
    """What `Failed[]` says of an outbox is not read."""
    world.decide = _as(Decide, world.decide, send_queue=_Trusting(world.decide.send_queue))


def failed_ignored_by_evaluate(world: SimulatedWorld) -> None:
    """What `Failed[]` says of a campaign's page is not read."""
    world.evaluation = _as(Evaluate, world.evaluation, send_queue=_Trusting(world.evaluation.send_queue))


def failed_ignored_by_tick(world: SimulatedWorld) -> None:
    """What `Failed[]` says of held messages, and of customers to wake, is not read."""
    tick = world.ticker
    world.ticker = Tick(tick.timers, _TrustingInbox(tick.inbox), _Trusting(tick.send_queue), tick.now)


# --- decide


def rearm_lost(world: SimulatedWorld) -> None:
    """A wake-up is written where the item's instant is another than before the write, and on no redelivery."""
    world.decide = _as(_ArmingWhereMoved, world.decide)


class _EmittingOnce(ChangeCustomer):
    def change(
        self, customer_id: str, change: Callable[[Customer, Instant], Customer], *more: Any, **named: Any
    ) -> None:
        before = self.customers.load(customer_id)
        armed = before.armed_at if before else None

        class _Once(ChangeCustomer):
            def emit(self, customer: Customer, now: Instant, *, rearm: bool) -> None:
                super().emit(customer, now, rearm=rearm and customer.armed_at != armed)

        _as(_Once, self).change(customer_id, change, *more, **named)


class _ArmingWhereMoved(Decide):
    @property
    def changing(self) -> ChangeCustomer:
        return _as(_EmittingOnce, super().changing)


class _ImportingLive(Decide):
    def handle(self, message: InboxMessage) -> None:
        if isinstance(message, EventsReceived):
            message = msgspec.structs.replace(message, history=False)
        super().handle(message)


def import_starts_journeys(world: SimulatedWorld) -> None:
    """History is taken for news."""
    world.decide = _as(_ImportingLive, world.decide)


class _NeverKnown:
    """The history, which takes every event for a new one."""

    def __init__(self, events: Any) -> None:
        self._events = events

    def __getattr__(self, name: str) -> Any:
        return getattr(self._events, name)

    def put_new(self, event: Event) -> bool:
        self._events.put_new(event)
        return True


def folds_twice(world: SimulatedWorld) -> None:
    """Nobody knows which events are folded already."""
    world.patch(Customer, "has_seen", lambda _customer, _event: False)
    world.decide = _as(Decide, world.decide, events=_NeverKnown(world.decide.events))


def events_known_for_an_hour(world: SimulatedWorld) -> None:
    """Duplicates are looked for among the events of the last hour; a source tells again what is days old."""
    has_seen = Customer.has_seen

    def seen_lately(customer: Customer, event: Event) -> bool:
        return event.occurred_at > world.now - HOUR and has_seen(customer, event)

    class Lately(_NeverKnown):
        def put_new(self, event: Event) -> bool:
            return bool(self._events.put_new(event)) or event.occurred_at <= world.now - HOUR

    world.patch(Customer, "has_seen", seen_lately)
    world.decide = _as(Decide, world.decide, events=Lately(world.decide.events))


def reentry_ignored(world: SimulatedWorld) -> None:
    """Whoever goes through no scenario just now may enter it, however often."""
    may_enter = journeys.may_enter

    def freely(scenario: Scenario, name: str, known: list[Journey], cause: Cause, now: Instant) -> bool:
        running = [journey for journey in known if journey.active]
        return may_enter(scenario, name, running, cause, now)

    world.patch(progress, "may_enter", freely)


def _with_changed_variants(book: Playbook, following: Playbook) -> bool:
    steps = [step for one in book.scenarios.values() for step in one.steps]
    return book.experiments != following.experiments and any(isinstance(step, Split) for step in steps)


@matters_where(_with_changed_variants)
def variants_drawn_anew(world: SimulatedWorld) -> None:
    """Who was exposed to a variant is not written down: changed weights move people."""
    world.patch(moves, "_with_exposures", lambda assignments, _deeds: assignments)


def dictionary_change_unnoticed(world: SimulatedWorld) -> None:
    """A profile that another dictionary folded is left as it is."""
    world.patch(memberships, "is_outdated", lambda _customer, _current: False)
    for module in (folding, audits, backfills):
        world.patch(module, "is_outdated", lambda _customer, _current: False)


def corrections_folded_late(world: SimulatedWorld) -> None:
    """A correction that comes after its original is folded like any other event."""
    world.patch(folding, "must_refold", lambda _profile, _events, _dictionary: False)
    world.patch(profiles, "must_refold", lambda _profile, _events, _dictionary: False)


# --- evaluate


class _RearmedLate(Evaluate):
    def run(self, campaign: str, occurrence: Instant, time_left: Callable[[], float]) -> None:
        is_new = self.runs.find(campaign, occurrence) is None
        super().run(campaign, occurrence, time_left)
        if is_new:
            super()._rearm(campaign, self.playbooks.in_force(), occurrence)

    def _rearm(self, campaign: str, current: Compiled, occurrence: Instant) -> None:
        pass


def campaign_rearmed_late(world: SimulatedWorld) -> None:
    """The run that was begun sets the next date when it has done everything else."""
    world.evaluation = _as(_RearmedLate, world.evaluation)


class _CheckpointFirst(Refill):
    def run(self, order: BackfillSegment, time_left: Callable[[], float]) -> None:
        backfill = self.backfills.find(order.backfill)
        if backfill is None:
            return
        progress_ = self.backfills.progress(backfill.backfill_id, order.segment)
        while not progress_.done:
            _, next_key = self.audience.page(order.segment, backfill.scan_segments, progress_.next_key)
            ahead = msgspec.structs.replace(progress_, next_key=next_key, done=not next_key)
            self.backfills.checkpoint(backfill.backfill_id, order.segment, ahead)
            progress_ = self._page(backfill, order.segment, progress_)


def backfill_checkpoint_first(world: SimulatedWorld) -> None:
    """A page of the back-fill counts as done, and then its customers are refreshed."""
    refill = world.refilling
    world.refilling = _CheckpointFirst(
        refill.playbooks, refill.audience, refill.backfills, refill.inbox, refill.continuation, refill.now
    )


DECIDING: Mapping[str, Mutation] = {
    mutation.__name__: mutation
    for mutation in (
        caps_by_calendar_day,
        calendar_caps_in_utc,
        category_caps_ignored,
        freshness_ignored,
        consent_unless_withdrawn,
        expiry_ignored,
        key_past_its_life,
        claim_pruned_early,
        slot_kept_on_failure,
        resume_without_recheck,
        nobody_counts_attempts,
        tick_deletes_first,
        failed_ignored_by_decide,
        failed_ignored_by_evaluate,
        failed_ignored_by_tick,
        rearm_lost,
        import_starts_journeys,
        folds_twice,
        events_known_for_an_hour,
        reentry_ignored,
        variants_drawn_anew,
        dictionary_change_unnoticed,
        corrections_folded_late,
        campaign_rearmed_late,
        backfill_checkpoint_first,
    )
}
