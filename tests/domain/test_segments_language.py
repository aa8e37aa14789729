"""The words of the language: windows, verbs, calendars, facts of the customer and of the world around it."""

import datetime as dt

import pytest

from functions.domain.context import EMPTY, Context, Fact
from functions.domain.events import EventType, PropertyType
from functions.domain.profiles import Occurrence, Profile, Register, Seen, Tally
from functions.domain.registers import ConsentRegister
from functions.domain.segments import (
    SegmentError,
    compile_predicate,
    inlined,
    names_of,
    next_change,
    parse,
    reads_context,
)

NOW = dt.datetime(2026, 11, 20, 3, 0, tzinfo=dt.UTC)
"""Noon in Tokyo."""
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
MICROSECOND = dt.timedelta(microseconds=1)
DICTIONARY = {
    "purchase": EventType(
        "an order was paid",
        alias="orders",
        properties={
            "amount": PropertyType("number", sum=True),
            "category": PropertyType("string", index=True),
            "brand": PropertyType("string", index=True),
            "rank": PropertyType("string", attribute=True),
        },
        verb="bought",
        keep_days=90,
    ),
    "product_view": EventType("looked at a product", alias="product_views"),
    "signed": EventType(
        "signed",
        properties={
            "birthday": PropertyType("date", attribute=True),
            "joined_at": PropertyType("instant", attribute=True),
        },
    ),
    "visit": EventType("came by", verb="seen_at"),
}
NAMES = names_of(DICTIONARY, ["vip"])


def register(value: object) -> Register:
    return Register(value, NOW, "e")


def consent(given: bool) -> ConsentRegister:
    return ConsentRegister(given, NOW, "e")


def attributes(**values: object) -> Profile:
    return Profile(attributes={name: register(value) for name, value in values.items()})


def orders(*days_ago: float, amount: int | None = 5) -> Profile:
    ats = sorted(NOW - days * DAY for days in days_ago)
    sums = {} if amount is None else {"amount": amount * 1_000_000}
    kept = [Occurrence(at, sums) for at in ats]
    total = {name: value * len(ats) for name, value in sums.items()}
    return Profile(tallies={"orders": Tally(len(ats), ats[0], ats[-1], total, {}, kept, 90)})


def holds(source: str, profile: Profile, now: dt.datetime = NOW, context: Context = EMPTY) -> bool:
    return compile_predicate(parse(source, NAMES), context)(profile, now)


def changes(
    source: str, profile: Profile, now: dt.datetime = NOW, context: Context = EMPTY
) -> dt.datetime | None:
    return next_change(parse(source, NAMES), profile, now, context)


# ---- windows


def test_a_window_counts_what_is_younger_than_its_length() -> None:
    profile = orders(7, 6.9, 1)
    assert holds("orders.count_in(days=7) == 2", profile)
    assert holds("orders.count_in(days=7) == 3", profile, NOW - MICROSECOND)
    assert holds("orders.count_in(hours=168) == 2", profile)


def test_a_sum_in_a_window_is_zero_where_nothing_is_in_it_and_missing_where_nothing_ever_was() -> None:
    assert holds("orders.amount_in(days=7) == 10", orders(1, 2, 30))
    assert holds("orders.amount_in(days=7) == 0", orders(30))
    assert not holds("orders.amount_in(days=7) == 0", orders(1, amount=None))
    assert not holds("orders.amount_in(days=7) == 0", Profile())
    assert holds("orders.count_in(days=7) == 0", Profile())


@pytest.mark.parametrize(("sign", "counts"), [("<", "01"), ("<=", "012"), (">", "3"), (">=", "23"), ("==", "2"), ("!=", "013")])  # fmt: skip
def test_every_comparison_of_a_count_in_a_window(sign: str, counts: str) -> None:
    profiles = [Profile(), orders(1), orders(1, 2), orders(1, 2, 3)]
    found = [str(n) for n, one in enumerate(profiles) if holds(f"orders.count_in(days=7) {sign} 2", one)]
    assert "".join(found) == counts


