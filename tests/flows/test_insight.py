"""LINE's own figures, once a day: within 60 calls an hour, resumed, counted once, and what is not told stays untold."""

import datetime as dt
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.aggregation_units import Unit
from functions.domain.facts import Insight
from functions.domain.insight import DAYS_ASKED_MAX, Figures, Progress, asked_on, days_of, months_asked
from functions.insight.flow import Gather
from functions.ports.errors import Conflict, RateLimited, Retryable
from tests.fakes.aggregation_units import FakeAggregationUnits
from tests.fakes.taps import Crash

NOW = dt.datetime(2026, 11, 26, 3, 40, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


class FakeFacts:
    """Rows by name, and each day's progress with its tag."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Insight]] = {}
        self.days: dict[dt.date, tuple[Progress, str]] = {}
        self.dies_at = ""

    def progress(self, day: dt.date) -> tuple[Progress, str]:
        return self.days.get(day, (Progress(), ""))

    def note(self, day: dt.date, progress: Progress, tag: str) -> str | None:
        if tag != self.progress(day)[1]:
            return None
        self._may_die("note")
        self.days[day] = (progress, f"tag{len(tag)}{len(progress.done)}{progress.calls}")
        return self.days[day][1]

    def keep(self, name: str, rows: Sequence[Insight]) -> None:
        self.rows[name] = list(rows)
        self._may_die("keep")

    def _may_die(self, where: str) -> None:
        if self.dies_at == where:
            self.dies_at = ""
            raise Crash

    def table(self) -> dict[tuple[str, str], Insight]:
        """As the facts have it: one row a unit and day."""
        return {(row.unit, row.day_of): row for rows in self.rows.values() for row in rows}


class FakeLineInsight:
    """60 figures an hour and no more."""

    def __init__(self, now: "Clock") -> None:
        self._now = now
        self.asked: list[tuple[dt.datetime, str, dt.date, dt.date]] = []
        self.told: dict[str, Figures] = {}
        self.fails = False

    def figures(self, unit: str, first: dt.date, last: dt.date) -> Figures:
        if self.fails:
            raise Retryable("LINE answered 500")
        if sum(at > self._now() - HOUR for at, *_ in self.asked) >= 60:
            raise RateLimited("rate_limit")
        self.asked.append((self._now(), unit, first, last))
        return self.told.get(unit, Figures())


class Clock:
    """An instant that tests move."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> dt.datetime:
        return self.now


class Hours:
    """The function, called each hour."""

    def __init__(self, units: int) -> None:
        self.clock = Clock()
        self.units, self.facts, self.line = FakeAggregationUnits(), FakeFacts(), FakeLineInsight(self.clock)
        for number in range(units):
            self.units.take(
                Unit(f"m202611_{number:03}", NOW, scenario="path", step=f"s{number}", variant="b"), NOW
            )
        self.gather = Gather(self.units, self.line, self.facts, self.clock)

    def hour(self) -> int:
        left = self.gather.run()
        self.clock.now += HOUR
        return left


def test_each_unit_becomes_a_row_a_day_and_what_line_does_not_tell_is_null() -> None:
    hours = Hours(3)
    hours.line.told = {"m202611_000": Figures(40, 30), "m202611_001": Figures(25, None)}
    assert hours.hour() == 0
    rows = hours.facts.table()
    assert {unit: (row.opened, row.clicked, row.delivered) for (unit, _), row in rows.items()} == {
        "m202611_000": (40, 30, None),
        "m202611_001": (25, None, None),
        "m202611_002": (None, None, None),
    }
    row = rows["m202611_000", "2026-11-26"]
    assert (row.scenario, row.step, row.variant, row.at) == ("path", "s0", "b", NOW)


def test_the_same_day_asks_nobody_twice_and_the_next_day_everybody_again() -> None:
    hours = Hours(3)
    hours.hour()
    hours.hour()
    assert len(hours.line.asked) == 3
    hours.clock.now += dt.timedelta(days=1)
    hours.hour()
    assert len(hours.line.asked) == 6
    assert {day for _, day in hours.facts.table()} == {"2026-11-26", "2026-11-27"}


def test_more_units_than_calls_are_asked_for_in_the_next_hours() -> None:
    hours = Hours(130)
    assert [hours.hour() for _ in range(4)] == [80, 30, 0, 0]
    assert len(hours.facts.table()) == 130
    for at, *_ in hours.line.asked:
        assert sum(at - HOUR < other <= at for other, *_ in hours.line.asked) <= 50


@pytest.mark.parametrize("where", ["note", "keep"])
def test_a_crash_anywhere_loses_no_row_and_never_asks_too_often(where: str) -> None:
    hours = Hours(60)
    for _ in range(8):
        hours.facts.dies_at = where
        try:
            hours.gather.run()
        except Crash:
            continue
    assert len(hours.line.asked) <= 50
    hours.facts.dies_at = ""
    for _ in range(3):
        hours.clock.now += HOUR
        hours.gather.run()
    assert len(hours.facts.table()) == 60


def test_where_line_has_had_enough_the_rest_waits_for_an_hour() -> None:
    hours = Hours(60)
    hours.line.asked = [(NOW, "by hand", NOW.date(), NOW.date())] * 35
    assert hours.hour() == 35
    assert len(hours.facts.table()) == 25
    hours.clock.now += HOUR
    assert hours.hour() == 0


def test_what_line_does_not_answer_raises_and_is_asked_again() -> None:
    hours = Hours(3)
    hours.line.fails = True
    with pytest.raises(Retryable):
        hours.gather.run()
    hours.line.fails = False
    assert hours.hour() == 0


def test_two_workers_do_not_ask_side_by_side() -> None:
    hours = Hours(3)
    noted = hours.facts.note

    def another_first(day: dt.date, progress: Progress, tag: str) -> str | None:
        hours.facts.note = noted  # type: ignore[method-assign]
        noted(day, Progress(calls={"h": 1}), tag)
        return noted(day, progress, tag)

    hours.facts.note = another_first  # type: ignore[method-assign]
    with pytest.raises(Conflict):
        hours.gather.run()
    assert hours.line.asked == []


def test_a_run_is_asked_for_until_its_last_message_is_two_weeks_old() -> None:
    run = Unit("m202611_r", NOW, campaign="mail", run="mail@x")
    step = Unit("m202611_s", NOW, scenario="path")
    late = [day for day in range(60) if asked_on([run], NOW.date() + dt.timedelta(days=day), Progress())]
    assert (late[0], late[-1]) == (0, 22)
    late = [day for day in range(60) if asked_on([step], NOW.date() + dt.timedelta(days=day), Progress())]
    assert late[-1] == 4 + 22


@given(st.integers(0, 730 * 24), st.integers(0, 60))
def test_the_days_asked_for_are_within_lines_limit_and_the_month_is_looked_through(
    hours: int, later: int
) -> None:
    unit = Unit("u", NOW + hours * HOUR, scenario="path")
    day = (unit.made_at + dt.timedelta(hours=9)).date() + dt.timedelta(days=later)
    first, last = days_of(unit, day)
    assert first <= last <= day
    assert (last - first).days < DAYS_ASKED_MAX
    if asked_on([unit], day, Progress()):
        assert unit.month in months_asked(day)
