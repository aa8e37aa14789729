"""Windows of caps: rolling and calendar, in the customer's zone, half-open, by kind and category."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.caps import (
    Period,
    counted,
    counts,
    first_refusal,
    leaves_at,
    longest_window,
    opens_at,
    period_end,
)
from functions.domain.gate import Contact
from functions.domain.playbook import Cap
from tests.domain.strategies import DAY, HOUR, NOON, SECOND, ZONES, minutes_from
from tests.domain.verdicts import DAY_SECONDS, WEEKLY, contacted, local

PERIODS: list[Period] = ["day", "week", "month"]


def calendar(period: Period, limit: int = 1) -> Cap:
    return Cap("c", ["promotion"], limit, 0, calendar=period)


@pytest.mark.parametrize(
    ("period", "at", "zone", "end"),
    [
        ("day", "2026-11-20T00:00", "Asia/Tokyo", "2026-11-21T00:00"),
        ("day", "2026-11-20T23:59:59", "Asia/Tokyo", "2026-11-21T00:00"),
        ("day", "2026-10-25T01:00", "Europe/Berlin", "2026-10-26T00:00"),  # 25 hours long
        ("day", "2026-03-29T01:00", "Europe/Berlin", "2026-03-30T00:00"),  # 23 hours long
        ("day", "2026-04-23T12:00", "Africa/Cairo", "2026-04-24T01:00"),  # whose midnight is skipped
        ("week", "2026-11-16T00:00", "Asia/Tokyo", "2026-11-23T00:00"),  # a Monday
        ("week", "2026-11-22T23:59", "Asia/Tokyo", "2026-11-23T00:00"),  # a Sunday
        ("week", "2026-12-31T12:00", "Asia/Tokyo", "2027-01-04T00:00"),
        ("week", "2026-10-24T12:00", "Europe/Berlin", "2026-10-26T00:00"),
        ("month", "2026-11-01T00:00", "Asia/Tokyo", "2026-12-01T00:00"),
        ("month", "2026-12-31T23:59", "Asia/Tokyo", "2027-01-01T00:00"),
        ("month", "2028-02-29T12:00", "Asia/Tokyo", "2028-03-01T00:00"),
        ("month", "2026-10-01T00:00", "America/New_York", "2026-11-01T00:00"),
        ("month", "2026-11-01T00:30", "America/New_York", "2026-12-01T00:00"),
    ],
)
def test_a_period_ends_at_a_midnight_of_the_customers(period: Period, at: str, zone: str, end: str) -> None:
    assert period_end(period, local(at, zone), zone) == local(end, zone)


def same_period(period: Period, one: dt.datetime, other: dt.datetime, zone: str) -> bool:
    names = []
    for at in (one, other):
        day = at.astimezone(ZoneInfo(zone)).date()
        names.append({"day": day, "week": day.isocalendar()[:2], "month": (day.year, day.month)}[period])
    return names[0] == names[1]


@given(st.data())
def test_a_calendar_contact_counts_while_the_calendar_says_the_same(data: st.DataObject) -> None:
    period, zone = data.draw(st.sampled_from(PERIODS)), data.draw(st.sampled_from(ZONES))
    start = data.draw(st.sampled_from([NOON, local("2026-10-20T00:00"), local("2026-03-20T00:00")]))
    at = data.draw(minutes_from(start, 12))
    now = data.draw(minutes_from(at, 40))
    counting = counted(calendar(period), contacted(at), zone, now)
    assert bool(counting) is same_period(period, at, now, zone)


@given(st.data())
def test_a_cap_opens_at_the_first_instant_with_room(data: st.DataObject) -> None:
    zone, limit = data.draw(st.sampled_from(ZONES)), data.draw(st.integers(1, 3))
    rolling = st.sampled_from([3_600, DAY_SECONDS, 7 * DAY_SECONDS]).map(
        lambda seconds: Cap("c", ["promotion"], limit, seconds)
    )
    cap = data.draw(st.one_of(rolling, st.sampled_from(PERIODS).map(lambda period: calendar(period, limit))))
    contacts = contacted(*data.draw(st.lists(minutes_from(NOON - 20 * DAY, 20), max_size=5)))
    opens = opens_at(cap, contacts, zone, NOON)
    assert len(counted(cap, contacts, zone, opens)) < limit
    assert opens >= NOON
    if opens > NOON:
        assert len(counted(cap, contacts, zone, opens - dt.timedelta(microseconds=1))) >= limit


@given(minutes_from(local("2026-01-01T00:00"), 400), st.sampled_from(ZONES), st.sampled_from(PERIODS))
def test_nothing_counts_for_longer_than_the_longest_window(
    at: dt.datetime, zone: str, period: Period
) -> None:
    assert leaves_at(calendar(period), at, zone) - at <= longest_window(calendar(period))


def test_a_cap_counts_its_kinds_and_where_it_names_any_its_categories() -> None:
    coupons = Cap("c", ["promotion"], 1, 60, categories=["coupon"])
    assert [counts(coupons, *one) for one in (("promotion", "coupon"), ("promotion", ""), ("support", "coupon"))] == [
        True, False, False,
    ]  # fmt: skip
    assert counts(WEEKLY, "promotion", "coupon")


def test_contacts_of_another_category_take_no_room() -> None:
    coupons = Cap("c", ["promotion"], 1, DAY_SECONDS, categories=["coupon"])
    news, coupon = (
        Contact("n", "promotion", NOON - HOUR, "news"),
        Contact("c", "promotion", NOON - HOUR, "coupon"),
    )
    assert opens_at(coupons, [news], "Asia/Tokyo", NOON) == NOON
    assert opens_at(coupons, [news, coupon], "Asia/Tokyo", NOON) == NOON + 23 * HOUR


def test_the_first_cap_of_the_playbook_that_refuses_is_told() -> None:
    hourly = Cap("hourly", ["promotion"], 1, 3_600)
    other = Cap("other", ["support"], 1, DAY_SECONDS)
    recent = contacted(NOON - SECOND)
    assert first_refusal([other, hourly, WEEKLY], recent, "promotion", "", "Asia/Tokyo", NOON) == (
        hourly,
        NOON + HOUR - SECOND,
    )
    assert first_refusal([other, WEEKLY], [], "promotion", "", "Asia/Tokyo", NOON) is None
