"""The fakes as they behave in a bad week: what they do on their own, beside what strikes at a call."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any

from functions.domain.approvals import Awaiting
from functions.domain.campaigns import Chunk, Run, intent_of
from functions.domain.customers import Customer
from functions.domain.events import Event
from functions.domain.gate import Gate
from functions.domain.instants import MINUTE, Instant, minute_of, parse_instant
from functions.domain.sends import SendRecord, content_hash
from functions.ports.customers import Written
from functions.ports.errors import AccountRefused, RateLimited, Rejected
from functions.ports.line import Accepted
from tests.fakes.line import FakeLine
from tests.fakes.objects import FakePlaybooks, FakeRuns
from tests.fakes.queues import FakeQueue, Waiting
from tests.fakes.tables import FakeCustomers, FakeEvents, FakeSends, FakeTimers
from tests.fakes.world import ACCOUNT, START
from tests.simulation.faults import Faults
from tests.simulation.witness import Attempt, Witness

HIDDEN_SECONDS = 180
DELAYS_SECONDS_MAX = (600, 600, 600, 7200)
LATE_SECONDS_MAX = 3 * 86_400
"""A dead letter that somebody sends back, though it was done with: a copy that is days late."""
SLOW_SECONDS_MAX = 20
COPIES_MAX = 3
"""How often one order is duplicated: what is tried again for days would double every few tries."""
_SEND_ID = re.compile(r'"send_id":"([^"]+)"')
HOUR = dt.timedelta(hours=1)
_UNTAKEN = ("timeout", "500")


class SimulatedQueue(FakeQueue):
    """Duplicates and delays on its own; what failed stays hidden for a while."""

    def __init__(self, now: Callable[[], Instant], faults: Faults, random: Random) -> None:
        super().__init__(now)
        self._faults = faults
        self._random = random
        self._copies: Counter[str] = Counter()

    def put(self, bodies: Sequence[str], seconds: int = 0) -> list[int]:
        """Enqueue; some twice, some late."""
        before = len(self.waiting)
        taken = super().put(bodies, seconds)
        for message in self.waiting[before:]:
            if self._faults.strikes("queue_delays"):
                message.visible_at += self._some(self._random.choice(DELAYS_SECONDS_MAX))
            named = _SEND_ID.search(message.body)
            name = named[1] if named else message.body
            if self._copies[name] >= COPIES_MAX:
                continue
            if self._faults.strikes("queue_duplicates"):
                self._copy(name, message, HIDDEN_SECONDS)
            elif self._faults.strikes("queue_late_copy"):
                self._copy(name, message, LATE_SECONDS_MAX)
        return taken

    def impatient(self, body: str) -> None:
        """The worker that has this is thought to be gone: it comes up again at once."""
        named = _SEND_ID.search(body)
        name = named[1] if named else body
        if self._copies[name] < COPIES_MAX:
            self._copy(name, Waiting(body, self._now()), 0)

    def _copy(self, name: str, message: Waiting, seconds: int) -> None:
        self._copies[name] += 1
        self.waiting.append(Waiting(message.body, message.visible_at + self._some(seconds)))

    def give_back(self, message: Waiting, error: BaseException) -> None:
        """It comes again when its time of being hidden is over."""
        message.visible_at = self._now() + self._some(HIDDEN_SECONDS)
        super().give_back(message, error)

    def replay(self) -> int:
        """Put the dead letters back; how many there were."""
        dead, self.dead = self.dead, []
        self.put([body for body, _ in dead])
        return len(dead)

    def _some(self, seconds: int) -> dt.timedelta:
        return dt.timedelta(seconds=self._random.randint(0, seconds))


class SimulatedCustomers(FakeCustomers):
    """Tells the witness of every customer that is written, and answers a batch of gates one by one."""

    def __init__(self, witness: Witness, faults: Faults) -> None:
        super().__init__()
        self._witness = witness
        self._faults = faults

    def save_gates(self, gates: Sequence[Gate]) -> list[Written]:
        """Each alone: some refused or throttled, some done and not answered so."""
        return [
            "overtaken"
            if self._faults.strikes(
                "table_conflict"
            )  # another worker was first, with what changed nothing of ours
            else one_of_a_batch(self._faults, partial(self._saved, gate))
            for gate in gates
        ]

    def write(self, customer: Customer) -> Customer:
        """Write, its condition being checked."""
        self._witness.written(customer)
        return super().write(customer)


class SimulatedRuns(FakeRuns):
    """Tells the witness of every run that is begun, and of every recipient that is frozen."""

    def __init__(self, witness: Witness, faults: Faults, playbooks: FakePlaybooks) -> None:
        super().__init__()
        self._witness = witness
        self._faults = faults
        self._playbooks = playbooks
        self.awaited: list[Run] = []

    def await_approval(self, run: Run, awaiting: Awaiting) -> None:
        """It waits since the first time this was said."""
        super().await_approval(run, awaiting)
        if run not in self.awaited:
            self._faults.draws["needs_approval"] += 1
            self.awaited.append(run)

    def freeze_run(self, run: Run) -> Run:
        """The run as it was begun first."""
        frozen = super().freeze_run(run)
        self._witness.runs[frozen.source] = frozen
        return frozen

    def freeze_chunk(self, run: Run, segment: int, number: int, chunk: Chunk) -> Chunk:
        """The page as it was frozen first."""
        frozen = super().freeze_chunk(run, segment, number, chunk)
        compiled = self._playbooks.version(run.playbook)
        self._witness.intended([intent_of(one, run, compiled, ACCOUNT) for one in frozen.recipients])
        return frozen


class SimulatedEvents(FakeEvents):
    """May answer that an event is known because its own first attempt, unanswered, was the one that kept it."""

    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self._faults = faults

    def put_new(self, event: Event) -> bool:
        """Whether it was new, as far as the table can tell."""
        return super().put_new(event) and not self._faults.strikes("table_answers_known")


class SimulatedSends(FakeSends):
    """As with gates."""

    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self._faults = faults

    def record_all(self, records: Sequence[SendRecord]) -> list[Written]:
        """Each alone: some refused or throttled, some done and not answered so."""
        return [one_of_a_batch(self._faults, partial(self.record, record)) for record in records]


def one_of_a_batch(faults: Faults, write: Callable[[], Written]) -> Written:
    """What a batch answers of one conditional write; a repeat of the driver's own may have met the first try's item."""
    if faults.strikes("table_throttled"):
        return "undone"
    became = write()
    if became == "written" and faults.strikes("table_conflict_with_itself"):
        return "overtaken"
    return "undone" if faults.strikes("table_unanswered") else became


class SimulatedTimers(FakeTimers):
    """Knows which minute's tick comes next."""

    @property
    def next_tick(self) -> Instant | None:
        """The first minute whose tick finds a row that is due."""
        return min((_tick_of(key[0], due) for key, (due, _, _) in self._rows.items()), default=None)


