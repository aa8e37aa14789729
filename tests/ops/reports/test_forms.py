"""A report is one content in three forms, and says plainly what it does not know."""

import csv
import datetime as dt
import io
import json
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from functions.measure.deriving import derive
from functions.measure.flow import Measured
from functions.measure.folder_lake import FolderLake
from functions.measure.workspace import opened
from ops.cli import main
from ops.reports.changes import sentences
from ops.reports.colours import PALETTE, colours_of
from ops.reports.content import Chart, Figure, Items, PeriodKind, Report, Section, Table
from ops.reports.making import made
from ops.reports.page import page_of, trend_of
from ops.reports.sheets import sheet_of
from ops.reports.source import Surroundings, opened_source
from ops.reports.spans import default_day, span_of
from ops.reports.words import changed, number
from tests.ops.reports import shop

KINDS: tuple[PeriodKind, ...] = ("daily", "weekly", "monthly")
DAY = dt.date(2026, 5, 31)


def sheet(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(sheet_of(report).removeprefix("\ufeff"))))


@pytest.mark.parametrize("kind", KINDS)
def test_csv_has_every_number_of_json_and_the_page_shows_each_figure(
    reports: dict[PeriodKind, Report], kind: PeriodKind
) -> None:
    report = reports[kind]
    again = msgspec.json.decode(msgspec.json.encode(report), type=Report)
    assert again == report
    rows, page = sheet(again), page_of(report)
    for section in report.sections:
        for block in section.blocks:
            mine = [row for row in rows if (row["section"], row["block"]) == (section.id, block.id)]
            numbers = [row["value"] for row in mine]
            for value in _numbers(section, block):
                assert str(value) in numbers
    for one in _figures(report):
        assert f'data-figure="{one.id}"' in page
        assert number(one.value, one.unit) in page
        assert one.meaning


def _figures(report: Report) -> Iterable[Figure]:
    for section in report.sections:
        for block in section.blocks:
            yield from getattr(block, "figures", [])


def _numbers(_section: Section, block: object) -> Iterable[float]:
    if isinstance(block, Table):
        cells: Iterable[object] = (cell for row in block.rows for cell in row)
    elif isinstance(block, Chart):
        cells = (cell for row in block.rows for cell in row.values())
    else:
        cells = (one.value for one in getattr(block, "figures", []))
    return (cell for cell in cells if isinstance(cell, int | float))


def test_what_a_spreadsheet_would_take_for_a_formula_is_text(reports: dict[PeriodKind, Report]) -> None:
    report = reports["daily"]
    table = Table("t", "t", report_columns(report), [["=HYPERLINK(1)", -2.5]], "")
    section = Section("s", "s", "", [table])
    rows = sheet(msgspec.structs.replace(report, sections=[section]))
    assert [row["value"] for row in rows] == ["'=HYPERLINK(1)", "-2.5"]


def report_columns(report: Report) -> list:  # type: ignore[type-arg]
    return next(b for s in report.sections for b in s.blocks if isinstance(b, Table)).columns[:2]


