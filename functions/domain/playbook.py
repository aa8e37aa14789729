"""A compiled playbook: what marketers wrote, validated, as the values that the flows decide with."""

import datetime as dt
from typing import Any, Literal

import msgspec

from functions.domain.events import EventType

Kind = Literal["support", "notification", "promotion"]
Expression = Any
"""A segment's tree as nested JSON lists; only `segments` looks inside."""


class Cap(msgspec.Struct, frozen=True, omit_defaults=True):
    """At most `limit` messages of these kinds in any rolling window; a refusal is held up to `hold_seconds_max`."""

    id: str
    kinds: list[Kind]
    limit: int
    window_seconds: int
    hold_seconds_max: int = 0


class QuietHours(msgspec.Struct, frozen=True):
    """Local times between which messages of these kinds wait; the window may pass midnight."""

    start: dt.time
    end: dt.time
    kinds: list[Kind]


class Segment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A named predicate. `hash` names its meaning: a changed expression is another segment."""

    when: Expression
    hash: str
    source: str
    meaning: str = ""


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is said: LINE message objects whose texts are templates, and the values they fall back to."""

    kind: Kind
    hash: str
    content: list[dict[str, Any]]
    fallbacks: dict[str, Any] = {}
    removes: str = ""
    discount_reason: str = ""


class Send(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="op", tag="send"):
    """Intend one message. `tolerance_seconds`: how overdue the step may be; after `expires_seconds` it is never pushed."""

    name: str
    message: str
    tolerance_seconds: int
    expires_seconds: int
    hold_seconds_max: int | None = None


class WaitFor(msgspec.Struct, frozen=True, tag_field="op", tag="wait_for"):
    """Wait for a duration from the moment at which the journey got here."""

    seconds: int


class WaitUntilLocal(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="op", tag="wait_until_local"):
    """Wait for a local time: on the `day`-th calendar day after entry, or (day null) its next occurrence."""

    at: dt.time
    day: int | None = None


class WaitForEvent(msgspec.Struct, frozen=True, tag_field="op", tag="wait_for_event"):
    """Wait for an event; on with `on_event` when it comes, with `on_timeout` when it does not."""

    event: str
    timeout_seconds: int
    on_event: int
    on_timeout: int


class Branch(msgspec.Struct, frozen=True, tag_field="op", tag="branch"):
    """Go to the first case whose expression holds, else to `otherwise`. Targets are step numbers, always ahead."""

    cases: list[tuple[Expression, int]]
    otherwise: int


class Goto(msgspec.Struct, frozen=True, tag_field="op", tag="goto"):
    """Go on at a step ahead."""

    to: int


class SetTag(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="op", tag="set_tag"):
    """Add a tag to the customer, or take it away."""

    tag: str
    remove: bool = False


class End(msgspec.Struct, frozen=True, tag_field="op", tag="end"):
    """The journey ends here."""


Step = Send | WaitFor | WaitUntilLocal | WaitForEvent | Branch | Goto | SetTag | End


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """What starts a journey: an event no older than `fresh_seconds`, and what must hold then."""

    event: str
    fresh_seconds: int
    when: Expression | None = None


class Scenario(msgspec.Struct, frozen=True, omit_defaults=True):
    """Steps with jumps resolved to step numbers, all ahead: a journey that does not wait comes to its end.

    `reentry_seconds`: None is once ever; else how long after the last entry the next is allowed.
    """

    entry: Entry
    steps: list[Step]
    rank: int
    desired_action: str
    target: str
    owner: str
    on: bool = True
    reentry_seconds: int | None = None
    exit: Expression | None = None
    goal: Expression | None = None


class Weekly(msgspec.Struct, frozen=True):
    """Every week on a day (0 is Monday) at a local time of the playbook's zone."""

    weekday: int
    at: dt.time


class Campaign(msgspec.Struct, frozen=True, omit_defaults=True):
    """A scheduled send of one message to a segment. `once` is a UTC instant; otherwise `weekly` says when."""

    segment: str
    message: str
    rank: int
    expires_seconds: int
    owner: str
    on: bool = True
    weekly: Weekly | None = None
    once: dt.datetime | None = None
    hold_seconds_max: int | None = None


class Playbook(msgspec.Struct, frozen=True, omit_defaults=True):
    """The whole of it. `version` is the hash of everything else; `consent` maps a kind to the purposes that allow it.

    A lower `rank` goes first. An empty list of purposes needs no consent; a withdrawal always counts.
    """

    version: str
    name: str
    zone: str
    caps: list[Cap]
    quiet_hours: QuietHours | None
    consent: dict[Kind, list[str]]
    exclusions: dict[str, list[Kind]]
    events: dict[str, EventType]
    segments: dict[str, Segment]
    scenarios: dict[str, Scenario]
    campaigns: dict[str, Campaign]
    messages: dict[str, Message]
    format: int = 1