def _tick_of(bucket: str, due: Instant) -> Instant:
    begun = minute_of(due)
    return max(parse_instant(bucket.partition("#")[0]), begun if begun == due else begun + MINUTE)


class SimulatedLine(FakeLine):
    """Answers as the faults will have it; every new acceptance is told, and slow answers let time pass."""

    def __init__(
        self,
        now: Callable[[], Instant],
        faults: Faults,
        witness: Witness,
        let_pass: Callable[[], None],
        tell: Callable[[str, str, bool], None],
        is_used_up: Callable[[int], bool],
    ) -> None:
        super().__init__(now)
        self._is_used_up = is_used_up
        self._faults = faults
        self._witness = witness
        self._let_pass = let_pass
        self._tell = tell
        self.menus_refused: set[str] = set()

    def _asked(
        self, to: Sequence[str], messages: Sequence[Mapping[str, Any]], retry_key: str, unit: str = ""
    ) -> Accepted:
        self._draw()
        at = self._now()
        if self._faults.strikes("line_slow"):
            self._let_pass()
        before, again = len(self.pushes), retry_key in self._accepted
        if not again and self._is_used_up(len(to)) and self.always not in _UNTAKEN:
            self._faults.counts["line_used_up"] += 1
            self.always = "monthly"
        if len(to) > 1:
            self._faults.counts["multicast"] += 1
        answered, refused = False, False
        try:
            answer = super()._asked(to, messages, retry_key, unit)
            answered = True
        except (Rejected, RateLimited):
            answered, refused = True, True
            raise
        finally:
            attempt = Attempt(at, content_hash([dict(one) for one in messages]), answered, refused)
            self._witness.attempts.setdefault(retry_key, []).append(attempt)
            for push in self.pushes[before:]:
                self._tell(push.to, retry_key, push.delivered)
        if again and len(self.pushes) == before:
            self._faults.counts["line_409"] += 1
        return answer

    def _draw(self) -> None:
        # A script comes first: with one, a story asks for its own answers.
        self.always = self._faults.line_outcome((self._now() - START) / HOUR)

    def _change_menu(self, user: str, rich_menu_id: str) -> None:
        self._draw()
        try:
            super()._change_menu(user, rich_menu_id)
        except Rejected as refusal:
            if not isinstance(refusal, AccountRefused):
                self.menus_refused.add(user)
            raise
