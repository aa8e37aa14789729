"""Rows of facts from a batch of writes: by table, under names made of their content, so that a batch may come again."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from functions.domain.fact_rows import Written, rows_of
from functions.domain.facts import TABLE_OF, Fact
from functions.domain.lake import Table
from functions.ports import Measures, Playbooks, RawFacts, Rejected, Unreadable

logger = logging.getLogger(__name__)

LEFT_OUT = "FactsLeftOut"


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """The ports of this flow."""

    playbooks: Playbooks
    raw: RawFacts
    measures: Measures

    def run(self, writes: Sequence[Written | Unreadable]) -> int:
        """Keep the rows of all; how many. What no row can be made of is set aside, so that it stands before nothing else.
        Raises Retryable where the bucket or a playbook cannot be had just now: the batch comes again."""
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
        return sum(map(len, rows.values()))

    def _set_aside(self, aside: Sequence[Unreadable]) -> None:
        """Only what kind of write it was and why: the row itself still stands in its table."""
        for one in aside:
            logger.error("no fact follows from a %s (%s)", one.what, one.why)
        self.measures.count(LEFT_OUT, len(aside))