def test_each_occurrence_leaves_its_window_on_its_own() -> None:
    profile = orders(6, 3)
    assert changes("orders.count_in(days=7) >= 2", profile) == NOW + DAY
    assert changes("orders.count_in(days=7) >= 1", profile) == NOW + 4 * DAY
    assert changes("orders.amount_in(days=7) >= 6", profile) == NOW + DAY
    assert changes("orders.count_in(days=7) >= 5", profile) is None


def test_an_age_against_a_window_turns_at_whichever_moves_first() -> None:
    profile = orders(6.5, 6, 0.5)
    # In half a day and in one day an order leaves the window; when the newest is two days old there is one left.
    assert changes("days_since(orders.last_at) > orders.count_in(days=7)", profile) == NOW + 1.5 * DAY
    assert changes("orders.count_in(days=7) <= days_since(orders.last_at)", profile) == NOW + DAY


# ---- verbs


def with_seen(**days_ago: float) -> Profile:
    seen = {name: Seen(1, NOW - days * DAY) for name, days in days_ago.items()}
    by = {"category": {"skin": seen["skin"]}} if "skin" in seen else {}
    by |= {"brand": {"skin": seen["brand"]}} if "brand" in seen else {}
    return Profile(tallies={"orders": Tally(1, NOW - 90 * DAY, NOW - DAY, by=by)})


@pytest.mark.parametrize(
    ("source", "profile", "expected"),
    [
        ('bought("skin")', with_seen(skin=50), True),
        ('bought("skin")', with_seen(brand=50), True),
        ('bought("skin")', with_seen(), False),
        ('not bought("skin")', Profile(), True),
        ('bought_in("skin", days=50)', with_seen(skin=50), False),
        ('bought_in("skin", days=51)', with_seen(skin=50), True),
        ('bought_in("skin", days=51)', with_seen(skin=90, brand=50), True),
        ('days_since_bought("skin") == 50', with_seen(skin=90, brand=50), True),
        ('days_since_bought("skin") >= 0', with_seen(), False),
    ],
)
def test_a_verb_asks_all_indexed_properties(source: str, profile: Profile, expected: bool) -> None:
    assert holds(source, profile) is expected


def test_a_verb_in_a_window_changes_when_the_newest_leaves_it() -> None:
    assert changes('bought_in("skin", days=51)', with_seen(skin=50, brand=49)) == NOW + 2 * DAY
    assert changes('days_since_bought("skin") > 50', with_seen(skin=50)) == NOW + DAY


# ---- what did not follow


def viewed(hours_ago: float, bought_hours_ago: float | None = None) -> Profile:
    view, order = NOW - hours_ago * HOUR, NOW - (bought_hours_ago or 0) * HOUR
    tallies = {"product_views": Tally(1, view, view)}
    if bought_hours_ago is not None:
        tallies["orders"] = Tally(1, order, order)
    return Profile(tallies=tallies)


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (viewed(24), True),
        (viewed(23.9), False),
        (viewed(24, bought_hours_ago=25), True),
        (viewed(24, bought_hours_ago=24), False),
        (viewed(24, bought_hours_ago=1), False),
        (Profile(), False),
    ],
)
def test_not_followed_by_waits_and_asks_what_came_at_or_after(profile: Profile, expected: bool) -> None:
    assert holds("product_views.not_followed_by(orders, hours=24)", profile) is expected


def test_not_followed_by_changes_when_the_wait_is_over() -> None:
    source = "product_views.not_followed_by(orders, hours=24)"
    assert changes(source, viewed(20)) == NOW + 4 * HOUR
    assert changes(source, viewed(20, bought_hours_ago=1)) is None


# ---- hours and minutes