def test_names_of_a_playbook_are_escaped(reports: dict[PeriodKind, Report]) -> None:
    report = reports["daily"]
    table = Table("t", "<b>", report_columns(report), [["<script>x</script>", "`<i>`"]], "")
    page = page_of(msgspec.structs.replace(report, sections=[Section("s", "<u>", "", [table])]))
    assert not {"<script", "<b>", "<i>", "<u>"} & {
        part for part in ("<script", "<b>", "<i>", "<u>") if part in page
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_holds_all_that_it_shows(reports: dict[PeriodKind, Report], kind: PeriodKind) -> None:
    page = page_of(reports[kind])
    assert "<script" not in page
    assert "src=" not in page
    assert "@import" not in page
    assert "url(http" not in page
    assert "default-src 'none'" in page
    assert len(page) < 1_000_000


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> FolderLake:
    """A lake that was measured before anything happened."""
    lake = FolderLake(tmp_path_factory.mktemp("quiet"))
    with opened(lake) as workspace:
        at = dt.datetime(2026, 5, 31, 19, tzinfo=dt.UTC)
        derive(Measured(DAY, frozenset(), workspace, shop.book(), "Asia/Tokyo", at, lake))
    return lake


@pytest.mark.parametrize("kind", KINDS)
def test_where_nothing_happened_each_block_says_so(quiet: FolderLake, kind: PeriodKind) -> None:
    around = Surroundings(shop.book(), dt.datetime(2026, 6, 1, tzinfo=dt.UTC))
    with opened_source(quiet, around) as source:
        report = made(source, kind, DAY)
    page = page_of(report)
    for section in report.sections:
        for block in section.blocks:
            if isinstance(block, Table | Chart) and not block.rows:
                assert block.empty
                assert block.empty.replace("`", "")[:12] in page.replace("<code>", "").replace("</code>", "")
            if isinstance(block, Items) and not block.items:
                assert block.empty
    if kind != "daily":
        assert "データ不足" in page


def test_a_day_is_held_against_its_weekday_and_a_month_against_the_month_before() -> None:
    day = dt.date(2026, 3, 15)
    assert span_of("daily", day).previous_first == dt.date(2026, 3, 8)
    assert span_of("weekly", day)[1:] == (dt.date(2026, 3, 9), day, dt.date(2026, 3, 2), dt.date(2026, 3, 8))
    assert span_of("monthly", day)[1:] == (
        dt.date(2026, 3, 1), dt.date(2026, 3, 31), dt.date(2026, 2, 1), dt.date(2026, 2, 28),
    )  # fmt: skip
    assert default_day("monthly", day) == dt.date(2026, 2, 28)
    assert default_day("monthly", dt.date(2026, 3, 31)) == dt.date(2026, 3, 31)


def test_less_blocks_are_good_news_and_fewer_messages_are_none() -> None:
    fewer = {"unit": "ratio", "value": 0.01, "previous": 0.03}
    assert trend_of(Figure("block_rate", "", better="down", **fewer)) == "good"  # type: ignore[arg-type]
    assert trend_of(Figure("click_rate", "", better="up", **fewer)) == "bad"  # type: ignore[arg-type]
    assert trend_of(Figure("targeted", "", **fewer)) == "even"  # type: ignore[arg-type]
    assert changed(Figure("x", "", "ratio", 0.01, 0.03)) == "−2.0ポイント"
    assert changed(Figure("x", "", "yen", 150, 100)) == "+50%"
    assert changed(Figure("x", "", "count", 5, 0)) == "+5"
    assert changed(Figure("x", "", "count", 5, None)) == ""


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [(0.0012, "ratio", "0.12%"), (0.31, "ratio", "31.0%"), (0, "ratio", "0%"), (-1234.4, "yen", "−1,234円"), (4.66, "yen", "4.7円"), (27.41, "days", "27.4日"), (None, "yen", "—"), (3.5, "count", "3.5")],
)  # fmt: skip
def test_numbers_have_their_unit(value: float | None, unit: str, told: str) -> None:
    assert number(value, unit) == told  # type: ignore[arg-type]


def test_what_changed_is_told_in_sentences() -> None:
    told = "。".join(sentences(shop.earlier_book(), shop.book()))
    assert "シナリオを on に: upsell" in told
    assert "頻度の上限 promotion_weekly: 7日に2通 → 7日に1通" in told
    assert "メッセージ weekly_picks を変更:「" in told
    assert "シナリオを変更" not in told
    assert list(sentences(shop.book(), shop.book())) == []


def test_the_week_tells_what_was_changed_why_and_by_whom(reports: dict[PeriodKind, Report]) -> None:
    page = page_of(reports["weekly"])
    assert "理由: アップセルを試し、週2通は多いという声に応える" in page
    assert "5月27日 11:00・hanako" in page


def test_colours_are_those_of_the_playbook_whatever_the_report(reports: dict[PeriodKind, Report]) -> None:
    first, *others = (report.colours for report in reports.values())
    assert all(one == first for one in others)
    on = [name for name, one in shop.book().scenarios.items() if one.on]
    assert len({first[name] for name in on}) == len(on)
    assert colours_of(shop.book()).keys() == shop.book().scenarios.keys() | shop.book().campaigns.keys()
    assert len(set(PALETTE)) == len(PALETTE)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["report", *arguments])
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


def test_the_command_writes_a_file(
    lake: FolderLake, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "deep" / "daily.json"
    given = ("--from", str(lake._root), "--playbook", "playbooks/ec", "--out", str(out))
    code, said, _ = run(capsys, "daily", "--format", "json", "--day", "2026-05-30", *given)
    assert code == 0
    assert str(out) in said
    assert json.loads(out.read_text())["first"] == "2026-05-30"
    code, _, err = run(capsys, "daily", "--day", "2026-06-02", *given)
    assert (code, "last measured day is 2026-05-31" in err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["daily", "--labour-yen", "3"], "monthly"), (["weekly", "--from", "."], "--playbook"), (["yearly"], "daily")],
)  # fmt: skip
def test_mistakes_get_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], told: str) -> None:
    code, _, err = run(capsys, *arguments)
    assert (code, err.count("\n")) == (2, 1)
    assert told in err


def test_before_anything_was_measured_it_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = run(capsys, "daily", "--from", str(tmp_path), "--playbook", "playbooks/ec")
    assert (code, "Nothing was measured yet" in err) == (2, True)
