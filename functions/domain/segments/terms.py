"""The values in an expression: what may be written for one, and of which kind each is."""

import ast
import difflib
import math
from collections.abc import Iterable

from functions.domain.events import EventType, Scalar
from functions.domain.segments.tree import (
    MOMENTS,
    OWN_FIELDS,
    RESERVED,
    Kind,
    Names,
    SegmentError,
    Tree,
    kind_of_property,
)

_BOOLEANS = {"true": True, "false": False}
Typed = tuple[Tree, Kind | None]


def near(word: str, known: Iterable[str]) -> str:
    """What may have been meant, as the end of a message."""
    options = sorted(known)
    close = difflib.get_close_matches(word, options, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"known: {', '.join(options)}" if options else "none is known"


class Terms:
    """The values of one expression. `offset`: how many characters were cut off in front of `source`."""

    def __init__(self, source: str, offset: int, names: Names) -> None:
        self._bytes = source.encode(errors="surrogatepass")
        self._offset = offset
        self._names = names

    def fail(self, node: ast.expr, message: str) -> SegmentError:
        """The error about this part of the source."""
        # ast counts bytes of UTF-8; people count characters.
        before = self._bytes[: node.col_offset].decode(errors="ignore")
        return SegmentError(message, self._offset + len(before) + 1)

    def value(self, node: ast.expr) -> Typed:
        """A node that stands for a value, and of which kind it is where that is known."""
        match node:
            case ast.Constant(value=constant):
                return self._constant(node, constant)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return self._constant(node, number if isinstance(number, bool) else -number)
            case ast.Attribute(value=ast.Name() as owner, attr=field):
                return self._field(node, owner, field)
            case ast.Call(func=ast.Name(id="days_since")):
                return self._days_since(node)
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
            return ["const", constant], "text"
        if isinstance(constant, int | float) and math.isfinite(constant) and abs(constant) <= 10**15:
            return ["const", _canonical(constant)], "number"
        raise self.fail(node, "only texts in quotes, finite numbers, true and false can be written down here")

    def event(self, owner: ast.Name) -> EventType:
        """The event that is read under this name."""
        event = self._names.aliases.get(owner.id)
        if event is None and owner.id in self._names.read_as:
            raise self.fail(owner, f"{owner.id} is read as {self._names.read_as[owner.id]} here")
        if event is None:
            raise self.fail(owner, f"no event is read as {owner.id!r}; {near(owner.id, self._names.aliases)}")
        return event

    def _field(self, node: ast.expr, owner: ast.Name, field: str) -> Typed:
        event = self.event(owner)
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
        known = [*OWN_FIELDS, *(key for key, one in event.properties.items() if one.sum or one.index)]
        raise self.fail(node, f"{owner.id} has no {field!r} to read; {near(field, known)}")

    def _days_since(self, node: ast.Call) -> Typed:
        if len(node.args) != 1 or node.keywords:
            raise self.fail(node, "days_since takes one instant, as in days_since(orders.last_at)")
        tree, kind = self.value(node.args[0])
        if kind not in (None, "time"):
            raise self.fail(
                node.args[0],
                f"days_since counts from an instant, and this is a {kind}; write orders.last_at or the like",
            )
        return ["days_since", ["instant", tree] if tree[0] == "attribute" else tree], "number"

    def _name(self, node: ast.expr, name: str) -> Typed:
        if name in _BOOLEANS:
            return ["const", _BOOLEANS[name]], "boolean"
        if name in RESERVED:
            raise self.fail(
                node,
                f'{name} cannot stand alone; write "vip" in tags, days_since(orders.last_at) or segment("vip")',
            )
        if name in self._names.aliases:
            raise self.fail(
                node, f"{name} is an event, not a value; write {name}.count, {name}.last_at or the like"
            )
        if name in self._names.segments:
            raise self.fail(node, f'{name} is a segment; write segment("{name}")')
        declared = self._names.attributes.get(name)
        kind = kind_of_property(declared) if declared else None
        return (["instant", ["attribute", name]] if kind == "time" else ["attribute", name]), kind


def _canonical(number: Scalar) -> Scalar:
    """A whole number is an integer, however it was written: 1.0 and 1 are one segment."""
    return int(number) if isinstance(number, float) and number.is_integer() else number
