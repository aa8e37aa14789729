"""Expressions as text → tree, by Python's own grammar. Nothing is executed."""

import ast
from collections.abc import Callable

from functions.domain.events import is_date
from functions.domain.segments.calls import Source, near
from functions.domain.segments.terms import Terms, Typed
from functions.domain.segments.tree import AGES, Names, SegmentError, Tree, indexed_properties, verb_words

SOURCE_CHARACTERS_MAX = 2_000
DEPTH_MAX = 40

_OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


def parse(source: str, names: Names) -> Tree:
    """The tree of an expression; SegmentError, with the character it is about, where it means nothing."""
    if len(source) > SOURCE_CHARACTERS_MAX:
        raise SegmentError(
            f"the expression has {len(source)} characters, at most {SOURCE_CHARACTERS_MAX} are read; "
            'split it and refer to the parts as segment("name")',
            SOURCE_CHARACTERS_MAX,
        )
    text = " ".join(source.splitlines())
    body = text.strip()
    if not body:
        raise SegmentError("the expression is empty; write a condition such as orders.count >= 1", 1)
    offset = len(text) - len(text.lstrip())
    return _Conditions(Terms(Source(body, offset), names), names).condition(_syntax(body, offset))


def _syntax(body: str, offset: int) -> ast.expr:
    try:
        return ast.parse(body, mode="eval").body
    except SyntaxError as error:
        column = max(error.offset or 1, 1)
        hint = _mending(body[column - 1 : column])
        raise SegmentError(f"this is no expression: {error.msg}; {hint}", offset + column) from None
    except (ValueError, MemoryError, RecursionError):
        raise SegmentError(
            "this is no expression: it is nested too deeply or holds a character that cannot be read", 1
        ) from None


def _mending(character: str) -> str:
    """How to mend what stops at this character. Japanese keyboards type wide signs and curly quotes."""
    if character == "=":
        return "to compare write =="
    if character and not character.isascii():
        return "write letters, signs and quotes in half width, and Japanese words within quotes"
    return "check quotes, parentheses and operators"


