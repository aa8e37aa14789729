"""The production flows, wired to the fakes, under a clock that a test moves."""

import datetime as dt
import json
import random
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from functions.addresses import SignedAddresses
from functions.aws.queues import decode_evaluation, decode_inbox, decode_order
from functions.decide.answers import HearAnswers
from functions.decide.erased import ForTheLiving, LivingCustomers, LivingEvents, LivingIdentities, Watch
from functions.decide.flow import Decide
from functions.decide.late import SetAside
from functions.decide.link_attempts import TakeUp
from functions.decide.link_replies import LinkReplies
from functions.decide.reactions import WatchReactions
from functions.domain.campaigns import next_occurrence
from functions.domain.customers import Customer
from functions.domain.gate import Gate
from functions.domain.instants import Instant, format_instant
from functions.domain.intents import step_expiry
from functions.domain.playbook import Playbook
from functions.domain.sends import Intent, Order, SendRecord, send_id_of
from functions.evaluate.audit import Audit
from functions.evaluate.backfill import Refill
from functions.evaluate.flow import Evaluate
from functions.ingest.flow import Answer as IngestAnswer
from functions.ingest.flow import Ingest
from functions.ports.errors import MusubiError
from functions.ports.messages import AuditPart, BackfillSegment, CampaignRun, CustomerDue, EventsReceived
from functions.rejected import KeepOfTheLiving
from functions.rendering import JinjaRenderer
from functions.send.allowance import Lending
from functions.send.flow import Deliver
from functions.tick.flow import Tick
from functions.tokens import Tokens
from functions.webhook.flow import Answer as WebhookAnswer
from functions.webhook.flow import Receive, signature_of
from tests.fakes.aggregation_units import FakeAggregationUnits
from tests.fakes.allowances import FakeAllowances, FakeLineQuota
from tests.fakes.line import FakeLine
from tests.fakes.linking import FakeLinkAttempts, FakeReplies
from tests.fakes.objects import (
    FakeAudience,
    FakeBatches,
    FakePlaybooks,
    FakeRejectedEvents,
    FakeRuns,
    FakeSchedules,
)
from tests.fakes.playbooks import send
from tests.fakes.queues import FakeContinuation, FakeInbox, FakeQueue, FakeSendQueue, Waiting
from tests.fakes.scans import FakeAudits, FakeBackfills, FakeMeasures
from tests.fakes.tables import (
    FakeAccountState,
    FakeCustomers,
    FakeEvents,
    FakeIdentities,
    FakeReactions,
    FakeSends,
    FakeSuppressions,
    FakeTimers,
)
from tests.fakes.taps import Crash, Tap, tapped

Answer = TypeVar("Answer")

ACCOUNT = "main"
SECRET = "channel-secret"
INGEST_KEY = "ingest-key"
LINK_KEY, LINK_URL = "k" * 43, "https://api.example"
ROUNDS_MAX = 20_000
JST = dt.timezone(dt.timedelta(hours=9))
START = dt.datetime(2026, 11, 2, 12, 0, tzinfo=JST).astimezone(dt.UTC)
"""A Monday, noon in Tokyo."""


def jst(month: int, day: int, hour: int = 0, minute: int = 0) -> Instant:
    """An instant of 2026 by Tokyo's clock."""
    return dt.datetime(2026, month, day, hour, minute, tzinfo=JST).astimezone(dt.UTC)


def one_after_the_other(calls: Sequence[Callable[[], Answer]]) -> list[Answer | Exception]:
    """The calls of a batch in a world without threads."""
    answers: list[Answer | Exception] = []
    for call in calls:
        try:
            answers.append(call())
        except Exception as error:  # noqa: BLE001 — as the threads hand it over
            answers.append(error)
    return answers


