"""The forecast as it is shown: the counts of all customers, put in order."""

from collections import Counter
from typing import Literal

import msgspec

from functions.domain.instants import Instant
from functions.domain.money import Tier, run_limit, tier_of
from functions.domain.playbook import Playbook, Price
from ops.plan.cautions import Caution, Findings, cautions
from ops.plan.course import Course
from ops.plan.differences import Difference, differences
from ops.plan.quota import Month, months_of
from ops.plan.tallies import Tally, summed


class Assumed(msgspec.Struct, frozen=True):
    """What the forecast takes for granted. `replay_days` 0: no past event comes again; `events` 0: no event comes at all."""

    linked: bool = False
    replay_days: int = 0
    events: int = 0


class Day(msgspec.Struct, frozen=True):
    """One local day: journeys that begin, intents made, and messages sent, held and stopped, each by source or reason."""

    date: str
    entered: dict[str, int]
    targeted: dict[str, int]
    sent: dict[str, int]
    held: dict[str, int]
    suppressed: dict[str, int]


class Source(msgspec.Struct, frozen=True):
    """One scenario or campaign over all days: targeted = sent + suppressed + waiting. `on`: it is switched on. `sent_before` under the other
    playbook, None where there is none to compare with."""

    name: str
    kind: Literal["scenario", "campaign"]
    on: bool
    entered: int
    targeted: int
    sent: dict[str, int]
    held: dict[str, int]
    suppressed: dict[str, int]
    waiting: int
    sent_before: int | None

    @property
    def sent_in_all(self) -> int:
        """Messages of every kind."""
        return sum(self.sent.values())


class Size(msgspec.Struct, frozen=True):
    """How many people a segment holds: under the other playbook (None where it is not there), now, after all days."""

    name: str
    old: int | None
    new: int | None
    after: int | None


class Forecast(msgspec.Struct, frozen=True):
    """All of it. `against`: the version compared with, empty where there is none; `priced`: the playbook has a price."""

    playbook: str
    version: str
    against: str
    start: Instant
    end: Instant
    customers: int
    reachable: int
    assumed: Assumed
    priced: bool
    days: list[Day]
    sources: list[Source]
    months: list[Month]
    segments: list[Size]
    differences: list[Difference]
    cautions: list[Caution]


def forecast_from(
    course: Course,
    tally: Tally,
    assumed: Assumed,
    old: Playbook | None = None,
    old_tally: Tally | None = None,
) -> Forecast:
    """The forecast of one course; `old` is the playbook that it is compared with, and `old_tally` its counts."""
    book = course.compiled.playbook
    sources = _sources(book, tally, old_tally)
    months = _months(tally, book)
    return Forecast(
        playbook=book.name,
        version=book.version,
        against=old.version if old else "",
        start=course.start,
        end=course.end,
        customers=tally.people["all",],
        reachable=tally.people["reachable",],
        assumed=assumed,
        priced=book.price != Price(),
        days=[_day(day, tally) for day in course.days],
        sources=sources,
        months=months,
        segments=_sizes(book, tally, old, old_tally),
        differences=differences(old, book) if old else [],
        cautions=cautions(_findings(book, tally, sources, months, assumed, len(course.days))),
    )


def _findings(
    book: Playbook, tally: Tally, sources: list[Source], months: list[Month], assumed: Assumed, days: int
) -> Findings:
    return Findings(
        playbook=book,
        reachable=tally.people["reachable",],
        sizes=_by_name(tally.size, 0),
        entered={source.name: source.entered for source in sources},
        targeted={source.name: source.targeted for source in sources},
        sent={source.name: source.sent_in_all for source in sources},
        reasons=set(_by_name(tally.held, 2)) | set(_by_name(tally.suppressed, 2)),
        months=months,
        beyond_budget=_beyond_budget(tally, book),
        eventful=bool(assumed.events),
        days=days,
    )


def _by_name(counts: Counter[tuple[str, ...]], place: int, **fixed: str) -> dict[str, int]:
    """The counts by one place of the key, the most first; `day` or `source` picks those of one."""
    wanted = {{"day": 0, "source": 1}[name]: value for name, value in fixed.items()}
    mine = Counter(
        {key: n for key, n in counts.items() if all(key[at] == want for at, want in wanted.items())}
    )
    rows = sorted(summed(mine, place).items(), key=lambda row: (-row[1], row[0]))
    return {name: count for (name,), count in rows if count}


def _day(day: str, tally: Tally) -> Day:
    return Day(
        date=day,
        entered=_by_name(tally.entered, 1, day=day),
        targeted=_by_name(tally.targeted, 1, day=day),
        sent=_by_name(tally.sent, 1, day=day),
        held=_by_name(tally.held, 2, day=day),
        suppressed=_by_name(tally.suppressed, 2, day=day),
    )


def _sources(book: Playbook, tally: Tally, old_tally: Tally | None) -> list[Source]:
    """Everything that the playbook has, and what an older one has begun and is still under way."""
    before = None if old_tally is None else _by_name(old_tally.sent, 1)
    known = {**dict.fromkeys(book.scenarios, "scenario"), **dict.fromkeys(book.campaigns, "campaign")}
    names = [
        *known,
        *(name for name in sorted({*_by_name(tally.targeted, 1), *(before or {})}) if name not in known),
    ]
    return [
        Source(
            name=name,
            kind="campaign" if known.get(name) == "campaign" else "scenario",
            on=_is_on(book, name),
            entered=_by_name(tally.entered, 1).get(name, 0),
            targeted=_by_name(tally.targeted, 1).get(name, 0),
            sent=_by_name(tally.sent, 2, source=name),
            held=_by_name(tally.held, 2, source=name),
            suppressed=_by_name(tally.suppressed, 2, source=name),
            waiting=tally.waiting[name,],
            sent_before=None if before is None else before.get(name, 0),
        )
        for name in names
    ]


def _is_on(book: Playbook, name: str) -> bool:
    """What the playbook no longer has only runs out."""
    source = book.scenarios.get(name) or book.campaigns.get(name)
    return source is not None and source.on


def _months(tally: Tally, book: Playbook) -> list[Month]:
    ahead: Counter[tuple[str, Tier]] = Counter()
    for (day, source, kind), count in tally.sent.items():
        ahead[day, tier_of(kind, by_campaign=source in book.campaigns)] += count
    return months_of(_by_name(tally.sent_before, 0), ahead, book.price)


def _beyond_budget(tally: Tally, book: Playbook) -> dict[str, int]:
    """For each campaign with a budget of its own the messages that it does not pay for; a day that targets is a run."""
    runs = Counter(source for (_day, source), targeted in tally.targeted.items() if targeted)
    sent = summed(tally.sent, 1)
    limits = {name: run_limit(name, book) for name in book.campaigns}
    return {name: sent[name,] - limit.messages * runs[name] for name, limit in limits.items() if limit}


def _sizes(book: Playbook, tally: Tally, old: Playbook | None, old_tally: Tally | None) -> list[Size]:
    names = sorted(book.segments.keys() | (old.segments.keys() if old else set()))
    return [
        Size(
            name,
            old_tally.size[name,] if old_tally and old and name in old.segments else None,
            tally.size[name,] if name in book.segments else None,
            tally.size_after[name,] if name in book.segments else None,
        )
        for name in names
    ]
