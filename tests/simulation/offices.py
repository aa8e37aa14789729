"""What the whole account goes by, as in a bad week: LINE's word on the month, our counters, blocks, the breaker's counts."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from functions.domain.account import Block
from functions.domain.breaker import days_until
from functions.domain.instants import Instant
from functions.domain.money import Count, LineUsage, month_of
from functions.domain.playbook import Playbook
from functions.ports.errors import Unknown
from tests.fakes.allowances import FakeAllowances, FakeLineQuota
from tests.fakes.tables import FakeAccountState, FakeReactions
from tests.simulation.faults import Faults
from tests.simulation.witness import Witness

SMALL_QUOTAS = 0.12
"""In so many worlds LINE's messages of the month run out."""
LATE_MINUTES = (0, 0, 20, 300)
"""How old LINE's figure of what it has counted may be."""


class SimulatedLineQuota(FakeLineQuota):
    """LINE's month. `by_hand`: messages that somebody sent at LINE before the story begins.

    LINE refuses what is beyond its limit only where somebody reserved messages before LINE had told its limit: once it has,
    nobody is to need that refusal, and nobody's mistake is to hide behind it.
    """

    def __init__(self, now: Callable[[], Instant], faults: Faults, random: Random, witness: Witness) -> None:
        is_small = random.random() < SMALL_QUOTAS
        super().__init__(random.choice((1, 3, 6)) if is_small else None)
        self.by_hand = random.randint(0, 3)
        self.late = dt.timedelta(minutes=random.choice(LATE_MINUTES))
        if self.limit is not None:
            self.limit += self.by_hand
        self._now, self._faults, self._witness = now, faults, witness
        faults.draws["quota_small"] += is_small
        faults.draws["quota_late"] += bool(self.late)
        faults.draws["sent_by_hand"] += bool(self.by_hand)

    def usage(self) -> LineUsage:
        """What LINE has counted, some time ago; or no answer."""
        self.asked += 1
        if self._faults.strikes("quota_untold"):
            raise Unknown("no answer")
        return LineUsage(self.limit, self.by_hand + self._counted(self._now() - self.late))

    def is_used_up(self, more: int) -> bool:
        """Whether so many more are beyond the limit."""
        return self.limit is not None and self.by_hand + self._counted(self._now()) + more > self.limit

    def _counted(self, until: Instant) -> int:
        """People who block the account are not counted."""
        month = month_of(self._now())
        return sum(
            one.delivered and one.at <= until and month_of(one.at) == month for one in self._witness.accepted
        )


class SimulatedAllowances(FakeAllowances):
    """Knows whether anybody has reserved messages of a month of which LINE had said nothing yet."""

    def __init__(self) -> None:
        super().__init__()
        self.is_blind = False

    def reserve(
        self, counter: str, units: int, used_max: int | None, told_at: Instant | None, now: Instant
    ) -> tuple[bool, Count]:
        """Add units on condition."""
        done, count = super().reserve(counter, units, used_max, told_at, now)
        self.is_blind |= done and told_at is None and counter.startswith("month#")
        return done, count


@dataclass
class Stopped:
    """A block as it was written, and when it was lifted, if it was."""

    block: Block
    since: Instant
    lifted_at: Instant | None = None


class SimulatedAccountState(FakeAccountState):
    """Remembers every block, by the time that no clock is wrong about."""

    def __init__(self, now: Callable[[], Instant], faults: Faults) -> None:
        super().__init__()
        self._now, self._faults = now, faults
        self.history: list[Stopped] = []

    def block(self, block: Block) -> None:
        """Keep the longer one."""
        super().block(block)
        self._faults.draws["breaker_opened"] += block.reason == "breaker_open"
        self.history.append(Stopped(block, self._now()))

    def lift(self, block: Block) -> bool:
        """Take it away while it is this one; the shorter ones that it took the place of go with it."""
        lifted = super().lift(block)
        for one in self.history:
            same = (one.block.reason, one.block.scope, one.block.kinds)
            if lifted and one.lifted_at is None and same == (block.reason, block.scope, block.kinds):
                one.lifted_at = self._now()
        return lifted


class SimulatedReactions(FakeReactions):
    """Notes each scope whose counts call for a block, by a plain reading of the rule in force, when a friend has left."""

    def __init__(self, now: Callable[[], Instant], book: Callable[[], Playbook]) -> None:
        super().__init__()
        self._now, self._book = now, book
        self.too_many: list[tuple[str, Instant]] = []

    def count_block(self, event_id: str, sent: Mapping[str, Instant]) -> bool:
        """Count a block, once an event."""
        is_new = super().count_block(event_id, sent)
        rule = self._book().breaker
        if is_new and rule is not None:
            days = days_until(self._now(), dt.timedelta(seconds=rule.window_seconds))
            for scope, counts in self.counts(sent, days).items():
                too_many = 100 * counts.blocked > rule.block_rate_percent * counts.sent
                if counts.sent >= rule.sends_min and too_many:
                    self.too_many.append((scope, self._now()))
        return is_new

    def forgive(self, scope: str, days: Sequence[str], at: Instant) -> None:
        """Count from here; what called for a block is known to whoever lifts it."""
        super().forgive(scope, days, at)
        self.too_many = [one for one in self.too_many if one[0] != scope]
