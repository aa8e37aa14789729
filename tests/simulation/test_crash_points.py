"""A crash before and after every call of one send of each kind: whatever the point, one copy and one record."""

import functools
import itertools

import pytest

from functions.domain.playbook import Kind
from tests.fakes.crashes import crash_everywhere
from tests.fakes.line import Outcome
from tests.fakes.world import World
from tests.simulation.single_sends import Source, assert_sent_once, begun, live_through
from tests.simulation.world import SimulatedWorld

POINTS_MIN = 20
KINDS: tuple[Kind, ...] = ("support", "notification", "promotion")
SOURCES: tuple[Source, ...] = ("journey", "campaign")
OUTCOMES: tuple[Outcome, ...] = ("ok", "accept_then_timeout", "timeout", "rate", "401")


@pytest.mark.parametrize(("kind", "source"), itertools.product(KINDS, SOURCES))
def test_a_crash_at_any_point_of_a_send_makes_neither_two_copies_nor_none(kind: Kind, source: Source) -> None:
    def check(world: World) -> None:
        assert isinstance(world, SimulatedWorld)
        assert_sent_once(world)

    points = [
        crash_everywhere(
            functools.partial(begun, kind, source),
            functools.partial(live_through, outcome=outcome),
            check,
        )
        for outcome in OUTCOMES
    ]
    assert min(points) > POINTS_MIN
