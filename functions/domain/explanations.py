"""Why a condition holds or not, clause by clause."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from functions.domain.events import Dictionary
from functions.domain.instants import Instant, format_instant
from functions.domain.profiles import Profile
from functions.domain.segments.tree import Tree, subtrees
from functions.domain.segments.writing import source_of


class View(msgspec.Struct, frozen=True):
    """How to see a customer: whether a condition holds and what a value is (None: missing), each at an instant.

    Both raise ValueError for a node that they do not know. `verbs`: from an event's name in segments to its verb.
    """

    truth: Callable[[Tree, Profile, Instant], bool]
    reading: Callable[[Tree, Profile, Instant], Any]
    verbs: Mapping[str, str] = {}


class Clause(msgspec.Struct, frozen=True, omit_defaults=True):
    """One condition: how it reads, whether it holds (None: nobody can tell), and the values that it rests on.

    `parts` are the conditions that it is made of; then the values stand with them. Instants are RFC 3339 texts.
    """

    source: str
    holds: bool | None
    values: dict[str, Any] = {}
    parts: list["Clause"] = []

    @property
    def told(self) -> str:
        """The clause in a sentence: `orders.count == 1 is false: orders.count = 3`."""
        truth = {True: "true", False: "false", None: "unknown"}[self.holds]
        values = ", ".join(
            f"{name} = {'missing' if value is None else value}" for name, value in self.values.items()
        )
        return f"{self.source} is {truth}" + (f": {values}" if values else "")


def verbs_of(dictionary: Dictionary) -> dict[str, str]:
    """From the name that segments read an event under to its verb."""
    return {event.alias or name: event.verb for name, event in dictionary.items() if event.verb}


def explained(tree: Tree, profile: Profile, now: Instant, view: View) -> Clause:
    """The condition with its truth and all its parts, each with its own."""
    source, holds = source_of(tree, view.verbs), _held(tree, profile, now, view)
    if tree[0] in ("and", "or", "not"):
        return Clause(source, holds, parts=[explained(part, profile, now, view) for part in tree[1:]])
    return Clause(source, holds, dict(_values(tree, profile, now, view)))


def reasons(clause: Clause) -> list[str]:
    """What makes the condition what it is: of a false `and` the parts that are false, of an `or` all of them."""
    if not clause.parts:
        return [clause.told]
    decisive = [part for part in clause.parts if part.holds == clause.holds] or clause.parts
    return [told for part in decisive for told in reasons(part)]


def _held(tree: Tree, profile: Profile, now: Instant, view: View) -> bool | None:
    try:
        return view.truth(tree, profile, now)
    except ValueError:
        return None


def _values(tree: Tree, profile: Profile, now: Instant, view: View) -> Iterator[tuple[str, Any]]:
    """Whatever can be read of the profile in the condition, and what is known of the events that it asks for."""
    if tree[0] == "tagged":
        yield "tags", profile.tag_names
    for node in subtrees(tree):
        if node[0] not in ("const", "instant", "date"):
            try:
                yield source_of(node, view.verbs), _plain(view.reading(node, profile, now))
            except ValueError:
                continue
    for alias in _aliases(tree):
        tally = profile.tallies.get(alias)
        yield f"{alias}.count", tally.count if tally else 0
        yield f"{alias}.last_at", format_instant(tally.last_at) if tally else None


def _aliases(tree: Tree) -> list[str]:
    """The events that a condition asks for whose answer is no single value."""
    match tree:
        case ["indexed" | "had" | "had_in", str() as alias, *_]:
            return [alias]
        case ["unfollowed", str() as alias, str() as other, *_]:
            return [alias, other]
    return []


def _plain(value: Any) -> Any:
    return format_instant(value) if isinstance(value, Instant) else value
