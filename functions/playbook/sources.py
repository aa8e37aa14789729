"""YAML as people expect it, with the line of every value: no dates, no octals, no `on` that turns into true."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from yaml import events, nodes

from functions.playbook.faults import PlaybookFault

DEPTH_MAX = 60
FILE_BYTES_MAX = 1_000_000

Place = tuple[str | int, ...]
"""Where a value stands within a file: `("steps", 0, "send", "message")`."""

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,15})")
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]{0,15})\.[0-9]+")
_STANDARD = "tag:yaml.org,2002:"
_TAGS = ("str", "int", "float", "bool", "null", "timestamp", "merge", "value")
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "true": True, "false": False}


class Source(NamedTuple):
    """One file as plain data, and the line on which each value stands."""

    file: str
    name: str
    data: Any
    lines: dict[Place, int]

    def line(self, place: Place) -> int:
        """The line of a value, or of what is nearest around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def fault(self, place: Place, message: str) -> PlaybookFault:
        """A fault about a value of this file."""
        return PlaybookFault(self.file, self.line(place), message)


class _Loader(yaml.SafeLoader):
    """Composes nodes only; a copy by reference (`*name`) is refused, as it hides where a value stands."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(events.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(
                problem="references (*name) are not read here; write the value out", problem_mark=mark
            )
        return super().compose_node(parent, index)


class _Reading:
    """The walk over one file's nodes: data, lines and faults."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Place, int] = {}
        self.faults: list[PlaybookFault] = []

    def _fault(self, node: nodes.Node, message: str) -> None:
        self.faults.append(PlaybookFault(self.file, node.start_mark.line + 1, message))

    def value(self, node: nodes.Node, place: Place) -> Any:
        self.lines[place] = node.start_mark.line + 1
        if len(place) > DEPTH_MAX:
            self._fault(node, f"nested deeper than {DEPTH_MAX} levels; make it flatter")
            return None
        if isinstance(node, nodes.SequenceNode):
            return [self.value(item, (*place, number)) for number, item in enumerate(node.value)]
        if isinstance(node, nodes.MappingNode):
            return self._mapping(node, place)
        assert isinstance(node, nodes.ScalarNode)
        return self._scalar(node)

    def _mapping(self, node: nodes.MappingNode, place: Place) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str):
                self._fault(key_node, "a name is needed before the colon, and this is a list or a mapping")
            elif key in data:
                first = self.lines[*place, key]
                self._fault(
                    key_node,
                    f"{key!r} is written twice, first on line {first}; only one would count, so take one out",
                )
            else:
                data[key] = self.value(value_node, (*place, key))
                self.lines[*place, key] = key_node.start_mark.line + 1
        return data

    def _scalar(self, node: nodes.ScalarNode) -> Any:
        text = str(node.value)
        if node.tag.removeprefix(_STANDARD) not in _TAGS:
            self._fault(node, f"the tag {node.tag} is not read here; write a plain value")
        if node.style is not None:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        return float(text) if _DECIMAL.fullmatch(text) else text


def read_source(path: Path, file: str) -> tuple[Source | None, list[PlaybookFault]]:
    """One file, or what makes it unreadable. Duplicate keys are faults; an empty file is an empty mapping."""
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        return None, [
            PlaybookFault(
                file, 1, f"the file cannot be read: {error.strerror}; check that it is there and readable"
            )
        ]
    except UnicodeDecodeError:
        return None, [PlaybookFault(file, 1, "the file is not UTF-8; save it as UTF-8")]
    if len(raw) > FILE_BYTES_MAX:
        return None, [PlaybookFault(file, 1, f"the file is longer than {FILE_BYTES_MAX} bytes; split it")]
    return composed(text, file, path.stem)


def composed(text: str, file: str, name: str) -> tuple[Source | None, list[PlaybookFault]]:
    """A text of YAML as `read_source` gives it."""
    try:
        node = yaml.compose(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = f"this is no YAML: {error.problem or error.context}; check indentation, colons and quotes"
        return None, [PlaybookFault(file, mark.line + 1 if mark else 1, message)]
    except (yaml.YAMLError, RecursionError) as error:
        return None, [PlaybookFault(file, 1, f"this is no YAML: {str(error).splitlines()[0]}")]
    reading = _Reading(file)
    data = {} if node is None else reading.value(node, ())
    if not isinstance(data, dict):
        return None, [
            PlaybookFault(
                file, 1, "the file must hold names with values (name: value), and holds something else"
            )
        ]
    return Source(file, name, data, reading.lines), reading.faults
