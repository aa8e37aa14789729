"""A crash before and after every I/O call: the same story again and again, once for each point."""

from collections.abc import Callable

from tests.fakes.world import World


def crash_everywhere(
    build: Callable[[], World], act: Callable[[World], None], check: Callable[[World], None]
) -> int:
    """Act in a new world for each point of the undisturbed story, crash there, and check the end; how many points."""
    undisturbed = build()
    undisturbed.tap.watch(lambda _number, _name, _when: None)
    act(undisturbed)
    points = undisturbed.tap.points
    calls = undisturbed.tap.calls
    check(undisturbed)
    for point in range(points):
        world = build()
        world.tap.crash_once(point)
        act(world)
        try:
            check(world)
        except AssertionError as error:
            side = "after" if point % 2 else "before"
            seen = (
                f"a crash at point {point} (about {side} {calls[min(point // 2, len(calls) - 1)]}): {error}"
            )
            raise AssertionError(seen) from error
    return points