def test_hours_and_minutes_are_whole_and_elapsed() -> None:
    profile = orders(1)
    assert holds("hours_since(orders.last_at) == 24 and minutes_since(orders.last_at) == 1440", profile)
    assert changes("hours_since(orders.last_at) == 24", profile) == NOW + HOUR
    assert changes("minutes_since(orders.last_at) > 1500", profile) == NOW + 61 * dt.timedelta(minutes=1)


# ---- calendars


@pytest.mark.parametrize(
    ("expires_on", "days"),
    [
        ("2026-11-20", 0),
        ("2026-11-27", 7),
        ("2026-11-18", -2),
        ("2026-11-20T14:59:59Z", 0),
        ("2026-11-20T15:00:00Z", 1),
    ],
)
def test_days_until_are_calendar_days_where_the_customer_lives(expires_on: str, days: int) -> None:
    assert holds(f"days_until(expires_on) == {days}", attributes(expires_on=expires_on))


@pytest.mark.parametrize("value", ["soon", "2026-1-1", "20261120", 20_261_120, "2026-11-20T03:00:00"])
def test_what_is_no_date_is_missing(value: object) -> None:
    assert not holds("days_until(expires_on) > -999 or is_month_of(expires_on)", attributes(expires_on=value))


@pytest.mark.parametrize(
    ("today", "birthday", "days"),
    [
        ("2026-11-20", "1990-11-20", 0),
        ("2026-11-20", "1990-11-19", 364),
        ("2026-11-20", "1990-11-21", 1),
        ("2027-02-28", "2000-02-29", 0),
        ("2027-03-01", "2000-02-29", 365),
        ("2028-02-28", "2000-02-29", 1),
        ("2028-02-29", "2000-02-28", 365),
    ],
)
def test_an_anniversary_comes_every_year(today: str, birthday: str, days: int) -> None:
    noon = dt.datetime.fromisoformat(f"{today}T03:00:00+00:00")
    assert holds(f"days_until_anniversary(birthday) == {days}", attributes(birthday=birthday), noon)


def test_the_month_is_the_customers_own() -> None:
    last_hour = dt.datetime(2026, 11, 30, 15, 0, tzinfo=dt.UTC)  # December in Tokyo, not yet in Berlin
    assert holds("is_month_of(birthday)", attributes(birthday="1990-12-24"), last_hour)
    assert not holds(
        "is_month_of(birthday)", attributes(birthday="1990-12-24", zone="Europe/Berlin"), last_hour
    )


@pytest.mark.parametrize(
    ("zone", "now", "on", "midnight"),
    [
        ("Asia/Tokyo", "2026-11-20T03:00:00Z", "2026-11-21", "2026-11-20T15:00:00Z"),
        ("Europe/Berlin", "2026-03-28T23:30:00Z", "2026-03-30", "2026-03-29T22:00:00Z"),
        ("Europe/Berlin", "2026-10-24T22:30:00Z", "2026-10-26", "2026-10-25T23:00:00Z"),
        ("America/Sao_Paulo", "2018-11-03T12:00:00Z", "2018-11-04", "2018-11-04T03:00:00Z"),
        ("America/Sao_Paulo", "2018-02-17T12:00:00Z", "2018-02-18", "2018-02-18T03:00:00Z"),
        ("America/St_Johns", "2010-11-06T12:00:00Z", "2010-11-07", "2010-11-07T02:30:00Z"),
        ("Pacific/Apia", "2011-12-29T12:00:00Z", "2011-12-31", "2011-12-30T10:00:00Z"),
        ("Asia/Beirut", "2026-03-28T12:00:00Z", "2026-03-29", "2026-03-28T22:00:00Z"),
    ],
)  # fmt: skip
def test_a_day_begins_at_the_local_midnight_whatever_the_clock_does(
    zone: str, now: str, on: str, midnight: str
) -> None:
    profile, start = attributes(expires_on=on, zone=zone), dt.datetime.fromisoformat(now)
    assert changes("days_until(expires_on) <= 0", profile, start) == dt.datetime.fromisoformat(midnight)


