"""Arbitrary segments, profiles and instants, with the edges that time has: windows, midnights, changes of the clock."""

import datetime as dt
from typing import Any

from hypothesis import strategies as st

from functions.domain.context import Context, Fact
from functions.domain.profiles import Occurrence, Profile, Register, Seen, Tally
from functions.domain.registers import ConsentRegister
from functions.domain.segments import Tree

NOW = dt.datetime(2026, 11, 20, 3, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
SIGNS = ["==", "!=", "<", "<=", ">", ">="]
ALIASES = ["orders", "carts"]
ATTRIBUTES = ["rank", "age", "due", "born", "area"]
VALUES = ["hair", "it's", "skin care"]
TEXTS = ["gold", "tokyo", "O'Hara", "", "2026-11-20", "金"]
SPANS = [3_600, 86_400, 7 * 86_400, 30 * 86_400]
ZONES = [
    "Asia/Tokyo", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo",
    "Asia/Beirut", "America/St_Johns", "Pacific/Kiritimati", "nowhere",
]  # fmt: skip

_TURNS = [
    (2026, 11, 20),  # nothing
    (2026, 3, 29),  # Berlin, and Beirut at midnight
    (2026, 10, 25),  # Berlin back
    (2026, 3, 8),  # New York
    (2026, 4, 4),  # Lord Howe, half an hour
    (2011, 12, 30),  # the day that Apia left out
    (2018, 11, 4),  # São Paulo, a day without midnight
    (2018, 2, 18),  # São Paulo, a midnight that comes twice
    (2010, 11, 7),  # St John's, back over midnight
    (2028, 2, 29),
    (2026, 12, 31),
]
nows = st.tuples(st.sampled_from(_TURNS), st.integers(-48 * 60, 48 * 60)).map(
    lambda drawn: dt.datetime(*drawn[0], tzinfo=dt.UTC) + dt.timedelta(minutes=drawn[1])
)

numbers = st.one_of(
    st.integers(-5, 150),
    st.integers(-3, 8),
    st.sampled_from([0.5, 29.5, -1.25, 365, 10**9, 1e14, -1e15]),
)
scalars = st.one_of(numbers, st.booleans(), st.sampled_from(TEXTS))
_aliases = st.sampled_from(ALIASES)
_spans = st.sampled_from(SPANS)
_names = st.sampled_from([["category"], ["category", "brand"]])
_attributes = st.sampled_from(ATTRIBUTES).map(lambda name: ["attribute", name])


def _node(*parts: Any) -> st.SearchStrategy[Tree]:
    strategies = (part if isinstance(part, st.SearchStrategy) else st.just(part) for part in parts)
    return st.tuples(*strategies).map(list)


moments = st.one_of(
    _node(st.sampled_from(["first_at", "last_at"]), _aliases),
    _node("last_with", _aliases, _names, st.sampled_from(VALUES)),
    _node("instant", _attributes),
)
timeless = st.one_of(
    _node("const", scalars), _node("count", _aliases), _node("sum", _aliases, "amount"), _attributes
)
facts = _node(
    "context",
    st.sampled_from(["weather", "busy"]),
    st.one_of(_attributes, st.sampled_from(["", "tokyo"]).map(lambda key: ["const", key])),
)
stepping = st.one_of(_node("count_in", _aliases, _spans), _node("sum_in", _aliases, "amount", _spans), facts)
dates = _node("date", st.sampled_from(["born", "due", "age"]).map(lambda name: ["attribute", name]))
ages = st.one_of(
    _node(st.sampled_from(["days_since", "hours_since", "minutes_since"]), moments),
    _node(st.sampled_from(["days_until", "days_until_anniversary"]), dates),
)
limits = st.one_of(_node("const", numbers), timeless, stepping)
_signs = st.sampled_from(SIGNS)
leaves = st.one_of(
    _node("cmp", _signs, ages, limits),
    _node("cmp", _signs, limits, ages),
    _node("cmp", _signs, stepping, limits),
    _node("cmp", _signs, timeless, timeless),
    _node("cmp", _signs, moments, moments),
    _node("month_of", dates),
    _node("unfollowed", st.just("orders"), st.just("carts"), _spans),
    _node("had", _aliases, _names, st.sampled_from(VALUES)),
    _node("had_in", _aliases, _names, st.sampled_from(VALUES), _spans),
    _node("indexed", _aliases, "category", st.sampled_from(VALUES)),
    _node("consented", st.sampled_from(["news", "It's"])),
    st.sampled_from([["linked"], ["blocked"], ["tagged", "fan"], ["const", True], ["const", False]]),
)
trees: st.SearchStrategy[Tree] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        _node("not", inner),
        st.lists(inner, min_size=2, max_size=4).map(lambda parts: ["and", *parts]),
        st.lists(inner, min_size=2, max_size=4).map(lambda parts: ["or", *parts]),
    ),
    max_leaves=6,
)


