"""The world of the fakes, with faults: crashes and pauses at every call, clocks that differ, minutes that tick late."""

import datetime as dt
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar
from unittest import mock

import msgspec

from functions.aws.queues import decode_inbox, decode_order
from functions.domain.backfills import Backfill, calls_for_backfill, new_segments
from functions.domain.campaigns import intent_of, run_of_source
from functions.domain.compiled import Compiled
from functions.domain.customers import Customer
from functions.domain.events import Event
from functions.domain.experiments import is_held_out
from functions.domain.instants import MINUTE, Instant, format_instant
from functions.domain.line_events import read_line_event
from functions.domain.playbook import Playbook
from functions.domain.preferences import CHAT, RECEIVE_FROM, RECEIVE_TO
from functions.domain.sends import BatchOrder, Intent, Order
from functions.ingest.flow import Answer as IngestAnswer
from functions.ports.errors import Conflict, MusubiError
from functions.ports.messages import BackfillSegment, CampaignRun, EventsReceived, InboxMessage, LineReceived
from tests.fakes.objects import FakeAudience
from tests.fakes.queues import FakeContinuation, FakeQueue, Waiting
from tests.fakes.tables import FakeIdentities
from tests.fakes.taps import Crash, When
from tests.fakes.world import ACCOUNT, World
from tests.simulation.faults import Faults, TableFault
from tests.simulation.offices import (
    SimulatedAccountState,
    SimulatedAllowances,
    SimulatedLineQuota,
    SimulatedReactions,
)
from tests.simulation.ports import (
    SLOW_SECONDS_MAX,
    SimulatedCustomers,
    SimulatedEvents,
    SimulatedLine,
    SimulatedQueue,
    SimulatedRuns,
    SimulatedSends,
    SimulatedTimers,
)
from tests.simulation.rules import WORDS
from tests.simulation.witness import Acceptance, Witness

Answer = TypeVar("Answer")

DEPTH_MAX = 3
BACKFILL_SEGMENTS = 2
BACKFILL_AFTER_SECONDS = 10
"""As `apply` has it."""
TRIES_MAX = 200
POINTS_MAX = 100_000
"""Three times what the busiest world takes: beyond, something multiplies."""
PAUSES_AT_LINE = 4
"""A worker that waits for LINE is the one that others overtake."""
CRASHES_OF_EVALUATE = 4
"""It runs seldom, so that it crashes more often than the others where it does."""
CONDITIONAL = frozenset(
    {
        "customers.save",
        "customers.save_gate",
        "identities.save_tied",
        "identities.save_joined",
        "identities.save_phone",
    }
)
BATCH_MAX = 10
CROWDED_WORLDS = 0.6
"""So many worlds have all their customers on one page, so that campaigns go to several at once."""
QUEUES = ("inbox", "send_queue", "continuation")
READS = frozenset(
    {
        "load",
        "load_gate",
        "load_both",
        "load_many",
        "link_of",
        "links_of",
        "keepsake_of",
        "merge_of",
        "keepsake_of_merge",
        "is_rewarded",
        "phone_of",
        "phone_owners",
        "find",
        "has",
        "all_of",
        "kept_of",
        "identities_of",
        "read",
    }
)


@dataclass
class Work:
    """What one worker is at: since when, by how much its clock is wrong, and whom it concerns."""

    begun_at: Instant
    clock_error: float
    facts: int
    concerns: dict[tuple[str, str], "Concerned"] = field(default_factory=dict)
    books: list[Playbook] = field(default_factory=list)
    crashes: int = 1
    messages: list[tuple[SimulatedQueue, str]] = field(default_factory=list)


class Concerned(NamedTuple):
    """An intent that a worker has in hand; whose gate decides, that person's zone, and whether it is held out."""

    intent: Intent
    owner: str
    zone: str
    held_out: bool
    hours: tuple[dt.time, dt.time] | None


