"""Events, the dictionary that gives them their meaning, and the check of one against the other."""

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from functions.domain.instants import Instant, InstantError, parse_instant

Scalar = str | int | float | bool
Status = Literal["provisional", "confirmed"]
PropertyKind = Literal["string", "number", "boolean", "instant", "date", "list"]

NUMBER_MAX = 1e12  # sums are kept in millionths within 63 bits
TEXT_CHARACTERS_MAX = 1024
ID_CHARACTERS_MAX = 128
LIST_ITEMS_MAX = 100
EVENT_BYTES_MAX = 64 * 1024  # well below a table's row and a queue's message
AHEAD_MAX = dt.timedelta(days=1)  # a source's clock may run ahead; more is a mistake


_PROVISIONAL = "~provisional"
ANONYMOUS_IDS = "anon:"
"""The ids of friends who are not linked begin so."""
LAST_KEY = "\U0010ffff"
"""The last of all characters, which is none of any language: keys that begin so sort after the ids of all events."""
OPERATOR_EVENTS = "musubi:"
"""The ids of what a person decided at the command line begin so; no source may use them."""


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that happened to a customer. `imported`: it came as history, and starts nothing. `told_of`: the customer of
    whom it was told, where that one has become `customer_id`; empty where it was told of this very one."""

    event_id: str
    customer_id: str
    name: str
    occurred_at: Instant
    status: Status = "confirmed"
    source: str = ""
    properties: dict[str, Any] = {}
    imported: bool = False
    told_of: str = ""

    def of(self, customer_id: str) -> "Event":
        """The event as one of this customer, which whoever it was told of has become."""
        told_of = self.told_of or self.customer_id
        is_other = told_of != customer_id and not told_of.startswith(ANONYMOUS_IDS)
        return msgspec.structs.replace(self, customer_id=customer_id, told_of=told_of if is_other else "")

    @property
    def identity(self) -> str:
        """What is counted once: a confirmation is a fact of its own beside the provisional event it confirms."""
        return self.event_id if self.status == "confirmed" else f"{self.event_id}{_PROVISIONAL}"


class PropertyType(msgspec.Struct, frozen=True, omit_defaults=True):
    """One property: its type, and what the fold does with it (`sum`, `index` by value, keep as `attribute`)."""

    type: PropertyKind
    required: bool = False
    sum: bool = False
    index: bool = False
    attribute: bool = False
    unit: str = ""
    meaning: str = ""


class Amendment(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an event says about an earlier one: the event named `event` with the same value of the property `by`.

    With `less` empty the earlier one is taken back entirely, as if it had never happened; otherwise its sums are
    lessened by this event's properties (property of this event → summed property of the earlier one).
    """

    event: str
    by: str
    less: dict[str, str] = {}


class EventType(msgspec.Struct, frozen=True, omit_defaults=True):
    """One word of the dictionary. `alias` is the name under which segments read it.

    `verb`: the word for "has happened with this indexed value", as in bought("skincare"); `keep_days`: for how long
    single occurrences are remembered, for windows such as orders.count_in(days=90); `amends`: an earlier event that
    this one corrects.
    """

    meaning: str
    alias: str = ""
    properties: dict[str, PropertyType] = {}
    verb: str = ""
    keep_days: int = 0
    amends: Amendment | None = None


Dictionary = Mapping[str, EventType]


TOO_OLD = "too_old"
"""The code of an event whose kind and time are folded away, or may be."""
NOTHING_ENDS: Mapping[str, int] = {}


class Fault(msgspec.Struct, frozen=True):
    """Why an event was not taken in: a code for programs, a message for people; `column` is the field to blame."""

    code: str
    message: str
    column: str = ""


_CASE = {"case_id": PropertyType("string", meaning="the case it belongs to; one unnamed case where absent")}
_PURPOSE = {
    "purpose": PropertyType("string", required=True),
    "version": PropertyType("string"),
}
_CLICK = {
    "send_id": PropertyType("string", required=True),
    "link": PropertyType("string", required=True, meaning="the link's number in its message, and its label"),
    "scenario": PropertyType("string", index=True),
    "campaign": PropertyType("string", index=True),
    "step": PropertyType("string"),
    "variant": PropertyType("string"),
    "agent": PropertyType("string", meaning="person, preview or bot"),
}
_LINE_USER = {"line_user_id": PropertyType("string", required=True)}

CASE_FLAGS: Mapping[str, tuple[str, bool]] = {
    "inquiry_opened": ("inquiry", True),
    "inquiry_closed": ("inquiry", False),
    "complaint_opened": ("complaint", True),
    "complaint_closed": ("complaint", False),
    "refund_started": ("refund", True),
    "refund_finished": ("refund", False),
}
"""Event name → the exclusion flag it sets, and whether it opens (True) or closes a case."""