def instants_near(now: dt.datetime) -> st.SearchStrategy[dt.datetime]:
    """Up to 120 days before and three after, often a whole number of hours or days away."""
    minutes = st.one_of(
        st.integers(-120 * 24 * 60, 3 * 24 * 60),
        st.integers(-120 * 24, 72).map(lambda hours: hours * 60),
        st.sampled_from([-1, -7, -30]).map(lambda days: days * 24 * 60),
    )
    return minutes.map(lambda number: now + dt.timedelta(minutes=number))


@st.composite
def tallies(draw: st.DrawFn, now: dt.datetime) -> Tally:
    ats = sorted(draw(st.lists(instants_near(now), min_size=1, max_size=5)))
    amounts = st.dictionaries(st.just("amount"), st.integers(-2_000_000, 150_000_000), max_size=1)
    kept = [Occurrence(at, draw(amounts)) for at in ats]
    sums = {"amount": sum(one.sums.get("amount", 0) for one in kept)} if any(one.sums for one in kept) else {}
    seen = st.dictionaries(
        st.sampled_from(VALUES), st.sampled_from(ats).map(lambda at: Seen(1, at)), max_size=2
    )
    by = draw(st.dictionaries(st.sampled_from(["category", "brand"]), seen))
    return Tally(len(kept), ats[0], ats[-1], sums, by, kept, 90)


def _registers(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Register]:
    return values.map(lambda value: Register(value, NOW, "e"))


_consents = st.booleans().map(lambda given: ConsentRegister(given, NOW, "e", "2026-04", "shop"))


@st.composite
def profiles(draw: st.DrawFn, now: dt.datetime) -> Profile:
    near = instants_near(now)
    days = st.one_of(
        near.map(lambda at: at.date().isoformat()),
        st.sampled_from(["1988-02-29", "2000-12-31", "1990-01-01", "1990-5-1"]),
    )
    dues = st.one_of(near.map(dt.datetime.isoformat), st.just("never"), st.integers(0, 9), days)
    attributes = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "rank": _registers(scalars),
                "age": _registers(numbers),
                "due": _registers(dues),
                "born": _registers(days),
                "area": _registers(st.sampled_from(["tokyo", "osaka", "", "O'Hara"])),
                "zone": _registers(st.sampled_from(ZONES)),
            },
        )
    )
    return Profile(
        attributes,
        tags=draw(st.dictionaries(st.just("fan"), _registers(st.booleans()))),
        tallies=draw(st.dictionaries(_aliases, tallies(now))),
        consent=draw(st.dictionaries(st.sampled_from(["news", "It's"]), _consents)),
        friend=draw(st.none() | _registers(st.booleans())),
        linked=draw(st.booleans()),
    )


@st.composite
def contexts(draw: st.DrawFn, now: dt.datetime) -> Context:
    near = instants_near(now)
    fact = st.builds(Fact, scalars, near, st.none() | near | st.just(now + 40 * DAY))
    keyed = st.dictionaries(st.sampled_from(["tokyo", "osaka", "", "O'Hara"]), fact, max_size=3)
    return draw(st.dictionaries(st.sampled_from(["weather", "busy"]), keyed))


@st.composite
def moments_in_life(draw: st.DrawFn) -> tuple[dt.datetime, Profile, Context]:
    """An instant, and what is known of a customer and of the world around it."""
    now = draw(nows)
    return now, draw(profiles(now)), draw(contexts(now))