class SimulatedWorld(World):
    """One seed's world. `history` tells everything that happens, where it is kept."""

    account_state: SimulatedAccountState
    allowances: SimulatedAllowances
    line: SimulatedLine
    line_quota: SimulatedLineQuota
    reactions: SimulatedReactions
    runs: SimulatedRuns
    timers: SimulatedTimers
    customers: SimulatedCustomers
    inbox_queue: SimulatedQueue
    send_queue: SimulatedQueue
    evaluate_queue: SimulatedQueue

    def __init__(
        self,
        book: Playbook,
        random_: random.Random,
        faults: Faults,
        mutate: Callable[["SimulatedWorld"], None] = lambda _world: None,
        history: list[str] | None = None,
        patches: ExitStack | None = None,
    ) -> None:
        self.random = random_
        self.faults = faults
        self.witness = Witness()
        self.history = history
        self.points = 0
        self.books: list[tuple[Instant, Playbook]] = []
        self.calm_at: Instant | None = None
        self._mutate = mutate
        self._patches = patches or ExitStack()
        self._undeployed: Playbook | None = None
        self._work: list[Work] = []
        self._ticked = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        self._ticks_again: list[tuple[Instant, Instant]] = []
        super().__init__(book, shuffle=random_)

    def _wire(self) -> None:
        self.customers = SimulatedCustomers(self.witness, self.faults)
        self.identities = FakeIdentities(self.customers)
        crowded = self.random.random() < CROWDED_WORLDS
        self.audience = FakeAudience(self.customers, 8 if crowded else 2, crowded=crowded)
        self.runs = SimulatedRuns(self.witness, self.faults, self.playbooks)
        self.events = SimulatedEvents(self.faults)
        self.sends = SimulatedSends(self.faults)
        self.timers = SimulatedTimers()
        self.line_quota = SimulatedLineQuota(self.true_time, self.faults, self.random, self.witness)
        self.allowances = SimulatedAllowances()
        self.account_state = SimulatedAccountState(self.true_time, self.faults)
        self.reactions = SimulatedReactions(self.true_time, lambda: self.book)
        self.line = SimulatedLine(
            self.true_time, self.faults, self.witness, self._slowly, self._accepted, self._is_used_up
        )
        self.inbox_queue, self.send_queue, self.evaluate_queue = (
            SimulatedQueue(self.true_time, self.faults, self.random) for _ in range(3)
        )
        super()._wire()
        self.evaluation = replace(self.evaluation, multicast_min=self.random.choice((1, 1, 2, 99)))
        self._mutate(self)
        if not self.faults.calm:
            self.tap.watch(self._at_point)

    # --- time

    def true_time(self) -> Instant:
        """The time that no clock is wrong about."""
        return self.now

    def clock(self) -> Instant:
        """The clock of the worker that asks."""
        return self.now + dt.timedelta(seconds=self._work[-1].clock_error if self._work else 0)

    def calm(self) -> None:
        """No fault strikes any more; what was to be deployed still is."""
        self.tell("CALM: no fault strikes any more")
        self.faults.calm, self.calm_at = True, self.now
        if self._undeployed is not None:
            self.apply(self._undeployed)

    def patch(self, place: object, name: str, value: object) -> None:
        """Break what the flows are made of; it is mended when the seed is over."""
        self._patches.enter_context(mock.patch.object(place, name, value))

    def _is_used_up(self, more: int) -> bool:
        """Whether LINE refuses so many more for this month."""
        return self.allowances.is_blind and self.line_quota.is_used_up(more)

    def _slowly(self) -> None:
        self.now += dt.timedelta(seconds=self.random.uniform(0, SLOW_SECONDS_MAX))

    def tell(self, text: str) -> None:
        """Note one line of the history, where one is kept."""
        if self.history is not None:
            indent = "  " * len(self._work)
            self.history.append(f"{format_instant(self.now)} {indent}{text}")

    # --- faults at calls

    def _at_point(self, _number: int, name: str, when: When) -> None:
        self.points += 1
        assert self.points < POINTS_MAX, "the world never comes to rest"
        if self.history is not None and when == "after":
            self.tell(f"{name}{self._detail(name)}")
        if self.faults.calm:
            return
        if when == "before":
            self._before(name)
        else:
            self._after(name)
        if self.faults.strikes("crash", self._work[-1].crashes if self._work else 1):
            self.tell(f"CRASH {when} {name}")
            self.send_queue.refuses = self.inbox_queue.refuses = None  # that call was never made
            raise Crash(f"{when} {name}")
        times = PAUSES_AT_LINE if name == "line.push" else 1
        if len(self._work) < DEPTH_MAX and self._work and self.faults.strikes("overtaken", times):
            self.tell(f"PAUSED {when} {name}; others go on")
            self._slowly()
            self._come_again(self._work[-1])
            if self._undeployed is not None:
                self.faults.draws["applied_midway"] += 1
                self.apply(self._undeployed)
            for _ in range(self.random.randint(1, 3)):
                self.step()

    def _come_again(self, work: Work) -> None:
        """The queue thinks that the worker is gone, and gives its message to another one."""
        if work.messages and self.faults.strikes("queue_impatient"):
            self.tell("its messages come again meanwhile")
            for queue, body in work.messages:
                queue.impatient(body)

    def _detail(self, name: str) -> str:
        if name == "sends.record_all" and (records := self.sends.all()):
            last = records[-1]
            return f" (last record: {last.send_id[:8]} {last.message} {last.status} {last.reason})"
        return ""

    def _before(self, name: str) -> None:
        port = name.partition(".")[0]
        if port == "line":
            return
        if name in ("send_queue.put", "inbox.put"):
            if self.faults.strikes("queue_refuses"):
                self.tell(f"{name} REFUSES some")
                queue = self.send_queue if port == "send_queue" else self.inbox_queue
                queue.refuses = lambda _position: self.random.random() < 0.5
            return
        if port in QUEUES:
            self._raise_if(self.faults.strikes("queue_fails"), name, "FAILS")
            return
        if name in CONDITIONAL and self.faults.strikes("table_conflict"):
            self.tell(f"{name} CONFLICT")
            raise Conflict("somebody else was first")
        self._raise_if(self.faults.strikes("table_throttled"), name, "THROTTLED")

    def _after(self, name: str) -> None:
        port, _, method = name.partition(".")
        if name in (
            "send_queue.put",
            "inbox.put",
        ):  # a batch of none is no call, and leaves the refusal to another
            self.send_queue.refuses = self.inbox_queue.refuses = None
            return
        if port == "line" or method in READS:
            return
        if name in CONDITIONAL and self.faults.strikes("table_conflict_with_itself"):
            self.tell(f"{name} committed, CONFLICT with itself")
            raise Conflict("the first attempt, unanswered, was the one that wrote")
        kind = self.faults.strikes("queue_fails" if port in QUEUES else "table_unanswered")
        self._raise_if(kind, name, "done, UNANSWERED")

    def _raise_if(self, struck: bool, name: str, what: str) -> None:
        if struck:
            self.tell(f"{name} {what}")
            raise TableFault(f"{name} {what}")

    # --- work

    @contextmanager
    def _working(self, orders: Sequence[Order] = ()) -> Iterator[Work]:
        work = Work(self.now, self.faults.clock_error(), len(self.witness.facts), books=[self.book])
        for order in orders:
            for intent in self._intents_of(order):
                key = order.send_id, intent.line_user_id
                work.concerns[key] = Concerned(intent, *self._owner_of(intent))
        self._work.append(work)
        try:
            yield work
        finally:
            self._work.pop()

    def _intents_of(self, order: Order) -> list[Intent]:
        """What an order is about."""
        if not isinstance(order, BatchOrder):
            return [order] if isinstance(order, Intent) else []
        run = self.runs.find(*run_of_source(order.source))
        chunk = self.runs.chunk(run, order.segment, order.number) if run else None
        if run is None or chunk is None:
            return []
        compiled = self.playbooks.version(run.playbook)
        return [intent_of(chunk.recipients[one], run, compiled, ACCOUNT) for one in order.members]

    def _owner_of(self, intent: Intent) -> tuple[str, str, bool, tuple[dt.time, dt.time] | None]:
        """Whose gate the intent is decided at, that person's zone, whether it is held out, and the hours chosen."""
        customer_id = intent.customer_id
        for _ in range(4):
            gate, customer = self.customers.load_both(customer_id)
            if gate is None or customer is None:
                return "", "", False, None
            if not gate.merged_into:
                source = intent.scenario or intent.campaign
                known = source in self.book.scenarios or source in self.book.campaigns
                book = self.book if known else self.playbooks.version(intent.playbook).playbook
                held_out = is_held_out(book, source, intent.kind, customer.unit)
                return customer_id, customer.profile.zone, held_out, _hours_of(customer)
            customer_id = gate.merged_into
        return "", "", False, None

    def _accepted(self, user: str, key: str, delivered: bool) -> None:
        work = self._work[-1]
        before = self._concerned(work, user, key)
        owner, zone, held_out, hours = self._owner_of(before.intent)
        self.tell(f"LINE accepts {before.intent.send_id[:8]} {before.intent.message} for {user}")
        self.witness.accepted.append(
            Acceptance(
                before.intent,
                user,
                key,
                work.begun_at,
                self.now,
                delivered,
                tuple(work.books),
                owner if owner == before.owner else "",
                zone if zone == before.zone else "",
                held_out and before.held_out,
                hours if hours == before.hours else None,
                (work.facts, len(self.witness.facts)),
            )
        )

    @staticmethod
    def _concerned(work: Work, user: str, key: str) -> Concerned:
        """The intent that a push is of: the key's, or, where a protocol is broken on purpose, one for this user."""
        if (key, user) in work.concerns:
            return work.concerns[key, user]
        return next(one for one in work.concerns.values() if one.intent.line_user_id == user)

    def step(self) -> bool:
        """One message of any queue, or a batch of the send queue; whether there was any."""
        lanes: list[Callable[[], bool]] = [
            lambda: self._receive(self.inbox_queue, self._decide),
            lambda: self._receive(self.evaluate_queue, self._evaluate_as_worker),
            self.step_send,
        ]
        self.random.shuffle(lanes)
        return any(lane() for lane in lanes)

    def step_send(self) -> bool:
        """A batch of the send queue, of any size; whether there was any."""
        received = [self.send_queue.receive(self._pick) for _ in range(self.random.randint(1, BATCH_MAX))]
        messages = [message for message in received if message is not None]
        if messages:
            self._send_batch(messages)
        return bool(messages)

    def _send_batch(self, messages: Sequence[Waiting]) -> None:
        wrong: Sequence[BaseException | None]
        try:
            wrong = self._send([message.body for message in messages])
        except (MusubiError, TableFault, Crash) as error:
            wrong = [error] * len(messages)
        for message, one in zip(messages, wrong, strict=True):
            if one is not None:
                self.send_queue.give_back(message, one)

    def _decide(self, body: str) -> None:
        message = decode_inbox(body)
        if isinstance(message, EventsReceived):
            self.witness.taken_up(message.events, live=not message.history)
        said = self._said_in_chat(message)
        self.witness.facts += [event for event in said if event.name == "consent_given"]
        with self._working():
            self.tell(f"decide takes up {body[:160]}")
            self.decide.handle(message)
        if isinstance(message, EventsReceived):
            self.witness.taken_in(message.events)
        elif said == self._said_in_chat(message):
            self.witness.facts += said

    def _said_in_chat(self, message: InboxMessage) -> list[Event]:
        """What a word in the chat says of the consent of whom the LINE user is tied to now."""
        if not isinstance(message, LineReceived) or message.raw.get("type") != "message":
            return []
        link = self.identities.link_of(message.raw["source"]["userId"])
        word, event = message.raw["message"]["text"], read_line_event(message.raw, message.received_at).event
        if link is None or not link.tied:
            return []
        name = "consent_withdrawn" if word in WORDS.stop_words else "consent_given"
        properties = {"purpose": WORDS.stops}
        return [
            Event(event.event_id, link.said_of, name, event.occurred_at, source=CHAT, properties=properties)
        ]

    def _send(self, bodies: Sequence[str]) -> list[Exception | None]:
        orders = [decode_order(body) for body in bodies]
        with self._working(orders) as work:
            work.messages = [(self.send_queue, body) for body in bodies]
            told = ", ".join(f"{type(order).__name__} {order.send_id[:8]}" for order in orders)
            self.tell(f"send takes up {told}")
            errors = self.deliver.take_all(orders)
            unexpected = [one for one in errors if one and not isinstance(one, MusubiError | TableFault)]
            for error in unexpected:
                raise error
            return errors

    def _evaluate_as_worker(self, body: str) -> None:
        with self._working() as work:
            work.crashes = CRASHES_OF_EVALUATE
            self.tell(f"evaluate takes up {body}")
            self._evaluate(body)

    @staticmethod
    def _handle(queue: FakeQueue, message: Waiting, handle: Callable[[str], None]) -> None:
        try:
            handle(message.body)
        except (MusubiError, TableFault, Crash) as error:
            queue.give_back(message, error)

    def _again_after_a_crash(self, call: Callable[[], Answer]) -> Answer:
        for _ in range(TRIES_MAX):
            try:
                with self._working():
                    return call()
            except (MusubiError, TableFault, Crash):
                continue
        raise AssertionError("the edge fails again and again")

    # --- the minutes

    def fire(self) -> None:
        """What is due by now: schedules, then the minutes' ticks, each until it is done, then the queues."""
        for campaign, occurrence in self.schedules.take_due(self.now):
            FakeContinuation(self.evaluate_queue).again(CampaignRun(campaign, occurrence))
        again = [minute for at, minute in self._ticks_again if at <= self.now]
        self._ticks_again = [one for one in self._ticks_again if one[0] > self.now]
        minute = self._next_tick()
        if minute is not None and minute <= self.now:
            self._ticked = minute
            again.append(minute)
        for one in again:
            self._tick(one)
        self.run()

    def _tick(self, minute: Instant) -> None:
        try:
            with self._working():
                self.tell(f"tick of {format_instant(minute)}")
                self.ticker.run(minute)
        except (MusubiError, TableFault, Crash):
            self._ticks_again.append((self.now + MINUTE, minute))

    def _next_tick(self) -> Instant | None:
        due = self.timers.next_tick
        return None if due is None else max(due, self._ticked + MINUTE)

    def _next_due(self) -> Instant | None:
        dues = (
            self._next_tick(),
            self.schedules.next_due,
            *(queue.next_visible for queue in (self.inbox_queue, self.send_queue, self.evaluate_queue)),
            *(at for at, _ in self._ticks_again),
        )
        return min((due for due in dues if due is not None), default=None)

    # --- a new playbook

    def deploy(self, book: Playbook, *, midway: bool) -> None:
        """Put a playbook in force now, or (`midway`) at the next moment at which a worker is in the middle of something."""
        if midway and not self.faults.calm:
            self._undeployed = book
        else:
            self.apply(book)

    def apply(self, book: Playbook) -> None:
        """Put a playbook in force, remove the schedules of what it no longer has, and back-fill where that is called for."""
        before = self.books[-1][1] if self.books else None
        self.books.append((self.now, book))
        self._undeployed = None
        for work in self._work:
            work.books.append(book)
        super().apply(book)
        if before is None:
            return
        self.tell(f"playbook {book.version} is applied")
        self.faults.draws["playbook_applied"] += 1
        for name in set(self.schedules.by_campaign) - set(book.campaigns):
            self.schedules.remove(name)
        old, new = Compiled(before), Compiled(book)
        if calls_for_backfill(old, new):
            self._begin_backfill(new, new_segments(old, new))

    def _begin_backfill(self, new: Compiled, segments: list[str]) -> None:
        self.faults.draws["back_fill"] += 1
        starts = segments if self.random.random() < 0.5 else []
        backfill = Backfill(f"b{len(self.books)}", new.version, self.now, BACKFILL_SEGMENTS, starts)
        self.backfills.begin(backfill)
        orders = [BackfillSegment(backfill.backfill_id, number) for number in range(BACKFILL_SEGMENTS)]
        self.evaluate_queue.put(
            [msgspec.json.encode(order).decode() for order in orders], BACKFILL_AFTER_SECONDS
        )

    def ingest(self, *raw: dict[str, Any]) -> IngestAnswer:
        """A request of the CRM, repeated until it is taken in; whoever told it was heard then."""
        sources = {str(one.get("source", "")) for one in raw}
        self.witness.heard += [(source, self.now) for source in sorted(sources)]
        answer = super().ingest(*raw)
        self.witness.heard += [(source, self.now) for source in sorted(sources)]
        return answer

    def replay_dead_letters(self) -> int:
        """As an operator would; how many there were."""
        return sum(queue.replay() for queue in (self.inbox_queue, self.send_queue, self.evaluate_queue))


def _hours_of(customer: Customer) -> tuple[dt.time, dt.time] | None:
    told = [customer.profile.attribute(name) for name in (RECEIVE_FROM, RECEIVE_TO)]
    if not all(isinstance(one, str) for one in told):
        return None
    return dt.time.fromisoformat(str(told[0])), dt.time.fromisoformat(str(told[1]))
