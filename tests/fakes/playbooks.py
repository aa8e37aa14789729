"""Small playbooks for tests."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from functions.domain.events import BUILT_IN, EventType, PropertyType
from functions.domain.line_events import LINE_EVENTS
from functions.domain.playbook import (
    Campaign,
    Cap,
    Entry,
    Experiment,
    Expression,
    Holdout,
    Kind,
    Message,
    Playbook,
    QuietHours,
    Scenario,
    Segment,
    Send,
    Step,
    WaitFor,
    WaitUntilLocal,
    Weekly,
)
from functions.domain.segments import inlined, names_of, parse, segment_hash

DAY_SECONDS = 86_400
WEEK_SECONDS = 7 * DAY_SECONDS
EXPIRES_SECONDS = 8 * DAY_SECONDS
EVENING = dt.time(19, 0)

EVENTS: dict[str, EventType] = {
    "purchase": EventType(
        "an order was paid",
        alias="orders",
        properties={
            "order_id": PropertyType("string", required=True),
            "amount": PropertyType("number", sum=True),
            "category": PropertyType("string", index=True),
        },
    ),
    "cart_left": EventType("a cart was left", alias="carts"),
}
_NAMES = names_of({**BUILT_IN, **LINE_EVENTS, **EVENTS})

ONE_PROMOTION_A_WEEK = Cap("promotion_weekly", ["promotion"], 1, WEEK_SECONDS)
QUIET = QuietHours(dt.time(21, 0), dt.time(7, 0), ["notification", "promotion"])

_KINDS: dict[str, Kind] = {
    "welcome": "support",
    "thanks": "support",
    "care": "support",
    "tips": "notification",
    "reminder": "notification",
    "offer": "promotion",
    "coupon": "promotion",
    "news": "promotion",
}
MESSAGES: dict[str, Message] = {
    name: Message(kind, f"hash-{name}", [{"type": "text", "text": name}]) for name, kind in _KINDS.items()
}
"""Each message says its own name."""


def when(source: str) -> Expression:
    """An expression's tree."""
    return inlined(parse(source, _NAMES), {})


def send(name: str, *, hold_days: int | None = None, expires_seconds: int = EXPIRES_SECONDS) -> Send:
    """A step that sends the message of the same name."""
    hold = None if hold_days is None else hold_days * DAY_SECONDS
    return Send(
        name, name, tolerance_seconds=DAY_SECONDS, expires_seconds=expires_seconds, hold_seconds_max=hold
    )


def days(number: float) -> WaitFor:
    """A wait from where the journey is."""
    return WaitFor(int(number * DAY_SECONDS))


def evening_of_day(day: int) -> WaitUntilLocal:
    """19:00 on a day counted from the entry."""
    return WaitUntilLocal(EVENING, day)


def scenario(
    event: str,
    *steps: Step,
    rank: int = 20,
    exit_when: str = "",
    goal: str = "",
    reentry_seconds: int | None = None,
    entry_when: str = "",
    on: bool = True,
) -> Scenario:
    """A scenario that starts with an event at most three days old."""
    return Scenario(
        entry=Entry(event, 3 * DAY_SECONDS, when(entry_when) if entry_when else None),
        steps=list(steps),
        rank=rank,
        desired_action="buy again",
        target="repeat rate from 20 % to 25 %",
        owner="crm",
        on=on,
        reentry_seconds=reentry_seconds,
        exit=when(exit_when) if exit_when else None,
        goal=when(goal) if goal else None,
    )


def from_segment(
    segment: str,
    *steps: Step,
    on: Literal["entered", "left"] = "entered",
    reentry_seconds: int | None = None,
    migrate: dict[str, str] | None = None,
) -> Scenario:
    """A scenario that starts with entering or leaving a segment, at most three days ago."""
    return msgspec.structs.replace(
        scenario("", *steps, reentry_seconds=reentry_seconds),
        entry=Entry("", 3 * DAY_SECONDS, segment=segment, on=on),
        migrate=migrate,
    )


def campaign(
    message: str,
    *,
    segment: str = "everybody",
    once: dt.datetime | None = None,
    weekly: Weekly | None = None,
    rank: int = 50,
    hold_seconds_max: int | None = None,
    expires_seconds: int = 2 * DAY_SECONDS,
    on: bool = True,
) -> Campaign:
    """A campaign of one message."""
    return Campaign(segment, message, rank, expires_seconds, "crm", on, weekly, once, hold_seconds_max)


def playbook(
    *,
    scenarios: Mapping[str, Scenario] | None = None,
    campaigns: Mapping[str, Campaign] | None = None,
    segments: Mapping[str, str] | None = None,
    messages: Mapping[str, Message] | None = None,
    caps: Sequence[Cap] = (ONE_PROMOTION_A_WEEK,),
    quiet_hours: QuietHours | None = None,
    consent: Mapping[Kind, list[str]] | None = None,
    experiments: Mapping[str, Experiment] | None = None,
    rich_menus: Mapping[str, str] | None = None,
    holdout: Holdout | None = None,
) -> Playbook:
    """A playbook: cases stop promotions, promotions need the purpose `marketing`."""
    trees = {name: (when(source), source) for name, source in {**_SEGMENTS, **(segments or {})}.items()}
    book = Playbook(
        version="",
        name="test",
        zone="Asia/Tokyo",
        caps=list(caps),
        quiet_hours=quiet_hours,
        consent=dict(consent) if consent is not None else {"promotion": ["marketing"]},
        exclusions={flag: ["promotion"] for flag in ("inquiry", "complaint", "refund")},
        events=EVENTS,
        segments={name: Segment(tree, segment_hash(tree), text) for name, (tree, text) in trees.items()},
        scenarios=dict(scenarios or {}),
        campaigns=dict(campaigns or {}),
        messages={**MESSAGES, **(messages or {})},
        experiments=dict(experiments or {}),
        rich_menus=dict(rich_menus or {}),
        holdout=holdout,
    )
    version = hashlib.sha256(msgspec.json.encode(book)).hexdigest()[:16]
    return msgspec.structs.replace(book, version=version)


_SEGMENTS = {"everybody": "orders.count >= 0", "buyers": "orders.count >= 1"}