class _Conditions:
    """The conditions of one expression, down to a bounded depth."""

    def __init__(self, terms: Terms, names: Names) -> None:
        self._terms = terms
        self._names = names
        self._depth = 0
        self._calls: dict[str, Callable[[ast.Call], Tree]] = {
            "segment": self._segment,
            "is_month_of": lambda node: ["month_of", terms.date(node)],
            "consented": self._consented,
        }
        for verb in names.verbs:
            had, had_in, _ = verb_words(verb)
            self._calls |= {had: self._had, had_in: self._had_in}

    def condition(self, node: ast.expr) -> Tree:
        """A node that is true or false."""
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise self._terms.fail(node, f"nested deeper than {DEPTH_MAX} levels; split it into segments")
        try:
            return self._condition(node)
        finally:
            self._depth -= 1

    def _condition(self, node: ast.expr) -> Tree:
        match node:
            case ast.BoolOp(op=op, values=values):
                word = "and" if isinstance(op, ast.And) else "or"
                return [word, *(self.condition(value) for value in values)]
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ["not", self.condition(operand)]
            case ast.Compare():
                return self._comparison(node)
            case ast.Call(func=ast.Name(id=name)) if name in self._calls:
                return self._calls[name](node)
            case ast.Call(func=ast.Attribute(value=ast.Name() as owner, attr="not_followed_by")):
                return self._unfollowed(node, owner)
            case ast.Name(id=("linked" | "blocked") as name):
                return [name]
            case _:
                return self._bare(node)

    def _bare(self, node: ast.expr) -> Tree:
        """A value that stands alone as a condition: true, false, or an attribute or context fact that says yes or no."""
        tree, kind = self._terms.value(node)
        if tree[0] == "const" and kind == "boolean":
            return tree
        if tree[0] in ("attribute", "context") and kind in (None, "boolean"):
            return ["cmp", "==", tree, ["const", True]]
        raise self._terms.fail(
            node, "this is a value, and a condition is needed; compare it, as in orders.count >= 1"
        )

    def _segment(self, node: ast.Call) -> Tree:
        name = node.args[0].value if len(node.args) == 1 and isinstance(node.args[0], ast.Constant) else None
        if not isinstance(name, str) or node.keywords:
            raise self._terms.fail(node, 'segment takes one name in quotes; write segment("vip")')
        if name not in self._names.segments:
            raise self._terms.fail(node, f"there is no segment {name!r}; {near(name, self._names.segments)}")
        return ["segment", name]

    def _consented(self, node: ast.Call) -> Tree:
        self._terms.calls.no_options(node)
        hint = 'consented takes one purpose in quotes; write consented("marketing")'
        return ["consented", self._terms.calls.text(node, hint)]

    def _had(self, node: ast.Call) -> Tree:
        calls, word = self._terms.calls, ast.unparse(node.func)
        if node.keywords:
            raise self._terms.fail(
                node, f'{word} asks for ever; for a window write {word}_in("skincare", days=90)'
            )
        return ["had", *calls.occurred(node, word)]

    def _had_in(self, node: ast.Call) -> Tree:
        calls, word = self._terms.calls, ast.unparse(node.func)
        occurred = calls.occurred(node, word.removesuffix("_in"))
        return ["had_in", *occurred, calls.span(node, f'write {word}("skincare", days=90)')]

    def _unfollowed(self, node: ast.Call, owner: ast.Name) -> Tree:
        calls, hint = self._terms.calls, f"write {owner.id}.not_followed_by(orders, hours=24)"
        calls.event(owner)
        calls.arguments(node, 1, f"not_followed_by takes one event; {hint}")
        other = node.args[0]
        if not isinstance(other, ast.Name):
            raise self._terms.fail(other, f"not_followed_by takes one event; {hint}")
        calls.event(other)
        if other.id == owner.id:
            raise self._terms.fail(other, "an event is asked to follow itself; name another one")
        return ["unfollowed", owner.id, other.id, calls.span(node, hint)]

    def _comparison(self, node: ast.Compare) -> Tree:
        lefts = [node.left, *node.comparators[:-1]]
        parts = [
            self._compared(left, op, right)
            for left, op, right in zip(lefts, node.ops, node.comparators, strict=True)
        ]
        return parts[0] if len(parts) == 1 else ["and", *parts]

    def _compared(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Tree:
        if isinstance(op, ast.In):
            return self._membership(left, right)
        if isinstance(op, ast.NotIn):
            return ["not", self._membership(left, right)]
        if type(op) not in _OPERATORS:
            raise self._terms.fail(right, "'is' is not part of the language; write == or !=")
        sign = _OPERATORS[type(op)]
        (left_tree, left_kind), (right_tree, right_kind) = self._paired(
            self._terms.value(left), self._terms.value(right)
        )
        self._alike(left, (left_tree, left_kind), (right_tree, right_kind))
        if "boolean" in (left_kind, right_kind) and sign not in ("==", "!="):
            raise self._terms.fail(left, "true and false have no order; write == or !=")
        if left_tree[0] in AGES and right_tree[0] in AGES:
            raise self._terms.fail(
                left,
                "two ages are compared; compare the instants themselves, as in carts.last_at > orders.last_at",
            )
        return ["cmp", sign, left_tree, right_tree]

    def _alike(self, node: ast.expr, left: Typed, right: Typed) -> None:
        """Both sides are of one kind, as far as it is known; a date is compared as the text that it is."""
        kinds = (left[1], right[1])
        for (tree, kind), (other, other_kind) in ((left, right), (right, left)):
            if kind == "time" and other[0] == "context":
                raise self._terms.fail(
                    node, "a context fact is no instant; compare it with a text or a number"
                )
            if kind == "date" and other_kind == "text" and tree[0] != other[0] == "const":
                if not is_date(other[1]):
                    raise self._terms.fail(node, f'{other[1]!r} is no date; write one such as "1990-05-14"')
                return
        if None not in kinds and kinds[0] != kinds[1]:
            raise self._terms.fail(
                node,
                f"a {kinds[0]} is compared with a {kinds[1]}, which is never true; compare like with like",
            )

    @staticmethod
    def _paired(left: Typed, right: Typed) -> tuple[Typed, Typed]:
        """Beside an instant, an attribute is read as an instant too."""
        if left[1] == "time" and right[0][0] == "attribute":
            return left, (["instant", right[0]], "time")
        if right[1] == "time" and left[0][0] == "attribute":
            return (["instant", left[0]], "time"), right
        return left, right

    def _membership(self, left: ast.expr, right: ast.expr) -> Tree:
        if not isinstance(left, ast.Constant) or not isinstance(left.value, str):
            raise self._terms.fail(left, "'in' needs a text in quotes before it, as in \"vip\" in tags")
        self._terms.calls.readable(left, left.value)
        if isinstance(right, ast.Name) and right.id == "tags":
            return ["tagged", left.value]
        if isinstance(right, ast.Attribute) and isinstance(right.value, ast.Name):
            event = self._terms.calls.event(right.value)
            if right.attr in event.properties and event.properties[right.attr].index:
                return ["indexed", right.value.id, right.attr, left.value]
            indexed = indexed_properties(event)
            raise self._terms.fail(
                right, f"{right.value.id}.{right.attr} is not indexed; {near(right.attr, indexed)}"
            )
        raise self._terms.fail(
            right, "'in' asks tags or an indexed property of an event; for other values write == with or"
        )
