"""Watermarks: what is complete up to when, and what is late, short or missing."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from functions.domain.playbook import Expect, Source
from functions.domain.watermarks import (
    LoadNote,
    SourceLog,
    accepted,
    complete_now,
    last_deadline,
    noted,
    report_of,
    usual_rows,
)

TOKYO = "Asia/Tokyo"
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
SIX = dt.datetime(2026, 11, 20, 6, tzinfo=dt.timezone(dt.timedelta(hours=9))).astimezone(dt.UTC)
DAILY = Source(26 * 3600, Expect(86_400, dt.time(6), 50))


def note(number: int, at: dt.datetime, rows: int = 1000, watermark: dt.datetime | None = None) -> LoadNote:
    return LoadNote(f"load{number}", at, rows, watermark or at)


def week(rows: int = 1000, days: int = 7) -> SourceLog:
    """A file each day at 05:00, the last one yesterday."""
    log = SourceLog()
    for number in range(days):
        log = noted(log, note(number, SIX - HOUR - (days - number) * DAY, rows), 50)
    return log


def state(log: SourceLog, now: dt.datetime, source: Source = DAILY, heard: dt.datetime | None = None) -> str:
    return report_of(source, heard, log, now, TOKYO).state


def test_a_source_that_tells_things_as_they_happen_is_complete_up_to_its_newest_word() -> None:
    source = Source(3600)
    assert state(SourceLog(), SIX, source, SIX - HOUR + DAY / 86_400) == "fresh"
    assert state(SourceLog(), SIX, source, SIX - HOUR) == "stale"
    assert state(SourceLog(), SIX, source) == "missing"


def test_a_word_of_a_source_that_sends_files_says_nothing_of_its_data() -> None:
    assert state(SourceLog(), SIX, heard=SIX) == "missing"
    assert state(week(), SIX + 3 * DAY, heard=SIX + 3 * DAY) == "late"


def test_a_file_is_late_from_its_hour_on() -> None:
    assert state(week(), SIX - DAY / 86_400) == "fresh"
    assert state(week(), SIX) == "late"
    assert state(noted(week(), note(8, SIX + HOUR), 50), SIX + HOUR) == "fresh"


def test_without_an_hour_a_file_is_late_when_its_time_is_over() -> None:
    source = Source(10 * 86_400, Expect(86_400))
    log = noted(SourceLog(), note(1, SIX), None)
    assert state(log, SIX + DAY - HOUR, source) == "fresh"
    assert state(log, SIX + DAY, source) == "late"


def test_a_file_with_half_the_rows_is_usual_and_one_row_less_is_short() -> None:
    assert state(noted(week(), note(8, SIX - HOUR, 500), 50), SIX) == "fresh"
    short = noted(week(), note(8, SIX - HOUR, 499), 50)
    assert state(short, SIX) == "short"
    assert short.watermark == week().watermark
    assert state(noted(week(), note(8, SIX - HOUR, 1501), 50), SIX) == "short"


def test_somebody_may_say_that_a_short_file_is_right() -> None:
    mended = accepted(noted(week(), note(8, SIX - HOUR, 1), 50))
    assert (state(mended, SIX), mended.watermark) == ("fresh", SIX - HOUR)


def test_a_whole_file_after_a_short_one_makes_up_for_it() -> None:
    log = noted(noted(week(), note(8, SIX - HOUR, 1), 50), note(9, SIX - HOUR / 2, 990), 50)
    assert state(log, SIX) == "fresh"


def test_nobody_knows_what_is_usual_after_two_files() -> None:
    assert usual_rows(week(days=2)) is None
    assert usual_rows(week(days=3)) == 1000
    assert state(noted(week(days=2), note(8, SIX - HOUR, 1), 50), SIX) == "fresh"


def test_old_data_is_stale_though_its_file_came_in_time() -> None:
    log = noted(week(), note(8, SIX - HOUR, 1000, SIX - 30 * HOUR), 50)
    assert state(log, SIX) == "stale" if log.watermark and SIX - log.watermark > 26 * HOUR else "fresh"
    old = SourceLog(SIX - 30 * HOUR, [note(8, SIX - HOUR, 1000, SIX - 30 * HOUR)])
    assert state(old, SIX) == "stale"


def test_a_load_is_noted_once() -> None:
    once = noted(week(), note(8, SIX), 50)
    assert noted(once, note(8, SIX + HOUR, 5), 50) == once


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2000)), max_size=20))
def test_the_watermark_never_goes_back_and_few_loads_are_kept(loads: list[tuple[int, int]]) -> None:
    log = SourceLog()
    for number, (hours, rows) in enumerate(loads):
        before = log.watermark
        log = noted(log, note(number, SIX + hours * HOUR, rows), 50)
        assert before is None or (log.watermark is not None and log.watermark >= before)
    assert len(log.loads) <= 10


def test_the_deadline_is_by_the_clock_of_the_account() -> None:
    expect = Expect(86_400, dt.time(6))
    assert last_deadline(expect, SIX, TOKYO) == SIX
    assert last_deadline(expect, SIX - DAY / 86_400, TOKYO) == SIX - DAY


def test_a_forecast_takes_every_source_as_complete() -> None:
    assert state(complete_now(SIX), SIX) == "fresh"
