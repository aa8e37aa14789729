"""What must be true of every world, whatever struck it: each invariant yields one line for each violation."""

from collections.abc import Iterator

from tests.simulation.invariants.accounts import accounts_close, campaigns_ran, nothing_left_over
from tests.simulation.invariants.customers import (
    assignments_stay,
    events_kept,
    journeys_as_allowed,
    journeys_ended,
    memberships_are_a_recompute,
    menus_shown,
    orders_counted,
    profiles_are_folds,
)
from tests.simulation.invariants.messages import (
    no_cap_exceeded,
    no_copies,
    no_old_keys,
    nothing_expired,
    nothing_forbidden,
    nothing_stale,
    one_content_a_key,
)
from tests.simulation.invariants.offices import (
    breakers_opened,
    budgets_kept,
    nothing_stopped,
    nothing_unapproved,
    quota_kept,
)
from tests.simulation.invariants.slots import failures_are_definite, slots_are_counted
from tests.simulation.world import SimulatedWorld

AT_THE_END = (
    no_copies,
    no_cap_exceeded,
    nothing_forbidden,
    nothing_stale,
    nothing_expired,
    no_old_keys,
    one_content_a_key,
    failures_are_definite,
    slots_are_counted,
    accounts_close,
    campaigns_ran,
    nothing_left_over,
    events_kept,
    profiles_are_folds,
    orders_counted,
    journeys_as_allowed,
    journeys_ended,
    assignments_stay,
    menus_shown,
    quota_kept,
    budgets_kept,
    nothing_stopped,
    breakers_opened,
    nothing_unapproved,
)


def violations_along_the_way(world: SimulatedWorld) -> Iterator[str]:
    """What can be said at any moment."""
    yield from memberships_are_a_recompute(world, at_the_end=False)


def violations_at_the_end(world: SimulatedWorld) -> Iterator[str]:
    """What can be said when everything has drained."""
    for invariant in AT_THE_END:
        yield from invariant(world)
    yield from memberships_are_a_recompute(world, at_the_end=True)
