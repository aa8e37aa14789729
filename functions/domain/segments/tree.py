"""What the readings of a segment share: the tree, the names it may use, the error that says what is wrong."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec

from functions.domain.events import Dictionary, EventType, PropertyKind

Tree = list[Any]
Kind = Literal["number", "text", "boolean", "time", "date"]
"""What a value is, where the dictionary says; attributes of which it says nothing have no kind."""

MOMENTS = ("first_at", "last_at")
OWN_FIELDS = ("count", *MOMENTS)
ELAPSED = ("days_since", "hours_since", "minutes_since")
CALENDAR = ("days_until", "days_until_anniversary")
AGES = (*ELAPSED, *CALENDAR)
"""Values that move with every day, hour or minute."""
RESERVED = (
    "tags", "segment", "true", "false", *ELAPSED, *CALENDAR, "is_month_of", "linked", "blocked", "consented", "context",
)  # fmt: skip
"""Names with a meaning of their own: no event, attribute or verb may bear them."""


class SegmentError(ValueError):
    """An expression that means nothing. `column` counts characters from 1; the message says how to mend it."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"{message} (at character {column})")
        self.message = message
        self.column = column


class Names(msgspec.Struct, frozen=True):
    """What an expression may speak of: events by the name they are read under, typed attributes, segments.

    `read_as`: from an event's own name to the one it is read under; `verbs`: from a verb to the name its event is read
    under.
    """

    aliases: dict[str, EventType]
    read_as: dict[str, str]
    attributes: dict[str, PropertyKind]
    segments: frozenset[str]
    verbs: dict[str, str] = {}

    def event_of(self, alias: str) -> str:
        """The event's own name."""
        return next(name for name, word in self.read_as.items() if word == alias)


def names_of(dictionary: Dictionary, segments: Iterable[str] = ()) -> Names:
    """The names that a dictionary gives to expressions."""
    aliases = {event.alias or name: event for name, event in dictionary.items()}
    attributes = {
        key: kind.type
        for event in dictionary.values()
        for key, kind in event.properties.items()
        if kind.attribute
    }
    read_as = {name: event.alias or name for name, event in dictionary.items()}
    verbs = {event.verb: event.alias or name for name, event in dictionary.items() if event.verb}
    return Names(aliases, read_as, attributes, frozenset(segments), verbs)


def verb_words(verb: str) -> tuple[str, str, str]:
    """The words that a verb gives to expressions."""
    return verb, f"{verb}_in", f"days_since_{verb}"


def indexed_properties(event: EventType) -> list[str]:
    """The properties of an event that are kept by value."""
    return [name for name, kind in event.properties.items() if kind.index]


_NAMING = ("had", "had_in", "last_with")
"""Trees with a list in them that is no tree: the names of properties."""


def subtrees(tree: Tree) -> Iterator[Tree]:
    """The tree itself and every tree in it, outermost first."""
    yield tree
    if tree[0] in _NAMING:
        return
    for part in tree[1:]:
        if isinstance(part, list):
            yield from subtrees(part)


def segments_in(tree: Tree) -> set[str]:
    """The names of the other segments that a tree refers to."""
    return {node[1] for node in subtrees(tree) if node[0] == "segment"}


def reads_context(tree: Tree) -> bool:
    """Whether the answer rests on context facts, so that it changes without the customer."""
    return any(node[0] == "context" for node in subtrees(tree))


def segment_hash(tree: Tree) -> str:
    """16 hex digits that name a tree's meaning: the same for the same tree, wherever it is written."""
    text = json.dumps(tree, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def kind_of_property(kind: PropertyKind) -> Kind | None:
    """How expressions see a property of the dictionary; a list is none of their values."""
    kinds: Mapping[PropertyKind, Kind] = {
        "string": "text",
        "number": "number",
        "boolean": "boolean",
        "instant": "time",
        "date": "date",
    }
    return kinds.get(kind)
