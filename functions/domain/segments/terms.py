"""The values in an expression: what may be written for one, and of which kind each is."""

import ast
import math
from collections.abc import Callable

from functions.domain.events import EventType, Scalar
from functions.domain.segments.calls import Calls, Source, near
from functions.domain.segments.tree import (
    CALENDAR,
    ELAPSED,
    MOMENTS,
    OWN_FIELDS,
    RESERVED,
    Kind,
    Names,
    SegmentError,
    Tree,
    kind_of_property,
    verb_words,
)

_BOOLEANS = {"true": True, "false": False}
_CONDITIONS = ("segment", "is_month_of", "consented", "linked", "blocked")
Typed = tuple[Tree, Kind | None]


class Terms:
    """The values of one expression."""

    def __init__(self, source: Source, names: Names) -> None:
        self._source = source
        self._names = names
        self.calls = Calls(source, names)
        self._functions: dict[str, Callable[[ast.Call], Typed]] = {
            **dict.fromkeys(ELAPSED, self._elapsed),
            **dict.fromkeys(CALENDAR, self._calendar),
            "context": self._context,
            **{verb_words(verb)[2]: self._days_since_verb for verb in names.verbs},
        }

    def fail(self, node: ast.expr, message: str) -> SegmentError:
        """The error about this part of the source."""
        return self._source.fail(node, message)

    def value(self, node: ast.expr) -> Typed:
        """A node that stands for a value, and of which kind it is where that is known."""
        match node:
            case ast.Constant(value=constant):
                return self._constant(node, constant)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return self._constant(node, number if isinstance(number, bool) else -number)
            case ast.Attribute(value=ast.Name() as owner, attr=field):
                return self._field(node, owner, field)
            case ast.Call(func=ast.Name(id=name)) if name in self._functions:
                return self._functions[name](node)
            case ast.Call(func=ast.Name(id=name)):
                raise self._unknown_call(node, name)
            case ast.Call(func=ast.Attribute(value=ast.Name() as owner, attr=field)):
                return self._window(node, owner, field)
            case ast.Name(id=name):
                return self._name(node, name)
            case _:
                raise self.fail(
                    node,
                    "this is not part of the language; use comparisons, and, or, not, in, days_since, segment",
                )

    def _constant(self, node: ast.expr, constant: object) -> Typed:
        if isinstance(constant, bool):
            return ["const", constant], "boolean"
        if isinstance(constant, str):
            return ["const", self.calls.readable(node, constant)], "text"
        if isinstance(constant, int | float) and math.isfinite(constant) and abs(constant) <= 10**15:
            return ["const", _canonical(constant)], "number"
        raise self.fail(node, "only texts in quotes, finite numbers, true and false can be written down here")

    def _field(self, node: ast.expr, owner: ast.Name, field: str) -> Typed:
        event = self.calls.event(owner)
        if field == "count":
            return ["count", owner.id], "number"
        if field in MOMENTS:
            return [field, owner.id], "time"
        kind = event.properties.get(field)
        if kind and kind.sum:
            return ["sum", owner.id, field], "number"
        if kind and kind.index:
            raise self.fail(
                node,
                f'{owner.id}.{field} has many values; ask for one, as in "skincare" in {owner.id}.{field}',
            )
        if field in _methods(event):
            raise self.fail(node, f"{owner.id}.{field} takes a window; {_method_hint(owner.id, field)}")
        known = [*OWN_FIELDS, *(key for key, one in event.properties.items() if one.sum or one.index)]
        raise self.fail(node, f"{owner.id} has no {field!r} to read; {near(field, known)}")

    def _window(self, node: ast.Call, owner: ast.Name, field: str) -> Typed:
        event = self.calls.event(owner)
        if field == "not_followed_by":
            raise self.fail(node, "not_followed_by is a condition of its own; take the comparison away")
        if field not in _methods(event):
            raise self.fail(node, f"{owner.id} has no {field!r} to ask for; {near(field, _methods(event))}")
        self.calls.arguments(node, 0, _method_hint(owner.id, field))
        seconds = self.calls.span(node, _method_hint(owner.id, field))
        self.calls.within_memory(node, owner.id, event, seconds)
        if field == "count_in":
            return ["count_in", owner.id, seconds], "number"
        return ["sum_in", owner.id, field.removesuffix("_in"), seconds], "number"

    def _elapsed(self, node: ast.Call) -> Typed:
        word = _word(node)
        self.calls.no_options(node)
        if len(node.args) != 1:
            raise self.fail(node, f"{word} takes one instant, as in {word}(orders.last_at)")
        tree, kind = self.value(node.args[0])
        if kind == "date":
            raise self.fail(
                node.args[0], f"{word} counts from an instant, and this is a date; write days_until"
            )
        if kind not in (None, "time") or (kind is None and tree[0] != "attribute"):
            raise self.fail(
                node.args[0],
                f"{word} counts from an instant, and this is a {kind or 'context fact'}; "
                "write orders.last_at or the like",
            )
        return [word, ["instant", tree] if tree[0] == "attribute" else tree], "number"

    def _calendar(self, node: ast.Call) -> Typed:
        return [_word(node), self.date(node)], "number"

    def date(self, node: ast.Call) -> Tree:
        """The date attribute that a function of the calendar is asked about."""
        word = _word(node)
        self.calls.no_options(node)
        name = node.args[0].id if len(node.args) == 1 and isinstance(node.args[0], ast.Name) else ""
        if not name or name in RESERVED:
            raise self.fail(node, f"{word} takes one attribute that holds a date, as in {word}(birthday)")
        tree, kind = self._name(node.args[0], name)
        if kind not in (None, "date", "time"):
            raise self.fail(
                node.args[0], f"{name} is a {kind}, no date; declare it as type: date in events.yaml"
            )
        return ["date", tree[1] if tree[0] == "instant" else tree]

    def _days_since_verb(self, node: ast.Call) -> Typed:
        verb = _word(node).removeprefix("days_since_")
        return ["days_since", ["last_with", *self.calls.occurred(node, verb)]], "number"

    def _context(self, node: ast.Call) -> Typed:
        self.calls.no_options(node)
        match node.args:
            case [ast.Constant(value=str(name))]:
                return ["context", name, ["const", ""]], None
            case [ast.Constant(value=str(name)), key]:
                tree, kind = self.value(key)
                if tree[0] in ("const", "attribute") and kind in (None, "text"):
                    return ["context", name, tree], None
                raise self.fail(
                    key, "the key of a context fact is a text in quotes or a text attribute; write one"
                )
        raise self.fail(
            node,
            'context takes the name of a fact and its key; write context("weather", "tokyo") or context("busy")',
        )

    def _unknown_call(self, node: ast.expr, name: str) -> SegmentError:
        if name in ("segment", "is_month_of", "consented") or any(
            name in verb_words(verb)[:2] for verb in self._names.verbs
        ):
            return self.fail(node, f"{name}(…) is a condition of its own; take the comparison away")
        words = [word for verb in self._names.verbs for word in verb_words(verb)]
        known = ["segment", "is_month_of", "consented", *self._functions, *words]
        return self.fail(node, f"{name}(…) is not part of the language; {near(name, dict.fromkeys(known))}")

    def _name(self, node: ast.expr, name: str) -> Typed:
        if name in _BOOLEANS:
            return ["const", _BOOLEANS[name]], "boolean"
        if name in ("linked", "blocked"):
            raise self.fail(node, f"{name} is a condition of its own; write {name}, or not {name}")
        if name in RESERVED:
            raise self.fail(
                node,
                f'{name} cannot stand alone; write "vip" in tags, days_since(orders.last_at) or segment("vip")',
            )
        if name in self._names.aliases:
            raise self.fail(
                node, f"{name} is an event, not a value; write {name}.count, {name}.last_at or the like"
            )
        if name in self._names.verbs:
            raise self.fail(node, f'{name} asks for a value; write {name}("skincare") or the like')
        if name in self._names.segments:
            raise self.fail(node, f'{name} is a segment; write segment("{name}")')
        declared = self._names.attributes.get(name)
        kind = kind_of_property(declared) if declared else None
        return (["instant", ["attribute", name]] if kind == "time" else ["attribute", name]), kind


def _word(node: ast.Call) -> str:
    assert isinstance(node.func, ast.Name), "only calls of a plain name come here"
    return node.func.id


def _methods(event: EventType) -> list[str]:
    return [
        "count_in",
        *(f"{name}_in" for name, kind in event.properties.items() if kind.sum),
        "not_followed_by",
    ]


def _method_hint(alias: str, method: str) -> str:
    if method == "not_followed_by":
        return f"write {alias}.not_followed_by(orders, hours=24)"
    return f"write {alias}.{method}(days=90)"


def _canonical(number: Scalar) -> Scalar:
    """A whole number is an integer, however it was written: 1.0 and 1 are one segment."""
    return int(number) if isinstance(number, float) and number.is_integer() else number
