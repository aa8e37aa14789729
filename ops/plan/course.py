"""The time ahead under one playbook: what every customer of a forecast has in common."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from zoneinfo import ZoneInfo

import msgspec

from functions.domain.account import Account, Block
from functions.domain.campaigns import Run, next_occurrence
from functions.domain.compiled import Compiled
from functions.domain.context import Context, Fact
from functions.domain.instants import Instant
from functions.domain.playbook import Playbook
from functions.domain.watermarks import complete_now

RUNS_MAX = 1_000


class Terms(msgspec.Struct, frozen=True):
    """A course as plain data, for another process. `versions`: the playbooks that journeys under way are pinned to."""

    playbook: Playbook
    versions: list[Playbook]
    context: dict[str, dict[str, Fact]]
    account: str
    start: Instant
    end: Instant
    blocks: list[Block] = []


@dataclass(frozen=True)
class Course:
    """One playbook in force from `start` to `end`, and the occurrences of its campaigns in between."""

    compiled: Compiled
    versions: dict[str, Compiled]
    account: str
    start: Instant
    end: Instant
    blocks: list[Block] = field(default_factory=list)

    def account_at(self, now: Instant) -> Account:
        """The account as a forecast takes it: what is blocked stays so until its time, and every source is heard of."""
        sources = self.compiled.playbook.sources
        return Account(self.blocks, dict.fromkeys(sources, now), dict.fromkeys(sources, complete_now(now)))

    @cached_property
    def runs(self) -> list[Run]:
        """The campaign runs ahead, in order of time."""
        playbook = self.compiled.playbook
        found = [
            Run(name, occurrence, playbook.version, occurrence, 1)
            for name in playbook.campaigns
            for occurrence in self._occurrences(name)
        ]
        return sorted(found, key=lambda run: (run.occurrence, run.campaign))

    def _occurrences(self, campaign: str) -> Iterator[Instant]:
        playbook, at = self.compiled.playbook, self.start
        for _ in range(RUNS_MAX):
            following = next_occurrence(playbook.campaigns[campaign], playbook.zone, at)
            if following is None or following > self.end:
                return
            yield following
            at = following

    @cached_property
    def zone(self) -> ZoneInfo:
        """The playbook's zone, by which days and months are counted."""
        return ZoneInfo(self.compiled.playbook.zone)

    def day_of(self, at: Instant) -> str:
        """The local date of an instant."""
        return at.astimezone(self.zone).date().isoformat()

    @cached_property
    def days(self) -> list[str]:
        """Every local date from the first to the last."""
        first, last = (at.astimezone(self.zone).date() for at in (self.start, self.end))
        return [(first + dt.timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]


def course_of(terms: Terms) -> Course:
    """The course, its expressions compiled."""
    context: Context = terms.context
    compiled = Compiled(terms.playbook, context)
    versions = {book.version: Compiled(book, context) for book in terms.versions}
    return Course(
        compiled,
        {**versions, compiled.version: compiled},
        terms.account,
        terms.start,
        terms.end,
        terms.blocks,
    )