def test_a_clock_set_back_over_midnight_changes_the_day_back() -> None:
    profile = attributes(expires_on="2010-11-07", zone="America/St_Johns")
    within = dt.datetime(
        2010, 11, 7, 2, 30, 30, tzinfo=dt.UTC
    )  # half a minute past midnight, for the first time
    back, again = (
        dt.datetime(2010, 11, 7, 2, 31, tzinfo=dt.UTC),
        dt.datetime(2010, 11, 7, 3, 30, tzinfo=dt.UTC),
    )
    assert changes("days_until(expires_on) <= 0", profile, within) == back
    assert changes("days_until(expires_on) <= 0", profile, back) == again


@pytest.mark.parametrize(
    ("source", "birthday", "at"),
    [
        ("is_month_of(birthday)", "1990-12-24", "2026-11-30T15:00:00Z"),
        ("is_month_of(birthday)", "1990-11-24", "2026-11-30T15:00:00Z"),
        ("is_month_of(birthday)", "1990-02-01", "2027-01-31T15:00:00Z"),
        ("days_until_anniversary(birthday) <= 7", "1990-12-24", "2026-12-16T15:00:00Z"),
        ("days_until_anniversary(birthday) == 0", "2000-02-29", "2027-02-27T15:00:00Z"),
        ("days_until_anniversary(birthday) == 365", "1990-02-28", "2028-02-28T15:00:00Z"),
        ("days_until_anniversary(birthday) > 400", "1990-02-28", None),
        ("is_month_of(birthday) and days_until_anniversary(birthday) == 200", "1990-02-28", None),
    ],
)
def test_the_year_comes_round(source: str, birthday: str, at: str | None) -> None:
    expected = dt.datetime.fromisoformat(at) if at else None
    assert changes(source, attributes(birthday=birthday)) == expected


def test_days_that_meet_in_leap_years_alone_are_waited_for() -> None:
    profile = attributes(birthday="1990-02-01", joined_at="1990-03-23")
    source = "days_until_anniversary(birthday) == 100 and days_until_anniversary(joined_at) == 151"
    after_leap_day = dt.datetime(2028, 3, 1, tzinfo=dt.UTC)
    assert changes(source, profile, after_leap_day) == dt.datetime(2031, 10, 23, 15, 0, tzinfo=dt.UTC)


# ---- facts


def test_linked_blocked_and_consented_are_read_from_the_profile() -> None:
    profile = Profile(
        linked=True, friend=register(False), consent={"news": consent(True), "all": consent(False)}
    )
    assert holds('linked and blocked and consented("news") and not consented("all")', profile)
    assert not holds('linked or blocked or consented("news")', Profile())


CONTEXT = {
    "weather": {"tokyo": Fact("rain", NOW - HOUR, NOW + HOUR), "osaka": Fact("sun", NOW + HOUR)},
    "busy": {"": Fact(value=True, since=NOW)},
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('context("weather", "tokyo") == "rain"', True),
        ('context("weather", area) == "rain"', True),
        ('context("weather", "osaka") == "sun"', False),
        ('context("weather", nowhere) == "rain"', False),
        ('context("weather") != "rain"', False),
        ('context("busy")', True),
        ('context("busy") == true', True),
    ],
)
def test_a_context_fact_is_read_under_its_key_while_it_holds(source: str, expected: bool) -> None:
    assert holds(source, attributes(area="tokyo"), NOW, CONTEXT) is expected


def test_a_context_fact_begins_and_ends() -> None:
    assert changes('context("weather", area) == "rain"', attributes(area="tokyo"), NOW, CONTEXT) == NOW + HOUR
    assert changes('context("weather", area) == "sun"', attributes(area="osaka"), NOW, CONTEXT) == NOW + HOUR
    assert changes('context("busy")', Profile(), NOW, CONTEXT) is None