BUILT_IN: Dictionary = {
    "line_linked": EventType(
        "the CRM says which LINE user this customer is",
        properties={
            **_LINE_USER,
            "method": PropertyType("string"),
            "consent": PropertyType("list", meaning="the purposes agreed to"),
            "consent_version": PropertyType("string"),
            "reward": PropertyType("boolean", meaning="whether a reward is asked for"),
        },
    ),
    "line_unlinked": EventType(
        "the tie to a LINE user ended", properties={**_LINE_USER, "method": PropertyType("string")}
    ),
    "link_attempt_expired": EventType(
        "began to link and did not end it", properties={"method": PropertyType("string")}
    ),
    "customers_merged": EventType(
        "the CRM made one customer of two",
        properties={"into": PropertyType("string", required=True, meaning="the customer that stays")},
    ),
    "phone_known": EventType(
        "the phone number of a LINE user became known",
        properties={
            **_LINE_USER,
            "phone_hash": PropertyType("string", required=True, meaning="SHA-256 of E.164, in hex"),
        },
    ),
    "consent_given": EventType("agreed to a purpose", properties=_PURPOSE),
    "consent_withdrawn": EventType("withdrew from a purpose", properties=_PURPOSE),
    "profile_updated": EventType("attributes as the CRM knows them; each property is one"),
    "tag_added": EventType("was tagged", properties={"tag": PropertyType("string", required=True)}),
    "tag_removed": EventType("lost a tag", properties={"tag": PropertyType("string", required=True)}),
    "survey_answered": EventType(
        "answered a question of a survey",
        properties={
            "survey": PropertyType("string", required=True, index=True),
            "version": PropertyType("string"),
            "question": PropertyType("string"),
            "value": PropertyType("string"),
        },
    ),
    "inflow": EventType(
        "came by a source of ours: a poster, an advertisement, a shop",
        properties={
            "source": PropertyType("string", required=True, index=True),
            "campaign": PropertyType("string", index=True),
        },
    ),
    "link_clicked": EventType("tapped a link in a message of ours", properties=_CLICK, keep_days=30),
    "link_previewed": EventType("a machine looked at a link in a message of ours", properties=_CLICK),
    **{name: EventType(f"case {name.replace('_', ' ')}", properties=_CASE) for name in CASE_FLAGS},
}
"""Events that every playbook has, beside its own. What LINE itself says comes in by webhook only (`line_events`)."""

SAID_AT_LINE = ("line", "chat", "preferences")
"""The sources of what a LINE user did or said itself, in the chat or on its page of preferences, whoever it is linked to;
such events name it."""

REDECLARABLE = frozenset({"survey_answered"})
"""Built-in events that a playbook may declare itself, to read them by another name and keep properties of its own."""


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= NUMBER_MAX and math.isfinite(value)


def _is_kind(value: object, kind: PropertyKind) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "number":
        return _is_number(value)
    if kind == "list":
        return (
            isinstance(value, list)
            and len(value) <= LIST_ITEMS_MAX
            and all(isinstance(item, str) for item in value)
        )
    if not isinstance(value, str) or len(value) > TEXT_CHARACTERS_MAX:
        return False
    if kind == "date":
        return is_date(value)
    return kind == "string" or _is_instant(value)


def is_date(text: str) -> bool:
    """Whether the text is a date as 1990-05-14 is one."""
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_instant(text: str) -> bool:
    try:
        parse_instant(text)
    except InstantError:
        return False
    return True


_EXPECTED: Mapping[PropertyKind, str] = {
    "string": f"a string of at most {TEXT_CHARACTERS_MAX} characters",
    "number": "a finite number of at most 1,000,000,000,000",
    "boolean": "true or false",
    "instant": "an instant such as 2026-11-01T03:04:05Z",
    "date": "a date such as 1990-05-14",
    "list": f"a list of at most {LIST_ITEMS_MAX} strings",
}


def _attribute_fault(name: str, properties: Mapping[str, object]) -> Fault | None:
    """Attributes are set by events that may name any property: each must be one bounded value."""
    for key, value in properties.items():
        if value is not None and not (
            isinstance(value, bool) or _is_number(value) or _is_kind(value, "string")
        ):
            told = f"{_EXPECTED['string']}, {_EXPECTED['number']}, true or false"
            return Fault(
                "wrong_type", f"{name}: the property {key!r} must be {told}; got {_shown(value)}.", key
            )
    return None


def _property_fault(name: str, properties: Mapping[str, object], event_type: EventType) -> Fault | None:
    for key, kind in event_type.properties.items():
        if properties.get(key) is None or (kind.type == "string" and properties[key] == ""):
            if kind.required:
                return Fault(
                    "missing_property", f"{name} needs the property {key!r} ({_EXPECTED[kind.type]}).", key
                )
            continue
        if not _is_kind(properties[key], kind.type):
            return Fault(
                "wrong_type",
                f"{name}: the property {key!r} must be {_EXPECTED[kind.type]}; got {_shown(properties[key])}.",
                key,
            )
    return None


