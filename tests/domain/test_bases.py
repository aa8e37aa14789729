"""The base: whatever is folded away, and however often, the profile and all that segments ask of it stay the same."""

import datetime as dt
from typing import Any, Literal

from hypothesis import given
from hypothesis import strategies as st

from functions.domain.bases import IN_FLIGHT, Base, folded_away, lines_of, split, start_of
from functions.domain.customers import in_order
from functions.domain.events import BUILT_IN, Amendment, Event, EventType, PropertyType
from functions.domain.instants import Instant
from functions.domain.profiles import Profile, amendments_of, fold_all
from functions.domain.segments import inlined, names_of, parse
from functions.domain.segments.evaluation import compile_predicate

DAY = dt.timedelta(days=1)
NOW = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
REACH_DAYS = 400
KEEP_DAYS = 40
ORDER = {"order_id": PropertyType("string", required=True)}
DICTIONARY = {
    "purchase": EventType(
        "an order",
        "orders",
        {
            **ORDER,
            "amount": PropertyType("number", sum=True),
            "category": PropertyType("string", index=True),
            "shop": PropertyType("string", attribute=True),
        },
        keep_days=KEEP_DAYS,
    ),
    "page_view": EventType("a look", "views", {"page": PropertyType("string", index=True)}),
    "cancelled": EventType("never was", "cancellations", ORDER, amends=Amendment("purchase", "order_id")),
    "returned": EventType(
        "came back",
        "returns",
        {**ORDER, "worth": PropertyType("number", sum=True)},
        amends=Amendment("purchase", "order_id", {"worth": "amount"}),
    ),
}
_NAMES = names_of({**BUILT_IN, **DICTIONARY})
ASKED = [
    inlined(parse(source, _NAMES), {})
    for source in (
        "orders.count >= 2",
        "orders.amount > 10",
        "days_since(orders.first_at) > 120",
        "days_since(orders.last_at) > 30 and views.count > 0",
        f"orders.count_in(days={KEEP_DAYS}) >= 1",
        f"orders.amount_in(days={KEEP_DAYS}) > 5",
        '"x" in orders.category and "q" in views.page',
        'shop == "a"',
        "returns.count > 0 or cancellations.count > 1",
    )
]


@st.composite
def events(draw: st.DrawFn) -> list[Event]:
    """Up to thirty events of one customer over more than a year; corrections mostly of orders that are there."""
    found = []
    for number in range(draw(st.integers(0, 30))):
        name = draw(st.sampled_from(["purchase", "purchase", "page_view", "cancelled", "returned"]))
        told: dict[str, Any] = {
            "order_id": f"o{draw(st.integers(0, 9))}",
            "amount": draw(st.integers(-3, 9)),
            "worth": draw(st.integers(0, 4)),
            "category": draw(st.sampled_from("xy")),
            "shop": draw(st.sampled_from("ab")),
            "page": draw(st.sampled_from("pq")),
        }
        properties = {key: told[key] for key in DICTIONARY[name].properties}
        at = NOW - draw(st.integers(0, REACH_DAYS)) * DAY
        # What a provisional correction may yet take back must still be kept: the base is not exact for it.
        waits = name in ("purchase", "page_view") and draw(st.integers(0, 3)) == 0
        status: Literal["provisional", "confirmed"] = "provisional" if waits else "confirmed"
        found.append(Event(f"e{number}", "c1", name, at, status, "shop", properties))
    return found


def answers(profile: Profile, now: Instant) -> list[bool]:
    return [compile_predicate(tree)(profile, now) for tree in ASKED]


@given(
    told=events(),
    kept_days=st.integers(KEEP_DAYS, 200),
    views_kept_days=st.integers(KEEP_DAYS, 200),
    waits=st.lists(st.integers(0, 120), max_size=4),
    copies=st.randoms(use_true_random=False),
)
def test_whatever_is_folded_away_the_profile_and_its_segments_stay(
    told: list[Event], kept_days: int, views_kept_days: int, waits: list[int], copies: Any
) -> None:
    seconds = dict.fromkeys(("purchase", "cancelled", "returned"), kept_days * 86400)
    seconds["page_view"] = views_kept_days * 86_400
    base, rows, now = Base(), list(told), NOW
    for days in [0, *waits]:
        now += days * DAY
        # A provisional event lapses with its retention: none is left to wait that long.
        told = [one for one in told if one.status == "confirmed" or now - one.occurred_at <= KEEP_DAYS * DAY]
        rows = [one for one in rows if one in told]
        known = split(rows, base).events
        said = amendments_of([one for one in told if one.status == "confirmed"], DICTIONARY)
        base = folded_away(base, known, lines_of(seconds, seconds, now), said, DICTIONARY)
        # Some rows outlive a crash, and copies of what is gone come back.
        rows = [*split(rows, base).events, *copies.sample(told, len(told) // 2)]
        rows = list({one.identity: one for one in rows}.values())
        found = fold_all(in_order(split(rows, base).events), DICTIONARY, start_of([base], DICTIONARY))
        whole = fold_all(in_order(told), DICTIONARY)
        assert found == whole
        assert answers(found, now) == answers(whole, now)
    assert base.until["purchase"] == now - kept_days * DAY - IN_FLIGHT


def test_a_base_of_a_year_is_what_the_year_was() -> None:
    """The property is not empty: here nearly all of it is folded away."""
    told = [
        Event(
            f"e{number}", "c1", "purchase", NOW - number * DAY, source="shop",
            properties={"order_id": f"o{number}", "amount": 2, "category": "x", "shop": "a"},
        )
        for number in range(REACH_DAYS)
    ]  # fmt: skip
    base = folded_away(
        Base(), told, lines_of({"purchase": KEEP_DAYS * 86_400}, ["purchase"], NOW), {}, DICTIONARY
    )
    left = split(told, base)
    assert len(left.events) == KEEP_DAYS + IN_FLIGHT.days
    assert base.tallies["purchase"].count == REACH_DAYS - len(left.events)
    assert fold_all(left.events, DICTIONARY, start_of([base], DICTIONARY)) == fold_all(told, DICTIONARY)