class World:
    """Everything, in one process. A worker's crash is followed by the redelivery of what it worked on."""

    def __init__(
        self,
        book: Playbook,
        *,
        start: Instant = START,
        shuffle: random.Random | None = None,
        account: str = ACCOUNT,
    ) -> None:
        self.now = start
        self.account = account
        self.tap = Tap()
        self._shuffle = shuffle
        self.customers = FakeCustomers()
        self.identities = FakeIdentities(self.customers)
        self.events = FakeEvents()
        self.sends = FakeSends()
        self.timers = FakeTimers()
        self.account_state = FakeAccountState()
        self.reactions = FakeReactions()
        self.playbooks = FakePlaybooks()
        self.runs = FakeRuns()
        self.batches = FakeBatches()
        self.audience = FakeAudience(self.customers)
        self.schedules = FakeSchedules()
        self.backfills = FakeBackfills()
        self.audits = FakeAudits()
        self.measures = FakeMeasures()
        self.link_attempts = FakeLinkAttempts()
        self.replies = FakeReplies()
        self.rejected = FakeRejectedEvents()
        self.suppressions = FakeSuppressions()
        self.allowances = FakeAllowances()
        self.line_quota = FakeLineQuota()
        self.units = FakeAggregationUnits()
        self.line = FakeLine(self.clock)
        self.inbox_queue = FakeQueue(self.clock)
        self.send_queue = FakeQueue(self.clock)
        self.evaluate_queue = FakeQueue(self.clock)
        self.time_left: Callable[[], float] = lambda: 900.0
        self._wire()
        self._numbers: dict[str, int] = {}
        self.apply(book)

    def _wire(self) -> None:
        tap = self.tap
        inbox = tapped(FakeInbox(self.inbox_queue), tap, "inbox")
        to_send = tapped(FakeSendQueue(self.send_queue), tap, "send_queue")
        customers = tapped(self.customers, tap, "customers")
        timers = tapped(self.timers, tap, "timers")
        self.receive = Receive(lambda: [SECRET], inbox, self.clock)
        self.ingestion = Ingest(
            lambda: [INGEST_KEY],
            self.playbooks,
            inbox,
            KeepOfTheLiving(
                tapped(self.rejected, tap, "rejected"),
                tapped(self.suppressions, tap, "suppressions"),
                self.measures,
            ),
            tapped(self.account_state, tap, "account_state"),
            self.clock,
        )
        suppressions = tapped(self.suppressions, tap, "suppressions")
        watch = Watch(suppressions)
        self.decide = Decide(
            self.account,
            LivingCustomers(customers, watch),
            LivingIdentities(tapped(self.identities, tap, "identities"), watch),
            LivingEvents(tapped(self.events, tap, "events"), watch),
            timers,
            to_send,
            self.playbooks,
            WatchReactions(
                customers,
                self.playbooks,
                tapped(self.reactions, tap, "reactions"),
                tapped(self.account_state, tap, "account_state"),
                tapped(self.measures, tap, "measures"),
                self.clock,
            ),
            TakeUp(
                tapped(self.link_attempts, tap, "link_attempts"),
                tapped(self.measures, tap, "measures"),
                LinkReplies(
                    tapped(self.replies, tap, "replies"),
                    Tokens(lambda: ["k" * 43], self.clock),
                    "https://api.example",
                    self.clock,
                ),
            ),
            HearAnswers(customers, self.playbooks, tapped(self.measures, tap, "measures")),
            SetAside(
                KeepOfTheLiving(tapped(self.rejected, tap, "rejected"), suppressions, self.measures),
                self.measures,
                self.clock,
            ),
            self.clock,
        )
        self.ticker = Tick(timers, inbox, to_send, self.clock)
        self.evaluation = Evaluate(
            self.account,
            self.playbooks,
            tapped(self.audience, tap, "audience"),
            tapped(self.runs, tap, "runs"),
            to_send,
            tapped(self.schedules, tap, "schedules"),
            tapped(FakeContinuation(self.evaluate_queue), tap, "continuation"),
            tapped(self.measures, tap, "measures"),
            self.clock,
        )
        continuation = tapped(FakeContinuation(self.evaluate_queue), tap, "continuation")
        audience = tapped(self.audience, tap, "audience")
        self.refilling = Refill(
            self.playbooks,
            audience,
            tapped(self.backfills, tap, "backfills"),
            inbox,
            continuation,
            self.clock,
        )
        self.auditing = Audit(
            self.playbooks,
            audience,
            tapped(self.audits, tap, "audits"),
            tapped(self.measures, tap, "measures"),
            continuation,
            inbox,
            tapped(self.rejected, tap, "rejected"),
            self.clock,
        )
        self.deliver = Deliver(
            customers,
            tapped(self.sends, tap, "sends"),
            timers,
            to_send,
            self.playbooks,
            tapped(self.line, tap, "line"),
            JinjaRenderer(),
            SignedAddresses(lambda: [LINK_KEY], LINK_URL),
            tapped(self.account_state, tap, "account_state"),
            60,
            self.clock,
            one_after_the_other,
            Lending(
                tapped(self.allowances, tap, "allowances"),
                self.playbooks,
                self.line_quota,
                tapped(self.measures, tap, "measures"),
            ),
            tapped(self.reactions, tap, "reactions"),
            tapped(self.runs, tap, "runs"),
            tapped(self.batches, tap, "batches"),
            tapped(self.units, tap, "units"),
            self.account,
        )

    def _decide(self, body: str) -> None:
        """As the production wiring composes it, around whatever decides in this world now."""
        suppressions = tapped(self.suppressions, self.tap, "suppressions")
        ForTheLiving(self.decide, suppressions, self.playbooks, self.measures).handle(decode_inbox(body))

    def clock(self) -> Instant:
        """Now."""
        return self.now

    def apply(self, book: Playbook) -> None:
        """Put a playbook in force, and set the schedules of its campaigns."""
        self.book = book
        self.playbooks.apply(book)
        for name, campaign in book.campaigns.items():
            following = next_occurrence(campaign, book.zone, self.now)
            if following is not None:
                self.schedules.put(name, following)

    # --- what comes in

    def webhook(self, *raw: Any) -> WebhookAnswer:
        """LINE's webhook, delivered again after a crash, as LINE does where redelivery is on."""
        body = json.dumps({"destination": "U0", "events": list(raw)}).encode()
        return self._again_after_a_crash(lambda: self.receive.receive(body, signature_of(SECRET, body)))

    def ingest(self, *raw: dict[str, Any]) -> IngestAnswer:
        """A request of the CRM, repeated after a crash."""
        body = json.dumps({"events": list(raw)}).encode()
        return self._again_after_a_crash(lambda: self.ingestion.ingest(body, f"Bearer {INGEST_KEY}"))

    def _again_after_a_crash(self, call: Callable[[], Answer]) -> Answer:
        try:
            return call()
        except Crash:
            return call()

    def event(
        self, name: str, customer_id: str, *, at: Instant | None = None, event_id: str = "", **properties: Any
    ) -> dict[str, Any]:
        """A CRM event in the form of the contract; a new id each time unless one is given."""
        number = self._numbers[name] = self._numbers.get(name, 0) + 1
        return {
            "event_id": event_id or f"{name}-{number}",
            "customer_id": customer_id,
            "name": name,
            "occurred_at": format_instant(at or self.now),
            "properties": properties,
        }

    def purchase(
        self, customer_id: str, *, at: Instant | None = None, event_id: str = "", status: str = "confirmed"
    ) -> dict[str, Any]:
        """An order."""
        number = self._numbers.get("purchase", 0) + 1
        raw = self.event(
            "purchase", customer_id, at=at, event_id=event_id, order_id=f"order-{number}", amount=1000
        )
        return {**raw, "status": status}

    def linked(
        self, customer_id: str, user: str, *, at: Instant | None = None, event_id: str = ""
    ) -> dict[str, Any]:
        """The CRM ties a customer to a LINE user, who agreed to marketing."""
        return self.event(
            "line_linked",
            customer_id,
            at=at,
            event_id=event_id,
            line_user_id=user,
            method="crm",
            consent=["marketing"],
        )

    def line_event(
        self, kind: str, user: str, *, at: Instant | None = None, event_id: str = "", **more: Any
    ) -> dict[str, Any]:
        """An event of LINE's webhook."""
        number = self._numbers["line"] = self._numbers.get("line", 0) + 1
        return {
            "type": kind,
            "mode": "active",
            "timestamp": int((at or self.now).timestamp() * 1000),
            "source": {"type": "user", "userId": user},
            "webhookEventId": event_id or f"01H{number:023}",
            "deliveryContext": {"isRedelivery": False},
            **more,
        }

    def befriend(self, *users: str) -> None:
        """These users are friends at LINE; no webhook tells of it."""
        self.line.friends |= set(users)

    def customer_with_line(self, customer_id: str = "c1", user: str = "U1") -> None:
        """A linked friend who agreed to marketing; all that follows from it has been done."""
        self.befriend(user)
        self.ingest(self.linked(customer_id, user))
        self.run()

    # --- time and queues

    def run(self) -> None:
        """Work on what is visible in the queues until nothing is."""
        for _ in range(ROUNDS_MAX):
            if not self.step():
                return
        raise AssertionError("the queues never come to rest")

    def step(self) -> bool:
        """One message of one queue; whether there was any."""
        return (
            self._receive(self.inbox_queue, self._decide)
            or self._receive(self.evaluate_queue, self._evaluate)
            or self.step_send()
        )

    def _evaluate(self, body: str) -> None:
        match decode_evaluation(body):
            case CampaignRun(campaign=campaign, occurrence=occurrence):
                self.evaluation.run(campaign, occurrence, self.time_left)
            case BackfillSegment() as order:
                self.refilling.run(order, self.time_left)
            case AuditPart() as order:
                self.auditing.run(order, self.time_left)

    def _receive(self, queue: FakeQueue, handle: Callable[[str], None]) -> bool:
        message = queue.receive(self._pick)
        if message is None:
            return False
        self._handle(queue, message, handle)
        return True

    def _pick(self, count: int) -> int:
        return self._shuffle.randrange(count) if self._shuffle else 0

    @staticmethod
    def _handle(queue: FakeQueue, message: Waiting, handle: Callable[[str], None]) -> None:
        try:
            handle(message.body)
        except (MusubiError, Crash) as error:
            queue.give_back(message, error)

    def decide_all(self) -> None:
        """Work on the inbox alone until it is empty."""
        for _ in range(ROUNDS_MAX):
            if not self._receive(self.inbox_queue, self._decide):
                return

    def step_send(self) -> bool:
        """One message of the send queue; whether there was any."""
        return self._receive(self.send_queue, lambda body: self.send(decode_order(body)))

    def send(self, *orders: Order) -> None:
        """What a sender does with a batch of these; the first error, where there is any."""
        for error in self.deliver.take_all(orders):
            if error is not None:
                raise error

    def overtaken(self, point: int) -> None:
        """One worker takes the first inbox message; at some point of it, others work on all the rest. Then it goes on."""
        message = self.inbox_queue.receive(lambda _count: 0)
        assert message is not None
        self.tap.once(point, self.run)
        self._handle(self.inbox_queue, message, self._decide)
        self.tap.watch(None)
        self.run()

    def outage(self, **by: float) -> None:
        """Time passes and nobody works; then the minutes that were missed are made up for, each under its own name."""
        dues = sorted({*(due for due, _ in self.timers.armed), *(due for due, _ in self.timers.held)})
        self.now += dt.timedelta(**by)
        for due in dues:
            if due <= self.now:
                self.ticker.run(due)
        self.run()

    def fire(self) -> None:
        """What is due by now: schedules, then timers, then the queues. A tick that fails is tried again."""
        for campaign, occurrence in self.schedules.take_due(self.now):
            FakeContinuation(self.evaluate_queue).again(CampaignRun(campaign, occurrence))
        due = self.timers.next_due
        if due is not None and due <= self.now:
            self.tick()
        self.run()

    def tick(self) -> None:
        """The minute's schedule, invoked again after a failure."""
        scheduled_at = self.now
        for _ in range(5):
            try:
                self.ticker.run(scheduled_at)
            except (MusubiError, Crash):
                continue
            return
        raise AssertionError("tick fails again and again")

    def advance(self, *, to: Instant | None = None, **by: float) -> None:
        """Let time pass: everything that falls due on the way happens at its own instant, in order."""
        end = to or self.now + dt.timedelta(**by)
        self.run()
        for _ in range(ROUNDS_MAX):
            due = self._next_due()
            if due is None or due > end:
                break
            self.now = max(self.now, due)
            self.fire()
        else:
            raise AssertionError("something stays due for ever")
        self.now = max(self.now, end)

    def _next_due(self) -> Instant | None:
        dues = (
            self.timers.next_due,
            self.schedules.next_due,
            self.inbox_queue.next_visible,
            self.send_queue.next_visible,
            self.evaluate_queue.next_visible,
        )
        return min((due for due in dues if due is not None), default=None)

    # --- single intents, for the send protocol

    def intent(
        self,
        message: str = "offer",
        customer_id: str = "c1",
        user: str = "U1",
        *,
        step: str = "",
        source: str = "path",
        expires_seconds: int = 8 * 86_400,
        hold_days: int | None = None,
        rank: int = 20,
        occurrence: str = "1",
    ) -> Intent:
        """An intent as a journey of the scenario `source` would make it now."""
        order, kind = (
            send(message, hold_days=hold_days, expires_seconds=expires_seconds),
            self.book.messages[message].kind,
        )
        name = step or message
        return Intent(
            send_id=send_id_of(self.account, source, "j1", name, user, occurrence),
            customer_id=customer_id,
            line_user_id=user,
            kind=kind,
            source=source,
            journey="j1",
            step=name,
            occurrence=occurrence,
            message=message,
            message_hash=self.book.messages[message].hash,
            playbook=self.book.version,
            rank=rank,
            made_at=self.now,
            expires_at=self.now + step_expiry(order),
            scenario=source,
            hold_seconds_max=order.hold_seconds_max,
        )

    def enqueue(self, *intents: Intent) -> None:
        """Put intents into the send queue."""
        FakeSendQueue(self.send_queue).put(intents)

    def wake(self, customer_id: str) -> None:
        """Put a due customer into the inbox."""
        FakeInbox(self.inbox_queue).put([CustomerDue(customer_id)])

    def import_history(self, message: EventsReceived) -> None:
        """Put imported events into the inbox."""
        FakeInbox(self.inbox_queue).put([message])

    # --- what came of it

    def customer(self, customer_id: str = "c1") -> Customer:
        """The customer, who must be there."""
        found = self.customers.load(customer_id)
        assert found is not None, f"there is no customer {customer_id}"
        return found

    def gate(self, customer_id: str = "c1") -> Gate:
        """The gate, which must be there."""
        found = self.customers.load_gate(customer_id)
        assert found is not None, f"there is no gate {customer_id}"
        return found

    def records(self) -> list[SendRecord]:
        """The send log."""
        return self.sends.all()

    def ends(self) -> list[tuple[str, str, str]]:
        """What was sent or not, as (message, status, reason), sorted."""
        return sorted((record.message, record.status, record.reason) for record in self.records())

    def dead(self) -> list[tuple[str, BaseException]]:
        """The dead letters of all queues."""
        return [*self.inbox_queue.dead, *self.send_queue.dead, *self.evaluate_queue.dead]
