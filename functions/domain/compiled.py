"""A playbook made ready to decide with: its expressions as predicates, compiled once each."""

import copy
import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from functools import cached_property

import msgspec

from functions.domain.caps import counts, longest_window
from functions.domain.context import EMPTY, Context
from functions.domain.events import BUILT_IN, Dictionary
from functions.domain.instants import Instant
from functions.domain.line_events import LINE_EVENTS
from functions.domain.playbook import Expression, Kind, Playbook
from functions.domain.profiles import Profile, with_provisional
from functions.domain.segments import compile_next_change, compile_predicate, reads_context
from functions.domain.tracking import Tracked, track
from functions.domain.verdicts import Rules

Predicate = Callable[[Profile, Instant], bool]


class Compiled:
    """One version of a playbook, with the context facts known now. Holds no state but its cache of predicates."""

    def __init__(self, playbook: Playbook, context: Context = EMPTY) -> None:
        self.playbook = playbook
        self.context = context
        self.version = playbook.version
        self.dictionary: Dictionary = {**BUILT_IN, **LINE_EVENTS, **playbook.events}
        self.rules = Rules(playbook.caps, playbook.quiet_hours, playbook.consent, playbook.exclusions)
        self._predicates: dict[int, Predicate] = {}
        self._of_context: dict[int, Predicate] = {}

    def with_context(self, context: Context) -> "Compiled":
        """The same version with other context facts; what was compiled once stays compiled."""
        other = copy.copy(self)
        other.context, other._of_context = context, {}  # noqa: SLF001 — its own kind
        return other

    @property
    def longest_window(self) -> dt.timedelta:
        """The longest window of any cap; zero where there is none."""
        return max(map(longest_window, self.rules.caps), default=dt.timedelta())

    def is_capped(self, kind: Kind, category: str) -> bool:
        """Whether any cap counts messages of this kind and category."""
        return any(counts(cap, kind, category) for cap in self.rules.caps)

    def excluding(self, kind: Kind, profile: Profile, now: Instant) -> list[str]:
        """The playbook's rules that exclude this customer from messages of this kind, sorted. What is provisional
        excludes too: it may stop a message."""
        rules = self.playbook.exclusion_rules
        return sorted(
            name for name, rule in rules.items() if kind in rule.kinds and self.stops(rule.when, profile, now)
        )

    def is_on(self, scenario: str, campaign: str) -> bool:
        """Whether the source of a message is switched on; what a newer playbook no longer has runs out as it began."""
        source = self.playbook.scenarios.get(scenario) or self.playbook.campaigns.get(campaign)
        return source is None or source.on

    @cached_property
    def tracked(self) -> Mapping[str, Tracked]:
        """The segments whose members are kept, by hash."""
        return track(self.playbook.segments)

    @cached_property
    def dictionary_hash(self) -> str:
        """16 hex digits that name what the fold reads of the dictionary; what is said about it for people is left out."""
        told = {
            name: msgspec.structs.replace(
                event,
                meaning="",
                properties={
                    key: msgspec.structs.replace(kind, meaning="", unit="")
                    for key, kind in event.properties.items()
                },
            )
            for name, event in self.dictionary.items()
        }
        return hashlib.sha256(msgspec.json.encode(told, order="deterministic")).hexdigest()[:16]

    def predicate(self, expression: Expression) -> Predicate:
        """The compiled form of one of this playbook's own expressions."""
        known = self._predicates.get(id(expression)) or self._of_context.get(id(expression))
        if known is None:
            known = compile_predicate(expression, self.context)
            kept = self._of_context if reads_context(expression) else self._predicates
            kept[id(expression)] = known
        return known

    def next_change(self, expression: Expression, profile: Profile, now: Instant) -> Instant | None:
        """The first instant after `now` at which time alone changes the answer; None where it never does."""
        return compile_next_change(expression, self.context)(profile, now)

    def holds(self, expression: Expression | None, profile: Profile, now: Instant) -> bool:
        """Whether an expression holds on what is confirmed; no expression is no demand."""
        return expression is None or self.predicate(expression)(profile, now)

    def stops(self, expression: Expression | None, profile: Profile, now: Instant) -> bool:
        """Whether an exit holds on what is confirmed, or would if what is provisional were confirmed."""
        if expression is None:
            return False
        predicate = self.predicate(expression)
        if predicate(profile, now):
            return True
        return bool(profile.provisional) and predicate(with_provisional(profile, self.dictionary), now)

    def remains(self, expression: Expression, profile: Profile, now: Instant) -> bool:
        """Whether a membership holds on what is confirmed, and nothing provisional would end it."""
        predicate = self.predicate(expression)
        if not predicate(profile, now):
            return False
        return not profile.provisional or predicate(with_provisional(profile, self.dictionary), now)


Versions = Mapping[str, Compiled]
"""Playbook version → playbook; holds every version that an active journey is pinned to, and the one that the
memberships are kept under."""
