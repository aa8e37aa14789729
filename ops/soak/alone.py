"""A run that has the machine's deployment to itself, and takes down what it brought up."""

from collections.abc import Iterator
from contextlib import contextmanager

from ops.errors import UserError
from ops.local.down import bring_down, is_up
from ops.local.place import Place


@contextmanager
def alone(place: Place) -> Iterator[Place]:
    """Take everything down at the end. UserError where something is up already, which stays up: it is somebody else's."""
    if is_up(place):
        raise UserError(
            "a local Musubi is up already, perhaps another soak: wait for it, or stop it with `musubi local down`"
        )
    try:
        yield place
    finally:
        bring_down(place)
