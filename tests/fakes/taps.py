"""Every I/O call of a flow passes a tap: there it can be counted, crash, or let somebody else go first."""

from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeVar, cast

Port = TypeVar("Port")
When = Literal["before", "after"]


class Crash(BaseException):
    """The worker is gone, in the middle of whatever it did: no handler of errors may see this."""


class Tap:
    """Counts points: two a call, before it and after it, numbered from 0 since the last `watch`."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.points = 0
        self._hook: Callable[[int, str, When], None] | None = None

    def watch(self, hook: Callable[[int, str, When], None] | None) -> None:
        """From now on, call the hook at each point with its number; None to stop."""
        self.calls, self.points = [], 0
        self._hook = hook

    def crash_once(self, point: int) -> None:
        """Crash at one point, and only there."""

        def hook(number: int, name: str, when: When) -> None:
            if number == point:
                self._hook = None
                raise Crash(f"{when} {name}")

        self.watch(hook)

    def once(self, point: int, deed: Callable[[], None]) -> None:
        """Let something else happen at one point."""

        def hook(number: int, _name: str, _when: When) -> None:
            if number == point:
                self._hook = None
                deed()

        self.watch(hook)

    def pass_point(self, name: str, when: When) -> None:
        """A flow is before, or after, a call."""
        if when == "before":
            self.calls.append(name)
        number = self.points
        self.points += 1
        if self._hook is not None:
            self._hook(number, name, when)


class _Tapped:
    def __init__(self, port: object, tap: Tap, name: str) -> None:
        self._port = port
        self._tap = tap
        self._name = name

    def __getattr__(self, method: str) -> Any:
        call = getattr(self._port, method)
        name = f"{self._name}.{method}"

        def tapped_call(*arguments: Any, **named: Any) -> Any:
            self._tap.pass_point(name, "before")
            answer = call(*arguments, **named)
            if isinstance(answer, Iterator):
                answer = list(answer)
            self._tap.pass_point(name, "after")
            return answer

        return tapped_call


def tapped(port: Port, tap: Tap, name: str) -> Port:
    """The port with every call of it passing the tap."""
    return cast("Port", _Tapped(port, tap, name))
