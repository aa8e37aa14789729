"""Collecting what is wrong with a request body, each problem under the path of its property."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ops.line_sandbox.answers import JsonObject, refused
from ops.line_sandbox.lengths import utf16_units

EMPTY = "May not be empty"
URL_LENGTH_MAX = 2000


@dataclass(slots=True)
class Problems:
    """The errors found so far, in the order of the body."""

    details: list[dict[str, str]] = field(default_factory=list)

    def add(self, path: str, message: str) -> None:
        """Note one error: `path` is such as `messages[0].text`."""
        self.details.append({"message": message, "property": path})

    def refuse_if_any(self) -> None:
        """RefusedError with 400 and all details, where there is an error."""
        if self.details:
            raise refused(400, f"The request body has {len(self.details)} error(s)", self.details)


@dataclass(frozen=True, slots=True)
class Part:
    """One JSON object of the body and where it stands. A property that is null counts as left out."""

    value: JsonObject
    path: str
    problems: Problems

    def at(self, name: str) -> str:
        """The path of a property of this object."""
        return f"{self.path}.{name}" if self.path else name

    def report(self, name: str, message: str) -> None:
        """Note an error of one property."""
        self.problems.add(self.at(name), message)

    def text(
        self, name: str, length_max: int, *, required: bool = True, count: Callable[[str], int] = utf16_units
    ) -> str:
        """The text, or "" where it is missing or no text; its length is counted with `count`."""
        value = self.value.get(name)
        if value is None or value == "":
            if required:
                self.report(name, EMPTY)
            return ""
        if not isinstance(value, str):
            self.report(name, "Must be a string")
            return ""
        # No character counts more than twice, so that most texts need no counting.
        if len(value) * 2 > length_max and count(value) > length_max:
            self.report(name, f"Length must be between 0 and {length_max}")
        return value

    def url(self, name: str, *, required: bool = True, length_max: int = URL_LENGTH_MAX) -> None:
        """A URL of media or links that LINE itself fetches: https alone."""
        self.uri(name, ("https://",), length_max, required=required)

    def uri(self, name: str, schemes: tuple[str, ...], length_max: int, *, required: bool = True) -> None:
        """A URI with one of the schemes, such as `https://` or `tel:`."""
        value = self.text(name, length_max, required=required)
        if value and not value.lower().startswith(schemes):
            self.report(name, f"Must be a URI with one of the following schemes: [{', '.join(schemes)}]")

    def number(self, name: str, *, required: bool = True, above: float | None = None) -> None:
        """A JSON number (true and false are none), greater than `above`."""
        value = self.value.get(name)
        if value is None:
            if required:
                self.report(name, EMPTY)
        elif isinstance(value, bool) or not isinstance(value, int | float):
            self.report(name, "Must be a number")
        elif above is not None and value <= above:
            self.report(name, f"Must be greater than {above:g}")

    def boolean(self, name: str) -> None:
        """An optional true or false."""
        if not isinstance(self.value.get(name, False), bool):
            self.report(name, "Must be a boolean")

    def one_of(self, name: str, allowed: Iterable[str]) -> str:
        """One of the allowed words, or "" after noting the error."""
        value = self.value.get(name)
        if value is None or value == "":
            self.report(name, EMPTY)
            return ""
        if not isinstance(value, str) or value not in allowed:
            self.report(name, f"Must be one of the following values: [{', '.join(allowed)}]")
            return ""
        return value

    def child(self, name: str, *, required: bool = True) -> "Part | None":
        """The object under `name`; None where there is none."""
        value = self.value.get(name)
        if value is None:
            if required:
                self.report(name, EMPTY)
            return None
        return self._part(value, self.at(name))

    def children(self, name: str, count_min: int, count_max: int) -> "list[Part]":
        """The objects of the array under `name`; a missing array counts as an empty one."""
        values = self.value.get(name)
        if values is None:
            values = []
        if not isinstance(values, list):
            self.report(name, "Must be an array")
            return []
        if not count_min <= len(values) <= count_max:
            self.report(name, EMPTY if not values else f"Size must be between {count_min} and {count_max}")
        parts = (
            self._part(value, f"{self.at(name)}[{index}]") for index, value in enumerate(values[:count_max])
        )
        return [part for part in parts if part is not None]

    def _part(self, value: object, path: str) -> "Part | None":
        if isinstance(value, dict):
            return Part(value, path, self.problems)
        self.problems.add(path, "Must be an object")
        return None
