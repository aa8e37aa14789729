"""Instants are UTC; local rules hold where clocks change too."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.instants import (
    InstantError,
    format_instant,
    from_milliseconds,
    in_daily_window,
    local_day_at,
    minute_of,
    next_local_time,
    parse_instant,
    whole_days,
)
from tests.domain.strategies import DAY, HOUR, NOON, SECOND, ZONES, minutes_from

YEAR = minutes_from(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), 366)
TIMES = st.builds(dt.time, st.integers(0, 23), st.sampled_from([0, 30]))


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def test_z_is_utc() -> None:
    assert parse_instant("2026-11-01T03:04:05Z") == utc("2026-11-01T03:04:05")


def test_an_offset_is_taken_off() -> None:
    parsed = parse_instant("2026-11-01T12:04:05+09:00")
    assert parsed == utc("2026-11-01T03:04:05")
    assert parsed.tzinfo is dt.UTC


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(InstantError, match=r"has no zone; add Z or an offset such as \+09:00\."):
        parse_instant("2026-11-01T03:04:05")


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01T00:00:00Z", "2026-11-01", None, 5, ["x"], {"a": 1}])
def test_what_is_no_instant_is_refused(text: Any) -> None:
    with pytest.raises(InstantError):
        parse_instant(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+09:00", "9999-12-31T23:59:59-09:00"])
def test_an_instant_outside_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(InstantError):
        parse_instant(text)


@given(st.datetimes(timezones=st.just(dt.UTC)))
def test_an_instant_survives_writing_and_reading(instant: dt.datetime) -> None:
    assert parse_instant(format_instant(instant)) == instant


def test_an_instant_is_written_with_z_and_without_empty_microseconds() -> None:
    tokyo = dt.timezone(9 * HOUR)
    assert format_instant(dt.datetime(2026, 11, 20, 12, 0, tzinfo=tokyo)) == "2026-11-20T03:00:00Z"
    assert format_instant(NOON + dt.timedelta(microseconds=5)) == "2026-11-20T03:00:00.000005Z"


def test_milliseconds_of_line_are_since_1970() -> None:
    assert from_milliseconds(1462629479859) == utc("2016-05-07T13:57:59.859")


@pytest.mark.parametrize(
    ("zone", "start", "days", "at", "expected"),
    [
        ("Asia/Tokyo", "2026-11-20T16:00", 7, "19:00", "2026-11-28T10:00"),  # 21 November already, in Tokyo
        ("Asia/Tokyo", "2026-11-20T14:59", 0, "00:00", "2026-11-19T15:00"),
        ("Europe/Berlin", "2026-03-28T12:00", 1, "19:00", "2026-03-29T17:00"),  # summer time began
        ("Europe/Berlin", "2026-03-28T12:00", 1, "02:30", "2026-03-29T01:30"),  # skipped: 03:30
        ("Europe/Berlin", "2026-10-24T12:00", 1, "02:30", "2026-10-25T00:30"),  # twice: the first
        ("America/New_York", "2026-11-01T02:00", 1, "07:00", "2026-11-01T12:00"),
        ("America/New_York", "2026-03-07T12:00", 1, "02:30", "2026-03-08T07:30"),
    ],
)
def test_the_local_day_is_counted_on_the_local_calendar(
    zone: str, start: str, days: int, at: str, expected: str
) -> None:
    assert local_day_at(utc(start), days, dt.time.fromisoformat(at), zone) == utc(expected)


def test_the_next_local_time_is_never_now() -> None:
    assert next_local_time(NOON, dt.time(12), "Asia/Tokyo") == NOON + DAY
    assert next_local_time(NOON - SECOND, dt.time(12), "Asia/Tokyo") == NOON


@pytest.mark.parametrize(
    ("now", "at"), [("2026-03-28T18:00", "2026-03-29T17:00"), ("2026-10-24T17:00", "2026-10-25T18:00")]
)
def test_the_next_local_time_is_23_or_25_hours_on_when_clocks_change(now: str, at: str) -> None:
    assert next_local_time(utc(now), dt.time(19), "Europe/Berlin") == utc(at)


def test_a_local_time_that_comes_a_second_time_today_is_the_next_one() -> None:
    second_half_past_two = utc("2026-10-25T01:30")
    assert next_local_time(utc("2026-10-25T00:45"), dt.time(2, 30), "Europe/Berlin") == second_half_past_two


@given(YEAR, TIMES, st.sampled_from(ZONES))
def test_the_next_local_time_lies_ahead_within_a_day_and_shows_the_time(
    now: dt.datetime, at: dt.time, zone: str
) -> None:
    then = next_local_time(now, at, zone)
    assert now < then <= now + 25 * HOUR + (HOUR if at.hour < 4 else dt.timedelta())
    shown = then.astimezone(ZoneInfo(zone)).time()
    assert shown == at or (at.hour == 2 and shown == dt.time(3, at.minute))


@pytest.mark.parametrize(
    ("local", "inside"),
    [
        ("20:59:59", False),
        ("21:00", True),
        ("23:59", True),
        ("00:00", True),
        ("06:59:59", True),
        ("07:00", False),
    ],
)
def test_a_window_past_midnight_begins_with_its_start_and_ends_before_its_end(
    local: str, inside: bool
) -> None:
    now = dt.datetime.fromisoformat(f"2026-11-20T{local}").replace(tzinfo=ZoneInfo("Asia/Tokyo"))
    assert in_daily_window(now, dt.time(21), dt.time(7), "Asia/Tokyo") is inside


@pytest.mark.parametrize(("local", "inside"), [("11:59:59", False), ("12:00", True), ("13:00", False)])
def test_a_window_within_a_day_is_half_open(local: str, inside: bool) -> None:
    now = dt.datetime.fromisoformat(f"2026-11-20T{local}").replace(tzinfo=ZoneInfo("Asia/Tokyo"))
    assert in_daily_window(now, dt.time(12), dt.time(13), "Asia/Tokyo") is inside


@given(YEAR, TIMES, st.sampled_from(ZONES))
def test_a_window_that_starts_when_it_ends_is_empty(now: dt.datetime, at: dt.time, zone: str) -> None:
    assert not in_daily_window(now, at, at, zone)


def test_a_window_is_read_off_the_clock_of_its_zone() -> None:
    assert in_daily_window(NOON, dt.time(21), dt.time(7), "America/New_York")
    assert not in_daily_window(NOON, dt.time(21), dt.time(7), "Asia/Tokyo")


@given(YEAR, st.sampled_from(ZONES))
def test_the_end_of_quiet_hours_is_outside_them(now: dt.datetime, zone: str) -> None:
    assert not in_daily_window(next_local_time(now, dt.time(7), zone), dt.time(21), dt.time(7), zone)


def test_days_are_whole_elapsed_ones() -> None:
    assert whole_days(NOON, NOON + DAY) == 1
    assert whole_days(NOON, NOON + DAY - SECOND) == 0
    assert whole_days(NOON, NOON - SECOND) == -1


def test_a_minute_has_no_seconds() -> None:
    assert minute_of(NOON + dt.timedelta(seconds=59, microseconds=999_999)) == NOON
