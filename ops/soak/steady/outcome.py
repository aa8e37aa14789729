"""What a steady soak came to, and what of it is not as it must be."""

from collections.abc import Mapping, Sequence

import msgspec

from functions.domain.accounts import Accounts
from ops.soak.steady.checking import Kept
from ops.soak.steady.flatness import Trend, trend_of
from ops.soak.steady.pacing import Offered
from ops.soak.steady.sampling import Sample

GROWING = ("engine", "sandbox")
"""They keep what they are told: the engine all tables, streams, objects and logs, the sandbox every delivery."""
BACKLOG_SECONDS_MAX = 2.0
"""The inbox's backlog may be that much larger in the last third of the run than in the second, in events of so many seconds."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found. `memory`: of each function's largest worker; `grown`: of what keeps
    data, bytes an event that was taken in; `cpu_ms`: processor time an event, by process; `started`: processes there ever
    were."""

    minutes: float
    virtual_hours: float
    offered: Offered
    samples: list[Sample]
    memory: dict[str, Trend]
    grown: dict[str, float]
    cpu_ms: dict[str, float]
    started: dict[str, int]
    lag_seconds_most: float
    accounts: Accounts
    in_table: Kept
    in_lake: Kept
    accepted: int
    copies: int
    dead: dict[str, int]
    audits: int
    differences: int
    failures: list[str] = []
    wall_seconds: dict[str, float] = {}

    @property
    def backlog(self) -> Trend:
        """The inbox, in messages."""
        return trend_of([(sample.at_seconds, sample.queues.get("Inbox", 0)) for sample in self.samples])

    @property
    def amiss(self) -> list[str]:
        """What is not as it must be: one line each."""
        return [
            *self.failures,
            *self.offered.amiss,
            *self._backlog_amiss(),
            *_not_flat(self.memory),
            *(f"{count:,} dead letters of {name.lower()}" for name, count in self.dead.items() if count),
            *self._accounts_amiss(),
            *_not_whole("events table", self.in_table),
            *_not_whole("lake", self.in_lake),
            *([f"second copies that LINE delivered: {self.copies:,}"] if self.copies else []),
            *([f"memberships of {self.differences:,} customers differ"] if self.differences else []),
        ]

    def _backlog_amiss(self) -> list[str]:
        trend, most = self.backlog, BACKLOG_SECONDS_MAX * self.offered.events_per_second
        if trend.growth <= most:
            return []
        return [
            f"the inbox's backlog grows: {trend.middle:,.0f} messages in the second third, {trend.last:,.0f} in the last"
        ]

    def _accounts_amiss(self) -> list[str]:
        kept = self.accounts
        unclosed = [] if kept.is_closed else [f"the accounts do not close: {kept.pending:,} pending"]
        unknown = [f"messages unknown: {kept.unknown:,}"] if kept.unknown else []
        nothing = [] if kept.targeted else ["no message was meant for anybody"]
        return [*unclosed, *unknown, *nothing]


def _not_flat(memory: Mapping[str, Trend]) -> list[str]:
    return [
        f"memory of {name} grows: {trend.middle:,.1f} MB in the second third, {trend.last:,.1f} MB in the last "
        f"(noise is less than {trend.smallest_leak:.2f} MB a minute)"
        for name, trend in memory.items()
        if trend.is_judged and not trend.is_flat
    ]


def _not_whole(where: str, kept: Kept) -> list[str]:
    if kept.is_whole:
        return []
    return [f"{where}: {kept.lost:,} events lost, {kept.twice:,} kept twice (such as {', '.join(kept.some)})"]


def memory_of(samples: Sequence[Sample]) -> dict[str, Trend]:
    """The trend of each function's largest worker. One that did not work yet, or no longer, has no sample."""
    names = sorted({name for sample in samples for name in sample.memory_mb} - set(GROWING))
    series = {
        name: [(s.at_seconds, s.memory_mb[name]) for s in samples if name in s.memory_mb] for name in names
    }
    return {name: trend_of(values) for name, values in series.items()}


def grown_of(samples: Sequence[Sample]) -> dict[str, float]:
    """Bytes that what keeps data grew by for each event that was taken in, since the first third was over."""
    first, last = samples[len(samples) // 3], samples[-1]
    events = max(last.events - first.events, 1)
    return {
        name: round((last.memory_mb[name] - first.memory_mb[name]) * (1 << 20) / events)
        for name in GROWING
        if name in first.memory_mb and name in last.memory_mb
    }
