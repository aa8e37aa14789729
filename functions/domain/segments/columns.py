"""The columns that a set of segments reads, for answering them in bulk: one row a profile.

Instants are microseconds since 1970 (BIGINT). An attribute may hold a value of any type, so that each type has a column.
Numbers are DOUBLE: sums are exact as long as they stay below 9 billion in millionths' precision (2^53).
"""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from functions.domain.context import EMPTY
from functions.domain.instants import Instant
from functions.domain.profiles import Profile
from functions.domain.segments.dates import date_of
from functions.domain.segments.evaluation import compile_predicate
from functions.domain.segments.tree import Tree, subtrees
from functions.domain.segments.values import reader

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_PLAIN = re.compile("[a-z0-9_]+")
_BIGINT_MAX = 2**63 - 1
KINDS = {"number": ("DOUBLE", (int, float)), "text": ("VARCHAR", (str,)), "boolean": ("BOOLEAN", (bool,))}
"""What an attribute may hold → the column's type, and the Python types that go into it."""


class Column(NamedTuple):
    """One column: its name, its SQL type, and how its value is read from a profile (None is NULL)."""

    name: str
    type: str
    read: Callable[[Profile], Any]


def micros(instant: Instant) -> int:
    """Microseconds since 1970."""
    return (instant - _EPOCH) // _MICROSECOND


def column_name(*parts: str) -> str:
    """The name of the column for something: readable where it can be, and different for what is different."""
    if all(_PLAIN.fullmatch(part) for part in parts):
        return ".".join(parts)
    readable = ".".join(re.sub("[^a-z0-9_]+", "_", part.lower()) for part in parts)[:40]
    return f"{readable}.{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]}"


def last_with_column(alias: str, names: list[str], value: str) -> str:
    """The column of the newest occurrence in which one of the properties had the value."""
    return column_name("last_with", alias, *names, value)


def columns_of(trees: Iterable[Tree]) -> list[Column]:
    """The columns that these inlined trees read, by name; each once."""
    found = {column.name: column for tree in trees for node in subtrees(tree) for column in _columns(node)}
    return [found[name] for name in sorted(found)]


def _columns(node: Tree) -> Iterator[Column]:
    match node:
        case ["count", alias]:
            yield Column(column_name("count", alias), "BIGINT", _reading(node))
        case ["sum", alias, name]:
            yield _sum(alias, name)
        case ["first_at" | "last_at" as moment, alias]:
            yield Column(column_name(moment, alias), "BIGINT", _instant(node))
        case ["count_in", alias, _]:
            yield _kept_at(alias)
        case ["sum_in", alias, name, _]:
            yield from (_sum(alias, name), _kept_at(alias), _kept_sums(alias, name))
        case ["attribute", name]:
            yield from (_attribute(name, kind) for kind in KINDS)
        case _:
            yield from _of_occurrences(node)
            yield from _of_customer(node)


def _of_occurrences(node: Tree) -> Iterator[Column]:
    match node:
        case ["last_with", alias, names, value] | ["had", alias, names, value]:
            yield _last_with(alias, names, value)
        case ["had_in", alias, names, value, _]:
            yield _last_with(alias, names, value)
        case ["indexed", alias, name, value]:
            yield _last_with(alias, [name], value)
        case ["unfollowed", alias, other, _]:
            for word in (alias, other):
                yield Column(column_name("last_at", word), "BIGINT", _instant(["last_at", word]))


def _of_customer(node: Tree) -> Iterator[Column]:
    match node:
        case ["instant", ["attribute", name]]:
            yield Column(column_name("instant", name), "BIGINT", _instant(node))
        case ["date", ["attribute", name]]:
            yield Column(
                column_name("date", name), "DATE", lambda one: date_of(one.attribute(name), one.zone)
            )
            yield Column("zone", "VARCHAR", lambda profile: profile.zone)
        case ["tagged", tag]:
            yield Column(column_name("tag", tag), "BOOLEAN", _condition(node))
        case ["consented", purpose]:
            yield Column(column_name("consent", purpose), "BOOLEAN", _condition(node))
        case ["linked"] | ["blocked"]:
            yield Column(node[0], "BOOLEAN", _condition(node))


def _reading(node: Tree) -> Callable[[Profile], Any]:
    read = reader(node, EMPTY)
    return lambda profile: read(profile, _EPOCH)


def _condition(node: Tree) -> Callable[[Profile], bool]:
    holds = compile_predicate(node)
    return lambda profile: holds(profile, _EPOCH)


def _instant(node: Tree) -> Callable[[Profile], int | None]:
    read = reader(node, EMPTY)
    return lambda profile: None if (at := read(profile, _EPOCH)) is None else micros(at)


def _sum(alias: str, name: str) -> Column:
    read = reader(["sum", alias, name], EMPTY)

    def total(profile: Profile) -> float | None:
        value = read(profile, _EPOCH)
        return None if value is None else float(value)

    return Column(column_name("sum", alias, name), "DOUBLE", total)


def _kept_at(alias: str) -> Column:
    def read(profile: Profile) -> list[int]:
        tally = profile.tallies.get(alias)
        return [micros(one.at) for one in tally.kept] if tally else []

    return Column(column_name("kept_at", alias), "BIGINT[]", read)


def _kept_sums(alias: str, name: str) -> Column:
    """Millionths, in the order of `kept_at`."""

    def read(profile: Profile) -> list[int]:
        tally = profile.tallies.get(alias)
        kept = tally.kept if tally else []
        return [max(-_BIGINT_MAX, min(_BIGINT_MAX, one.sums.get(name, 0))) for one in kept]

    return Column(column_name("kept_sums", alias, name), "BIGINT[]", read)


def _last_with(alias: str, names: list[str], value: str) -> Column:
    return Column(
        last_with_column(alias, names, value), "BIGINT", _instant(["last_with", alias, names, value])
    )


def _attribute(name: str, kind: str) -> Column:
    sql_type, types = KINDS[kind]

    def read(profile: Profile) -> Any:
        value = profile.attribute(name)
        return value if type(value) in types else None

    return Column(column_name("attribute", name, kind), sql_type, read)
