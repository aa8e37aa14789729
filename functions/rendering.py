"""Templates → text: Jinja2's sandbox, strict, without calls, with bounded output. The same values, the same bytes."""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, Undefined, meta, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment


class RenderError(ValueError):
    """A template that means nothing, asks for what is not there, or grows too long. Never shows a value."""


RENDERED_CHARACTERS_MAX = 30_000  # what is filled in: more than five full texts, LINE's most
SEPARATOR_CHARACTERS_MAX = 20
TEMPLATES_KEPT = 4_096

FILTERS = (
    "abs",
    "capitalize",
    "default",
    "first",
    "float",
    "int",
    "last",
    "length",
    "lower",
    "round",
    "title",
    "trim",
    "truncate",
    "upper",
    "urlencode",
)
_STATEMENTS = (nodes.Output, nodes.TemplateData, nodes.If, nodes.For)
_OPERATORS: dict[type[nodes.Node], str] = {nodes.Mul: "*", nodes.Pow: "**", nodes.Mod: "%"}
_SCALARS = (str, int, float, bool, Undefined)


def _comma(number: Any) -> str:
    """4800 → 4,800: amounts as people read them."""
    return f"{number:,}"


def _listed(values: Any, separator: str = "、") -> str:
    """A list of texts in one line. A long separator would multiply texts."""
    if len(separator) > SEPARATOR_CHARACTERS_MAX:
        raise ValueError(f"a separator of more than {SEPARATOR_CHARACTERS_MAX} characters")
    return str(separator).join(str(value) for value in values)[:RENDERED_CHARACTERS_MAX]


def _printable(value: Any) -> Any:
    """What is printed must be one value: a list or an object has no form of its own."""
    if isinstance(value, _SCALARS):
        return value
    raise RenderError("a template prints something that is no text and no number; name one field of it")


def _braced(value: Any) -> Any:
    """In a textV2 braces are LINE's own placeholders: doubled, those of a value are shown as they are."""
    value = _printable(value)
    return value if isinstance(value, Undefined) else str(value).replace("{", "{{").replace("}", "}}")


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox with nothing callable, and without the operators that multiply texts."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def is_safe_callable(self, obj: Any) -> bool:  # noqa: ARG002 — nothing is
        return False

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002
        raise SecurityError(f"the operator {operator} is not part of the language")


def _environment(finalize: Callable[[Any], Any]) -> _Environment:
    environment = _Environment(
        undefined=StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
        finalize=finalize,
        cache_size=0,
    )
    environment.globals.clear()
    environment.filters = {
        **{name: environment.filters[name] for name in FILTERS},
        "comma": _comma,
        "join": _listed,
    }
    return environment


_ENVIRONMENT = _environment(_printable)
_ENVIRONMENT_BRACED = _environment(_braced)


def _parsed(source: str) -> nodes.Template:
    """The template's tree, made of the allowed parts only."""
    try:
        tree = _ENVIRONMENT.parse(source)
    except TemplateError as error:
        line = getattr(error, "lineno", 1)
        raise RenderError(
            f"the template cannot be read: {error.message} (line {line} of the text); "
            "write {{ name }}, {% if name %} … {% endif %} or {% for one in names %} … {% endfor %}"
        ) from None
    except RecursionError:
        raise RenderError("the template is nested too deeply") from None
    _check(tree, in_loop=False)
    return tree


def _check(node: nodes.Node, *, in_loop: bool) -> None:
    for part in node.iter_child_nodes():
        refusal = _refusal(part, in_loop=in_loop)
        if refusal:
            raise RenderError(f"{refusal} (line {part.lineno} of the text)")
        _check(part, in_loop=in_loop or isinstance(part, nodes.For))


def _refusal(node: nodes.Node, *, in_loop: bool) -> str:
    """Why a part of a template is not allowed; empty where it is."""
    if isinstance(node, nodes.For) and in_loop:
        return "loops within loops are not allowed; prepare the list as one value"
    if isinstance(node, nodes.Stmt) and not isinstance(node, _STATEMENTS):
        return f"{type(node).__name__.lower()} is not allowed in a template; use if, for and {{{{ … }}}} only"
    if isinstance(node, nodes.Call):
        return "nothing can be called in a template; use a filter such as | default(…)"
    if type(node) in _OPERATORS:
        return (
            f"the operator {_OPERATORS[type(node)]} is not allowed in a template; prepare the value instead"
        )
    if isinstance(node, nodes.Filter) and node.name not in _ENVIRONMENT.filters:
        return f"there is no filter {node.name!r}; known: {', '.join(sorted(_ENVIRONMENT.filters))}"
    return ""


def variables_of(source: str) -> frozenset[str]:
    """The values that a template asks for; RenderError where it is no template."""
    return frozenset(meta.find_undeclared_variables(_parsed(source)))


class JinjaRenderer:
    """The renderer port. Compiled templates are kept, so one renderer serves a process."""

    def __init__(self) -> None:
        self._template: Callable[[str, bool], Template] = lru_cache(TEMPLATES_KEPT)(_compiled)

    def render(self, content: list[dict[str, Any]], values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """LINE message objects with the values in their texts; RenderError, or at most 30,000 characters filled in."""
        room = [RENDERED_CHARACTERS_MAX]
        return [self._rendered(message, values, room) for message in content]

    def _rendered(
        self, part: Any, values: Mapping[str, Any], room: list[int], *, braced: bool = False
    ) -> Any:
        if isinstance(part, str):
            return self._text(part, values, room, braced=braced)
        if isinstance(part, list):
            return [self._rendered(item, values, room) for item in part]
        if isinstance(part, dict):
            placeholders = part.get("type") == "textV2"
            return {
                key: self._rendered(item, values, room, braced=placeholders and key == "text")
                for key, item in part.items()
            }
        return part

    def _text(self, source: str, values: Mapping[str, Any], room: list[int], *, braced: bool) -> str:
        if "{" not in source:
            return source
        chunks: list[str] = []
        for chunk in self._chunks(source, values, braced=braced):
            room[0] -= len(chunk)
            if room[0] < 0:
                raise RenderError(f"the message comes to more than {RENDERED_CHARACTERS_MAX} characters")
            chunks.append(chunk)
        return "".join(chunks)

    def _chunks(self, source: str, values: Mapping[str, Any], *, braced: bool) -> Iterator[str]:
        try:
            yield from self._template(source, braced).generate(values)
        except TemplateError as error:
            raise RenderError(f"the template cannot be filled in: {error.message}") from None
        except RenderError:
            raise
        except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise RenderError(f"the template cannot be filled in: {type(error).__name__}") from None


def _compiled(source: str, braced: bool) -> Template:  # noqa: FBT001 — a key of the cache
    return (_ENVIRONMENT_BRACED if braced else _ENVIRONMENT).from_string(_parsed(source))