def _shown(value: object) -> str:
    """The kind of a value, never the value: it may be personal data."""
    return f"a {type(value).__name__}" if not isinstance(value, float) else "a number out of range"


def _id_fault(raw: Mapping[str, object]) -> Fault | None:
    for key in ("event_id", "customer_id", "name"):
        value = raw.get(key)
        if not isinstance(value, str) or not value or len(value) > ID_CHARACTERS_MAX:
            return Fault(
                "malformed", f"{key!r} must be a string of 1 to {ID_CHARACTERS_MAX} characters.", key
            )
    if str(raw["customer_id"]).startswith(ANONYMOUS_IDS):
        return Fault(
            "malformed", "'customer_id' must be the CRM's own; the prefix 'anon:' is reserved.", "customer_id"
        )
    if str(raw["event_id"]).startswith(("line:", OPERATOR_EVENTS, LAST_KEY)) or str(raw["event_id"]).endswith(
        _PROVISIONAL
    ):
        return Fault(
            "malformed",
            f"'event_id' must be the source's own; 'line:…', '{OPERATOR_EVENTS}…' and '…{_PROVISIONAL}' are reserved.",
            "event_id",
        )
    return None


def _size_fault(raw: Mapping[str, object]) -> Fault | None:
    """An event must fit into a row, and every text in it be writable: JSON may bring half a surrogate pair."""
    try:
        written = msgspec.json.encode(raw)
        same = msgspec.json.decode(written) == raw
    except (UnicodeEncodeError, ValueError, TypeError, RecursionError):
        return Fault("malformed", "the event holds text that is no valid Unicode (half a character).")
    if len(written) > EVENT_BYTES_MAX:
        return Fault(
            "too_large", f"the event has {len(written):,} bytes; at most {EVENT_BYTES_MAX:,} are kept."
        )
    return None if same else Fault("malformed", "the event holds a number that JSON has no word for.")


def check_event(
    raw: object, dictionary: Dictionary, now: Instant, kept_seconds: Mapping[str, int] = NOTHING_ENDS
) -> Event | Fault:
    """A raw event of the ingest contract, as a value; or the first fault in it. `kept_seconds`: how long events of a name
    are kept; what is older than that comes too late, for it may be folded away.

    Properties that the dictionary does not name are kept with the event and are not folded.
    """
    if not isinstance(raw, Mapping):
        return Fault("malformed", "an event must be an object.")
    fault = _id_fault(raw)
    if fault:
        return fault
    name = str(raw["name"])
    event_type = dictionary.get(name) or BUILT_IN.get(name)
    if event_type is None:
        return Fault(
            "unknown_event",
            f"{name!r} is not in the event dictionary; known: {', '.join(sorted(dictionary))}.",
            "name",
        )
    return _checked(raw, name, event_type, now, kept_seconds.get(name))


def _checked(
    raw: Mapping[str, Any], name: str, event_type: EventType, now: Instant, kept_seconds: int | None
) -> Event | Fault:
    try:
        occurred_at = parse_instant(raw.get("occurred_at") or "")
    except InstantError as error:
        return Fault("malformed", f"'occurred_at' {error.why}", "occurred_at")
    if occurred_at > now + AHEAD_MAX:
        return Fault("in_future", "'occurred_at' lies more than a day ahead of now.", "occurred_at")
    if kept_seconds is not None and occurred_at < now - dt.timedelta(seconds=kept_seconds):
        return Fault(
            TOO_OLD,
            f"{name} is kept for {kept_seconds // 86_400} days, and 'occurred_at' lies further back: what is older is "
            "folded away, and nothing can be added to it.",
            "occurred_at",
        )
    status = raw.get("status", "confirmed")
    if status not in ("provisional", "confirmed"):
        return Fault("malformed", "'status' must be 'provisional' or 'confirmed'.", "status")
    properties = raw.get("properties") or {}
    if not isinstance(properties, Mapping):
        return Fault("malformed", "'properties' must be an object.")
    fault = _property_fault(name, properties, event_type)
    if fault is None and name == "profile_updated":
        fault = _attribute_fault(name, properties)
    fault = fault or _size_fault(raw)
    if fault:
        return fault
    return Event(
        event_id=str(raw["event_id"]),
        customer_id=str(raw["customer_id"]),
        name=name,
        occurred_at=occurred_at,
        status=status,
        source=str(raw.get("source") or ""),
        # Null is no value, but for an attribute: there it says that what was known holds no more.
        properties={k: v for k, v in properties.items() if v is not None or name == "profile_updated"},
    )
