"""A tree as text again: as it would be written in a playbook."""

from collections.abc import Callable, Mapping
from typing import Any

from functions.domain.instants import DAY
from functions.domain.segments.tree import Tree

_HOUR_SECONDS = 3_600
_DAY_SECONDS = int(DAY.total_seconds())


def source_of(tree: Tree, verbs: Mapping[str, str] | None = None) -> str:
    """The tree as it would be written in a playbook; a kind of node that is unknown here reads as `kind(parts)`."""
    return _text(tree, verbs or {})


def _text(tree: Any, verbs: Mapping[str, str]) -> str:
    if not isinstance(tree, list):
        return _constant(tree)
    if not tree or not isinstance(tree[0], str):
        return f"[{', '.join(_text(part, verbs) for part in tree)}]"
    return _WRITTEN.get(tree[0], _function)(tree, verbs)


def _joined(tree: Tree, verbs: Mapping[str, str]) -> str:
    return f" {tree[0]} ".join(_within(part, tree[0], verbs) for part in tree[1:])


def _not(tree: Tree, verbs: Mapping[str, str]) -> str:
    if tree[1][0] in ("tagged", "indexed"):
        return _membership(tree[1], "not in")
    return f"not {_within(tree[1], 'not', verbs)}"


def _compared(tree: Tree, verbs: Mapping[str, str]) -> str:
    return f"{_text(tree[2], verbs)} {tree[1]} {_text(tree[3], verbs)}"


def _within(part: Tree, word: str, verbs: Mapping[str, str]) -> str:
    """A part in parentheses where it would read as something else without them."""
    binds = {"or": ("or",), "and": ("and", "or"), "not": ("and", "or")}[word]
    text = _text(part, verbs)
    return f"({text})" if part[0] in binds else text


def _membership(tree: Tree, word: str) -> str:
    if tree[0] == "tagged":
        return f"{_constant(tree[1])} {word} tags"
    _, alias, name, text = tree
    return f"{_constant(text)} {word} {alias}.{name}"


def _constant(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.isprintable():
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return repr(value)


def _window(seconds: int) -> str:
    if seconds % _DAY_SECONDS == 0:
        return f"days={seconds // _DAY_SECONDS}"
    return f"hours={seconds // _HOUR_SECONDS}"


def _function(tree: Tree, verbs: Mapping[str, str]) -> str:
    return f"{tree[0]}({', '.join(_text(part, verbs) for part in tree[1:])})"


def _verb(alias: str, verbs: Mapping[str, str]) -> str:
    return verbs.get(alias, alias)


def _days_since(tree: Tree, verbs: Mapping[str, str]) -> str:
    if tree[1][0] == "last_with":
        _, alias, _names, text = tree[1]
        return f"days_since_{_verb(alias, verbs)}({_constant(text)})"
    return _function(tree, verbs)


def _context(tree: Tree, verbs: Mapping[str, str]) -> str:
    name, key = tree[1], tree[2]
    more = "" if key == ["const", ""] else f", {_text(key, verbs)}"
    return f"context({_constant(name)}{more})"


_WRITTEN: dict[str, Callable[[Tree, Mapping[str, str]], str]] = {
    "and": _joined,
    "or": _joined,
    "not": _not,
    "cmp": _compared,
    "tagged": lambda tree, _: _membership(tree, "in"),
    "indexed": lambda tree, _: _membership(tree, "in"),
    "const": lambda tree, _: _constant(tree[1]),
    "attribute": lambda tree, _: str(tree[1]),
    "instant": lambda tree, verbs: _text(tree[1], verbs),
    "date": lambda tree, verbs: _text(tree[1], verbs),
    "count": lambda tree, _: f"{tree[1]}.count",
    "first_at": lambda tree, _: f"{tree[1]}.first_at",
    "last_at": lambda tree, _: f"{tree[1]}.last_at",
    "sum": lambda tree, _: f"{tree[1]}.{tree[2]}",
    "count_in": lambda tree, _: f"{tree[1]}.count_in({_window(tree[2])})",
    "sum_in": lambda tree, _: f"{tree[1]}.{tree[2]}_in({_window(tree[3])})",
    "had": lambda tree, verbs: f"{_verb(tree[1], verbs)}({_constant(tree[3])})",
    "had_in": lambda tree, verbs: f"{_verb(tree[1], verbs)}_in({_constant(tree[3])}, {_window(tree[4])})",
    "unfollowed": lambda tree, _: f"{tree[1]}.not_followed_by({tree[2]}, {_window(tree[3])})",
    "days_since": _days_since,
    "month_of": lambda tree, verbs: f"is_month_of({_text(tree[1], verbs)})",
    "linked": lambda _, __: "linked",
    "blocked": lambda _, __: "blocked",
    "context": _context,
}
