"""A night's measuring: which days, what each stage is told, and what a failure leaves to the next try."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from functions.domain.compiled import Compiled
from functions.domain.facts import CLICKS
from functions.measure.flow import Measure, Measured, Stage
from functions.measure.folder_lake import FolderLake
from functions.ports.messages import MeasureDay
from tests.fakes.objects import FakePlaybooks
from tests.fakes.playbooks import playbook
from tests.measure.test_merging import click, drop

NOW = dt.datetime(2026, 11, 5, 19, 0, tzinfo=dt.UTC)  # four in the morning of the 6th in Tokyo
FIFTH = dt.date(2026, 11, 5)


class Again:
    """The queue, which only remembers."""

    def __init__(self) -> None:
        self.orders: list[MeasureDay] = []

    def again(self, order: MeasureDay) -> None:
        self.orders.append(order)


def night(
    root: Path, *stages: Stage, now: dt.datetime = NOW, again: Again | None = None
) -> Callable[..., list[dt.date]]:
    playbooks = FakePlaybooks()
    playbooks.apply(playbook())
    flow = Measure(FolderLake(root), playbooks, stages, lambda: now, again or Again())
    return lambda order=None, left=900.0: flow.run(order or MeasureDay(), lambda: left)


def day(number: int) -> dt.date:
    return dt.date(2026, 11, number)


class Noting:
    """A stage that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[dt.date, frozenset[dt.date]]] = []

    def __call__(self, measured: Measured) -> None:
        self.told.append((measured.day, measured.touched))


def test_the_last_day_that_is_over_in_the_accounts_zone_is_measured(tmp_path: Path) -> None:
    noting = Noting()
    assert night(tmp_path, noting)() == [FIFTH]
    assert noting.told == [(FIFTH, frozenset({FIFTH}))]


def test_days_that_were_missed_are_made_up_for_in_order(tmp_path: Path) -> None:
    noting = Noting()
    night(tmp_path, now=NOW - dt.timedelta(days=3))()
    assert night(tmp_path, noting)() == [day(3), day(4), day(5)]
    assert [one for one, _ in noting.told] == [day(3), day(4), day(5)]


def test_what_facts_have_touched_is_told_once_with_the_first_day(tmp_path: Path) -> None:
    noting = Noting()
    drop(FolderLake(tmp_path), [click(1, 0, 0)])  # of the 1st
    night(tmp_path, noting)(MeasureDay(day(3), day(2)))
    assert noting.told == [(day(2), frozenset({day(1), day(2)})), (day(3), frozenset({day(3)}))]
    night(tmp_path, noting)()
    assert noting.told[2] == (day(4), frozenset({day(4)}))


def test_what_a_failing_stage_leaves_undone_is_told_again(tmp_path: Path) -> None:
    noting = Noting()

    def failing(_: Measured) -> None:
        raise RuntimeError("no")

    drop(FolderLake(tmp_path), [click(1, 0, 0)])
    with pytest.raises(RuntimeError):
        night(tmp_path, failing)()
    assert FolderLake(tmp_path).keys(CLICKS.raw_prefix) == []
    night(tmp_path, noting)()
    assert noting.told == [(FIFTH, frozenset({day(1), FIFTH}))]


def test_facts_of_a_day_that_is_not_over_wait_to_be_derived(tmp_path: Path) -> None:
    noting = Noting()
    drop(FolderLake(tmp_path), [click(1, 0, 0) | {"at": "2026-11-05T18:00:00Z"}])  # the 6th in Tokyo
    night(tmp_path)()
    night(tmp_path, noting, now=NOW + dt.timedelta(days=2))(MeasureDay(day(7)))
    assert noting.told == [(day(7), frozenset({day(6), day(7)}))]


def test_a_day_that_is_named_is_measured_alone_and_not_as_the_last(tmp_path: Path) -> None:
    night(tmp_path)()
    assert night(tmp_path)(MeasureDay(day(2))) == [day(2)]
    assert night(tmp_path, now=NOW + dt.timedelta(days=1))() == [day(6)]


def test_where_time_runs_out_a_new_invocation_goes_on(tmp_path: Path) -> None:
    again = Again()
    assert night(tmp_path, again=again)(MeasureDay(day(5), day(2)), 100.0) == [day(2)]
    assert again.orders == [MeasureDay(day(5), day(3))]


def test_the_zone_is_the_playbooks(tmp_path: Path) -> None:
    seen: list[str] = []
    night(tmp_path, lambda measured: seen.append(measured.zone))()
    assert seen == ["Asia/Tokyo"]


def test_the_playbook_is_the_one_in_force(tmp_path: Path) -> None:
    seen: list[Any] = []
    night(tmp_path, lambda measured: seen.append(measured.playbook))()
    assert [msgspec.json.encode(one) for one in seen] == [msgspec.json.encode(Compiled(playbook()).playbook)]
