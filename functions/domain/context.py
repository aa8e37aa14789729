"""Context facts: what is true of an area, a shop or the whole account, beside the customers: weather, rankings."""

from collections.abc import Iterable, Mapping

import msgspec

from functions.domain.events import Scalar
from functions.domain.instants import Instant


class Fact(msgspec.Struct, frozen=True, array_like=True):
    """A value that holds from `since` on, and no longer at `until` (None: until somebody says otherwise)."""

    value: Scalar
    since: Instant
    until: Instant | None = None


Context = Mapping[str, Mapping[str, Fact]]
"""Fact name → key (an area, a category, "" for the account as a whole) → the fact."""

EMPTY: Context = {}


def fact_value(context: Context, name: str, key: str, now: Instant) -> Scalar | None:
    """What the fact says now; None where nobody said, or no longer."""
    fact = context.get(name, {}).get(key)
    if fact is None or now < fact.since or (fact.until is not None and now >= fact.until):
        return None
    return fact.value


def with_facts(context: Context, facts: Iterable[tuple[str, str, Fact]], now: Instant) -> Context:
    """The context with these facts (name, key, fact) in place of what was said before, and without what is over."""
    new = {name: dict(by_key) for name, by_key in _still_true(context, now).items()}
    for name, key, fact in facts:
        new.setdefault(name, {})[key] = fact
    return new


def without_fact(context: Context, name: str, key: str, now: Instant) -> Context:
    """The context without one fact, and without what is over."""
    kept = {
        one: {k: fact for k, fact in by_key.items() if (one, k) != (name, key)}
        for one, by_key in _still_true(context, now).items()
    }
    return {one: by_key for one, by_key in kept.items() if by_key}


def _still_true(context: Context, now: Instant) -> Context:
    kept = {
        name: {key: fact for key, fact in by_key.items() if fact.until is None or fact.until > now}
        for name, by_key in context.items()
    }
    return {name: by_key for name, by_key in kept.items() if by_key}
