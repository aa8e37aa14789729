"""What the tests of the core draw from: a small dictionary, events, playbooks, intents and gates."""

import datetime as dt
import functools
from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st

from functions.domain import playbook as pb
from functions.domain.compiled import Compiled
from functions.domain.events import BUILT_IN, CASE_FLAGS, Event, EventType, PropertyType, Status
from functions.domain.gate import Gate
from functions.domain.profiles import Register
from functions.domain.segments import segment_hash
from functions.domain.sends import Intent, send_id_of

settings.register_profile("core", deadline=None)
settings.load_profile("core")
# A busy machine makes one example slow, not wrong.

NOON = dt.datetime(2026, 11, 20, 3, 0, tzinfo=dt.UTC)
"""A Friday, noon in Tokyo."""
SECOND = dt.timedelta(seconds=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
WEEK = dt.timedelta(days=7)
LONG_SECONDS = 100 * 365 * 86_400
ZONES = ["Asia/Tokyo", "Europe/Berlin", "America/New_York"]

EVENTS = {
    "purchase": EventType(
        "an order was paid",
        alias="orders",
        properties={
            "order_id": PropertyType("string", required=True),
            "amount": PropertyType("number", sum=True),
            "category": PropertyType("string", index=True),
            "rank": PropertyType("string", attribute=True),
        },
    ),
    "cart_left": EventType("a cart was left", alias="carts"),
    "visit": EventType("came by"),
}
DICTIONARY = {**BUILT_IN, **EVENTS}
HAS_BOUGHT: pb.Expression = ["cmp", ">=", ["count", "orders"], ["const", 1]]
ALWAYS: pb.Expression = ["const", True]
NEVER: pb.Expression = ["const", False]


def event(
    name: str = "purchase",
    event_id: str = "e1",
    at: dt.datetime = NOON,
    status: Status = "confirmed",
    **properties: Any,
) -> Event:
    return Event(event_id, "c1", name, at, status, properties=properties)


# ---- playbooks


def message(kind: pb.Kind = "promotion", **fallbacks: Any) -> pb.Message:
    return pb.Message(kind, f"hash of {kind}", [{"type": "text", "text": "hello"}], fallbacks=fallbacks)


def send(name: str = "hello", message: str = "promotion", **more: Any) -> pb.Send:
    return pb.Send(name, message, **{"tolerance_seconds": LONG_SECONDS, "expires_seconds": 86_400, **more})


def scenario(
    *steps: pb.Step, start: str = "cart_left", fresh_seconds: int = 86_400, rank: int = 10, **more: Any
) -> pb.Scenario:
    entry = pb.Entry(start, fresh_seconds, more.pop("when", None))
    return pb.Scenario(entry, list(steps), rank, "buy", "all", "crm", **more)


def segment(when: pb.Expression) -> pb.Segment:
    return pb.Segment(when, segment_hash(when), "source")


def compiled(version: str = "v1", **parts: Any) -> Compiled:
    kinds: list[pb.Kind] = ["support", "notification", "promotion"]
    whole: dict[str, Any] = {
        "name": "test",
        "zone": "Asia/Tokyo",
        "caps": [],
        "quiet_hours": None,
        "consent": {},
        "exclusions": {},
        "events": EVENTS,
        "segments": {},
        "scenarios": {},
        "campaigns": {},
        "messages": {kind: message(kind) for kind in kinds},
    }
    return Compiled(pb.Playbook(version=version, **{**whole, **parts}))


# ---- intents and gates


def intent(
    source: str = "cart",
    step: str = "hello",
    made_at: dt.datetime = NOON,
    expires: dt.timedelta = WEEK,
    **more: Any,
) -> Intent:
    occurrence = more.pop("occurrence", "1")
    user = more.pop("line_user_id", "U1")
    parts: dict[str, Any] = {
        "customer_id": "c1",
        "line_user_id": user,
        "kind": "promotion",
        "source": source,
        "journey": f"{source}:{occurrence}",
        "step": step,
        "occurrence": occurrence,
        "message": "m",
        "message_hash": "h",
        "playbook": "v1",
        "rank": 10,
        "made_at": made_at,
        "expires_at": made_at + expires,
        "scenario": source,
    }
    return Intent(send_id=send_id_of("acc", source, "j", step, user, occurrence), **{**parts, **more})


def linked_gate(line_user_id: str = "U1", **more: Any) -> Gate:
    return Gate("c1", link=Register(line_user_id, NOON - 30 * DAY, "link"), **more)


# ---- Hypothesis


def minutes_from(start: dt.datetime, days: int) -> st.SearchStrategy[dt.datetime]:
    return st.integers(0, days * 24 * 60).map(lambda minutes: start + dt.timedelta(minutes=minutes))


_few_instants = st.integers(-3, 3).map(lambda days: NOON + days * DAY)
_purchases = st.fixed_dictionaries(
    {"order_id": st.just("o")},
    optional={
        "amount": st.one_of(st.integers(-(10**12), 10**12), st.floats(-1e6, 1e6), st.just(0.1)),
        "category": st.sampled_from(["skincare", "hair"]),
        "rank": st.sampled_from(["gold", "silver"]),
    },
)
_contents: st.SearchStrategy[tuple[str, dict[str, Any]]] = st.one_of(
    _purchases.map(lambda properties: ("purchase", properties)),
    st.sampled_from([("cart_left", {}), ("visit", {}), ("not_in_the_dictionary", {"x": 1})]),
    st.tuples(st.sampled_from(["tag_added", "tag_removed"]), st.sampled_from("ab")).map(
        lambda pair: (pair[0], {"tag": pair[1]})
    ),
    st.dictionaries(st.sampled_from(["age", "rank"]), st.integers(0, 9)).map(
        lambda properties: ("profile_updated", properties)
    ),
)
_facts: st.SearchStrategy[tuple[str, dict[str, Any]]] = st.one_of(
    st.tuples(st.sampled_from(["line_follow", "line_unfollow"]), st.sampled_from(["U1", "U2"])).map(
        lambda pair: (pair[0], {"line_user_id": pair[1]})
    ),
    st.tuples(st.sampled_from(["consent_given", "consent_withdrawn"]), st.sampled_from(["news", "all"])).map(
        lambda pair: (pair[0], {"purpose": pair[1]})
    ),
    st.just(("line_linked", {"line_user_id": "U1", "consent": ["news", "birthday"]})),
    st.tuples(st.sampled_from(sorted(CASE_FLAGS)), st.sampled_from(["", "1", "2"])).map(
        lambda pair: (pair[0], {"case_id": pair[1]} if pair[1] else {})
    ),
    st.just(("purchase", {"order_id": "o"})),
)
_STATUSES: list[list[Status]] = [["confirmed"], ["provisional"], ["provisional", "confirmed"]]


@st.composite
def event_sets(
    draw: st.DrawFn, contents: st.SearchStrategy[tuple[str, dict[str, Any]]] = _contents
) -> list[Event]:
    """Different events: one content an id, some provisional, some confirmed, some both."""
    drawn = draw(st.lists(st.tuples(contents, _few_instants, st.sampled_from(_STATUSES)), max_size=8))
    return [
        event(name, f"e{number}", at, status, **properties)
        for number, ((name, properties), at, statuses) in enumerate(drawn)
        for status in statuses
    ]


fact_sets = event_sets(_facts)


@st.composite
def arrivals(draw: st.DrawFn, events: Sequence[Event]) -> list[Event]:
    """The events as queues bring them: in any order, some of them again and again."""
    if not events:
        return []
    again = draw(st.lists(st.sampled_from(events), max_size=6))
    return list(draw(st.permutations([*events, *again])))


@st.composite
def split_events(draw: st.DrawFn) -> tuple[list[Event], list[Event]]:
    """An event set in two parts; a confirmation stays with its provisional event."""
    events = draw(event_sets())
    left = draw(st.sets(st.sampled_from(sorted({e.event_id for e in events})))) if events else set()
    return [e for e in events if e.event_id in left], [e for e in events if e.event_id not in left]


_waits = st.one_of(st.integers(0, 60), st.integers(0, 40 * 86_400))
_times = st.builds(dt.time, st.integers(0, 23), st.sampled_from([0, 30]))


_conditions: st.SearchStrategy[pb.Expression] = st.one_of(
    st.sampled_from([ALWAYS, NEVER]),
    st.integers(0, 60 * 24 * 60).map(lambda minutes: ["at", NOON + dt.timedelta(minutes=minutes)]),
)
"""What holds always, never, or from an instant on."""
_step_counts = st.integers(1, 8)


@st.composite
def step_lists(draw: st.DrawFn, *, branches: bool = True) -> list[pb.Step]:
    """Steps whose jumps all lead ahead, or to the end."""
    count = draw(_step_counts)
    return [draw(_step(number, count, branches=branches)) for number in range(count)]


@functools.cache
def _step(number: int, count: int, *, branches: bool) -> st.SearchStrategy[pb.Step]:
    ahead = st.integers(number + 1, count)
    kinds: list[st.SearchStrategy[pb.Step]] = [
        st.just(send(f"send {number}")),
        _waits.map(pb.WaitFor),
        st.builds(pb.WaitUntilLocal, _times, st.none() | st.integers(0, 30)),
        st.builds(pb.WaitForEvent, st.just("purchase"), _waits, ahead, ahead),
        ahead.map(pb.Goto),
        st.just(pb.SetTag(f"tag {number}")),
        st.just(pb.SetAttribute("level", number)),
        st.just(pb.RichMenu(f"menu {number}")),
    ]
    if branches:
        cases = st.lists(st.tuples(st.sampled_from([ALWAYS, NEVER]), ahead), max_size=2)
        arms = st.tuples(ahead, ahead).map(lambda ways: [("a", ways[0]), ("b", ways[1])])
        kinds += [
            st.builds(pb.Branch, cases, ahead),
            st.builds(pb.Split, st.just("test"), arms),
            st.builds(pb.WaitUntil, _conditions, _waits, ahead, ahead),
            st.just(pb.End()),
        ]
    return st.one_of(kinds)


def confirmed(one: Event) -> Event:
    return msgspec.structs.replace(one, status="confirmed")
