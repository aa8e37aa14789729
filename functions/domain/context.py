"""Context facts: what is true of an area, a shop or the whole account, beside the customers: weather, rankings."""

from collections.abc import Mapping

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