def test_it_is_known_which_expressions_rest_on_context() -> None:
    assert reads_context(parse('bought("x") and not context("busy")', NAMES))
    assert not reads_context(["had", "orders", ["context"], "x"])  # a property that is called so
    assert reads_context(inlined(parse('segment("vip")', NAMES), {"vip": parse('context("busy")', NAMES)}))


# ---- mistakes


@pytest.mark.parametrize(
    ("source", "column", "part"),
    [
        (
            "orders.count_in(days=180) > 1",
            1,
            "keeps single occurrences for 90 days; write keep: 180d on purchase",
        ),
        ("product_views.count_in(hours=25) > 1", 1, "not at all; write keep: 2d on product_view"),
        ("orders.count_in(days=0) > 1", 22, "1 to 400"),
        ("orders.count_in(days=401) > 1", 22, "1 to 400"),
        ("orders.count_in(days=1.5) > 1", 22, "whole number"),
        ("orders.count_in(90) > 1", 1, "orders.count_in(days=90)"),
        ("orders.count_in() > 1", 1, "days= or hours="),
        ("orders.count_in(weeks=1) > 1", 1, "days= or hours="),
        ("orders.count_in > 1", 1, "takes a window"),
        ("orders.cont_in(days=1) > 1", 1, "did you mean count_in?"),
        ("orders.rank_in(days=1) > 1", 1, "no 'rank_in'"),
        ('boght("x")', 1, "did you mean bought?"),
        ("bought", 1, 'bought("skincare")'),
        ("bought(skincare)", 8, "one text in quotes"),
        ('bought("x", days=3)', 1, 'bought_in("skincare", days=90)'),
        ('bought_in("x")', 1, 'bought_in("skincare", days=90)'),
        ('seen_at("x")', 1, "write index: true on one"),
        ('bought("x") == true', 1, "condition of its own"),
        ("product_views.not_followed_by(order, hours=1)", 31, "did you mean orders?"),
        ("product_views.not_followed_by(product_views, hours=1)", 31, "itself"),
        ("product_views.not_followed_by(orders)", 1, "days= or hours="),
        ("product_views.not_followed_by(orders, hours=1) == 1", 1, "condition of its own"),
        ("days_until(rank) < 3", 12, "type: date"),
        ("days_until(orders.last_at) < 3", 1, "one attribute that holds a date"),
        ("days_until(birthday, days=3) < 3", 27, "days= is not taken here"),
        ("days_since(birthday) > 3", 12, "write days_until"),
        ('days_since(context("x")) > 3', 12, "context fact"),
        ("hours_since(orders.last_at) > days_until(birthday)", 1, "two ages"),
        ('birthday == "1990-5-14"', 1, "no date"),
        ("birthday == 3", 1, "a date is compared with a number"),
        ("linked == true", 1, "condition of its own"),
        ("consented(marketing)", 11, "in quotes"),
        ("context(busy)", 1, 'context("busy")'),
        ('context("weather", birthday) == "rain"', 20, "text attribute"),
        ('context("x") > orders.last_at', 1, "no instant"),
        (r'rank == "a\x00"', 9, "cannot be written"),
        (r'"\ud800" in tags', 1, "cannot be written"),
        ("tags(1) > 1", 1, "not part of the language"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_how_to_mend_it(source: str, column: int, part: str) -> None:
    with pytest.raises(SegmentError) as caught:
        parse(source, NAMES)
    assert part in caught.value.message
    assert caught.value.column == column


def test_a_date_is_compared_as_the_text_that_it_is() -> None:
    assert holds('birthday < "1990-05-15"', attributes(birthday="1990-05-14"))


def test_two_ages_in_a_tree_are_refused_when_it_is_compiled() -> None:
    age = ["days_since", ["last_at", "orders"]]
    with pytest.raises(ValueError, match="both move with time"):
        next_change(["cmp", "<", age, age], Profile(), NOW)
