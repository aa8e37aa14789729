"""What a demo's end is held against: a recount that agrees with a sound shop, and sees each figure that is off."""

import copy
import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from functions.measure.experiments import lifts, results
from functions.measure.kpis import KPIS
from ops.recount.by_pandas import ByPandas
from ops.recount.kpis import Recount, hold_values
from ops.recount.ledger import Ledger
from ops.recount.reports import hold_report
from ops.recount.tested import hold_experiments, hold_experiments_shown, hold_lifts, hold_lifts_shown
from ops.recount.trials import Trials
from ops.reports.command import as_text
from ops.reports.making import made
from ops.reports.source import Source
from tests.ops.reports import shop

KINDS: tuple[Any, ...] = ("daily", "weekly", "monthly")
Report = dict[str, Any]


@pytest.fixture(scope="module")
def reports(source: Source) -> list[Report]:
    return [json.loads(as_text(made(source, kind, None), "json")) for kind in KINDS]


@pytest.fixture(scope="module")
def recount() -> Recount:
    events = shop.facts().tables["events"]
    return Recount(ByPandas(shop.facts().happened(), shop.book()), dt.date.min, events)


@pytest.fixture(scope="module")
def trials(recount: Recount) -> Trials:
    empty = pd.DataFrame({"customer_id": [], "experiment": [], "variant": [], "at": []})
    return Trials(recount.known, shop.facts().tables.get("exposures", empty), shop.LAST)


def test_every_figure_of_a_sound_shops_reports_is_what_a_recount_comes_to(
    reports: list[Report], recount: Recount
) -> None:
    ledger, shown = Ledger(), set()
    for report in reports:
        shown |= hold_report(ledger, report, recount)
    assert ledger.differing == []
    assert ledger.held > 600
    assert shown == KPIS.keys()


def test_kpis_of_every_kind_of_scope_are_held_too(source: Source, recount: Recount) -> None:
    ledger = Ledger()
    hold_values(ledger, source, recount, shop.LAST - dt.timedelta(days=6), shop.LAST)
    assert ledger.differing == []
    assert ledger.held > 600


def _numbers(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the numbers of a block are that a recount is to hold."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _numbers(one, (*path, key))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from _numbers(one, (*path, place))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path


@pytest.mark.parametrize(
    ("kind", "block_id"),
    [
        ("daily", "ends"),
        ("daily", "by_source"),
        ("daily", "sends_by_day"),
        ("daily", "suppressed_by_reason"),
        ("weekly", "overlaps"),
        ("monthly", "kpi_tree"),
        ("monthly", "profit_steps"),
        ("monthly", "ltv_line"),
        ("monthly", "by_month"),
        ("monthly", "retention"),
    ],
)
def test_one_figure_that_is_off_is_seen_wherever_it_stands(
    reports: list[Report], recount: Recount, kind: str, block_id: str
) -> None:
    report = copy.deepcopy(next(one for one in reports if one["kind"] == kind))
    section, block = next((s, b) for s in report["sections"] for b in s["blocks"] if b["id"] == block_id)
    report["sections"] = [{**section, "blocks": [block]}]
    places = list(_numbers(block))
    assert places
    for path in places[:: max(1, len(places) // 12)]:
        # A retention's month says whose row it is: another one is another row.
        if path[-1] == "month":
            continue
        *way, last = path
        holder = block
        for step in way:
            holder = holder[step]
        before, holder[last] = holder[last], holder[last] + 1
        ledger = Ledger()
        hold_report(ledger, report, recount)
        assert ledger.differing, path
        holder[last] = before


def test_a_block_that_nobody_recounts_is_a_difference(reports: list[Report], recount: Recount) -> None:
    new = {"type": "table", "id": "novel", "columns": [], "rows": []}
    report = {**reports[0], "sections": [{"blocks": [new]}]}
    ledger = Ledger()
    hold_report(ledger, report, recount)
    assert "novel" in ledger.differing[0]


def test_lifts_and_experiments_are_held_arm_by_arm(
    source: Source, reports: list[Report], trials: Trials
) -> None:
    ledger, last = Ledger(), shop.LAST
    first = last - dt.timedelta(days=91)
    told = lifts(source.views, shop.book(), first, last)
    hold_lifts(ledger, told, trials, first, last)
    estimated = [one for one in told if one.conversion.low is not None]
    assert estimated, "no lift is large enough for an interval"
    found = results(source.views, shop.book(), last - dt.timedelta(days=6), last)
    hold_experiments(ledger, found, trials, last - dt.timedelta(days=6), last)
    blocks = {b["id"]: b for report in reports for s in report["sections"] for b in s["blocks"]}
    hold_lifts_shown(ledger, blocks["lifts"], trials, first, last)
    hold_experiments_shown(ledger, blocks["experiments"], trials, last - dt.timedelta(days=6), last)
    assert ledger.differing == []
    assert ledger.held > 100


def test_numbers_are_the_same_but_for_the_order_in_which_they_were_added() -> None:
    ledger = Ledger()
    for told, counted in ((0.1 + 0.2, 0.3), (3, 3.0), (None, None), ("a", "a"), (1e9 + 0.1, 1e9 + 0.1)):
        ledger.hold("it", told, counted)
    assert ledger.differing == []
    for told, counted in ((1, 2), (None, 0), (0, None), ("a", "b"), (0.5, 0.5000001)):
        ledger.hold("it", told, counted)
    assert (ledger.held, len(ledger.differing)) == (10, 5)


def test_where_nobody_was_targeted_there_is_no_lift(trials: Trials) -> None:
    before = shop.LAST - dt.timedelta(days=3_000)
    assert trials.lifts(before, before) == {}
