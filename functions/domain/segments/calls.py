"""What is written in the parentheses of a call: texts, events, lengths of time."""

import ast
import difflib
from collections.abc import Iterable

from functions.domain.events import EventType
from functions.domain.segments.tree import Names, SegmentError, indexed_properties

HOUR_SECONDS = 3_600
DAY_SECONDS = 86_400
SPAN_DAYS_MAX = 400


def near(word: str, known: Iterable[str]) -> str:
    """What may have been meant, as the end of a message."""
    options = sorted(known)
    close = difflib.get_close_matches(word, options, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"known: {', '.join(options)}" if options else "none is known"


class Source:
    """One expression as it was written. `offset`: how many characters were cut off in front of `text`."""

    def __init__(self, text: str, offset: int) -> None:
        self._bytes = text.encode(errors="surrogatepass")
        self._offset = offset

    def fail(self, node: ast.expr, message: str) -> SegmentError:
        """The error about this part of the source."""
        # ast counts bytes of UTF-8; people count characters.
        before = self._bytes[: node.col_offset].decode(errors="ignore")
        return SegmentError(message, self._offset + len(before) + 1)


class Calls:
    """The arguments of the calls of one expression."""

    def __init__(self, source: Source, names: Names) -> None:
        self._source = source
        self._names = names

    def event(self, owner: ast.Name) -> EventType:
        """The event that is read under this name."""
        event, names = self._names.aliases.get(owner.id), self._names
        if event is None and owner.id in names.read_as:
            raise self._source.fail(owner, f"{owner.id} is read as {names.read_as[owner.id]} here")
        if event is None:
            raise self._source.fail(
                owner, f"no event is read as {owner.id!r}; {near(owner.id, names.aliases)}"
            )
        return event

    def readable(self, node: ast.expr, text: str) -> str:
        """A text, where every reading of the tree can write it down."""
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise self._source.fail(node, "the text holds a character that cannot be written; take it out")
        return text

    def arguments(self, node: ast.Call, count: int, hint: str) -> None:
        """So many plain arguments, and no others."""
        if len(node.args) != count:
            raise self._source.fail(node, hint)

    def no_options(self, node: ast.Call) -> None:
        """Nothing with an equals sign."""
        if node.keywords:
            raise self._source.fail(
                node.keywords[0].value, f"{node.keywords[0].arg}= is not taken here; leave it out"
            )

    def text(self, node: ast.Call, hint: str) -> str:
        """The one plain argument, a text."""
        self.arguments(node, 1, hint)
        match node.args[0]:
            case ast.Constant(value=str(text)):
                return self.readable(node.args[0], text)
        raise self._source.fail(node.args[0], hint)

    def span(self, node: ast.Call, hint: str) -> int:
        """The seconds of `days=` or `hours=`."""
        if len(node.keywords) != 1 or node.keywords[0].arg not in ("days", "hours"):
            raise self._source.fail(node, f"how long back is not said in days= or hours=; {hint}")
        keyword = node.keywords[0]
        unit = DAY_SECONDS if keyword.arg == "days" else HOUR_SECONDS
        number = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
        most = SPAN_DAYS_MAX * DAY_SECONDS // unit
        if type(number) is not int or not 1 <= number <= most:
            raise self._source.fail(
                keyword.value, f"{keyword.arg}= takes a whole number from 1 to {most}; {hint}"
            )
        return number * unit

    def within_memory(self, node: ast.expr, alias: str, event: EventType, seconds: int) -> None:
        """A window no longer than single occurrences are remembered."""
        if seconds <= event.keep_days * DAY_SECONDS:
            return
        days = -(-seconds // DAY_SECONDS)
        known = f"for {event.keep_days} days" if event.keep_days else "not at all"
        raise self._source.fail(
            node,
            f"{alias} keeps single occurrences {known}; "
            f"write keep: {days}d on {self._names.event_of(alias)} in events.yaml",
        )

    def occurred(self, node: ast.Call, verb: str) -> tuple[str, list[str], str]:
        """Alias, indexed properties and value of `bought("skincare")` and its like."""
        alias = self._names.verbs[verb]
        properties = indexed_properties(self._names.aliases[alias])
        if not properties:
            event = self._names.event_of(alias)
            raise self._source.fail(
                node, f"{event} has no property to ask for; write index: true on one in events.yaml"
            )
        word = ast.unparse(node.func)
        return (
            alias,
            properties,
            self.text(node, f'{word} takes one text in quotes, as in {word}("skincare")'),
        )
