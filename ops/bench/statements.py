"""PartiQL as the adapters write it: which table and item a statement is about. Every value is a parameter."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

_VERB = re.compile(
    r"\s*(INSERT\s+INTO|UPDATE|DELETE\s+FROM|SELECT\s+.*?\s+FROM)\s+\"?([\w.-]+)\"?",
    re.IGNORECASE | re.DOTALL,
)
_MEMBER = re.compile(r"'(\w+)'\s*:\s*(\?)")
_EQUALS = re.compile(r"\"?(\w+)\"?\s*=\s*(\?)")

Verb = Literal["insert", "update", "delete", "select"]


class Statement(NamedTuple):
    """`equals`: the attributes that the item, or the condition, has by equality; an INSERT's are its whole item."""

    verb: Verb
    table: str
    equals: Mapping[str, Mapping[str, Any]]


def read_statement(text: str, parameters: Sequence[Mapping[str, Any]]) -> Statement:
    """A statement with its parameters; ValueError where it is none that this reads."""
    found = _VERB.match(text)
    if found is None:
        raise ValueError(f"this is no PartiQL that the benchmark reads: {text}")
    verb: Any = found[1].split()[0].lower()
    if verb == "insert":
        return Statement(verb, found[2], _bound(_MEMBER, text, 0, parameters))
    where = re.search(r"\bWHERE\b", text, re.IGNORECASE)
    return Statement(verb, found[2], _bound(_EQUALS, text, where.end() if where else len(text), parameters))


def _bound(
    pattern: re.Pattern[str], text: str, start: int, parameters: Sequence[Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """Name → parameter: a mark's number is how many marks stand before it."""
    return {
        match[1]: parameters[text.count("?", 0, match.start(2))] for match in pattern.finditer(text, start)
    }
