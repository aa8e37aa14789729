"""Rows of facts from a batch of writes: by table, under names made of their content, so that a batch may come again."""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from functions.domain.fact_rows import Written, rows_of
from functions.domain.facts import TABLE_OF, Fact, Send
from functions.domain.instants import Instant
from functions.domain.lake import Table
from functions.domain.live import KINDS, is_live, told
from functions.ports.account import Measures
from functions.ports.errors import Rejected
from functions.ports.facts import LiveBus, RawFacts, Unreadable
from functions.ports.playbooks import Playbooks

logger = logging.getLogger(__name__)

LEFT_OUT = "FactsLeftOut"
LIVE_LEFT_OUT = "LiveLeftOut"
ENDED = {
    "sent": "SendsSent",
    "suppressed": "SendsSuppressed",
    "failed": "SendsFailed",
    "unknown": "SendsUnknown",
}
"""How a message ended → what it is counted as, by the send log's own stream: a batch that comes again counts again."""


@dataclass(frozen=True, slots=True)
class Live:
    """A bus for those who want facts as they happen. `now`: the clock of the streams, which is never virtual."""

    bus: LiveBus
    account: str
    now: Callable[[], Instant]


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """The ports of this flow."""

    playbooks: Playbooks
    raw: RawFacts
    measures: Measures
    live: Live | None = None

    def run(self, writes: Iterable[Written | Unreadable]) -> int:
        """Keep the rows of all; how many. No write is kept longer than its rows take to be made. What no row can be made of is set aside, so that it stands before nothing else.
        Raises Retryable where the bucket, a playbook or the live bus cannot be had just now: the batch comes again."""
        rows: dict[str, list[Fact]] = defaultdict(list)
        tables: dict[str, Table] = {}
        aside: list[Unreadable] = []
        for write in writes:
            if isinstance(write, Unreadable):
                aside.append(write)
                continue
            try:
                found = rows_of(write, self.playbooks.version)
            except (Rejected, ValueError, LookupError, TypeError) as error:
                aside.append(Unreadable(type(write).__name__, type(error).__name__))
                continue
            for row in found:
                table = TABLE_OF[type(row)]
                tables[table.name] = table
                rows[table.name].append(row)
        for name, of_table in rows.items():
            self.raw.drop(tables[name], of_table)
        if aside:
            self._set_aside(aside)
        if self.live:
            self._tell(self.live, (row for of_table in rows.values() for row in of_table))
        self._count(row.status for of_table in rows.values() for row in of_table if isinstance(row, Send))
        return sum(map(len, rows.values()))

    def _count(self, ends: Iterable[str]) -> None:
        """Last of all: what made the batch come again has been raised by now."""
        for status, messages in Counter(ends).items():
            self.measures.count(ENDED[status], messages)

    def _tell(self, live: Live, rows: Iterable[Fact]) -> None:
        """After the lake has the rows. What is too old to be live, or is refused for good, stands before nothing else."""
        now = live.now()
        of_kinds = [row for row in rows if type(row) in KINDS]
        fresh = [row for row in of_kinds if is_live(row, now)]
        left_out = len(of_kinds) - len(fresh)
        left_out += live.bus.tell([told(row, live.account) for row in fresh])
        if left_out:
            logger.error("%d facts were not told live; the night's files have them", left_out)
            self.measures.count(LIVE_LEFT_OUT, left_out)

    def _set_aside(self, aside: Sequence[Unreadable]) -> None:
        """Only what kind of write it was and why: the row itself still stands in its table."""
        for one in aside:
            logger.error("no fact follows from a %s (%s)", one.what, one.why)
        self.measures.count(LEFT_OUT, len(aside))
