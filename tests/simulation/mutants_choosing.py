"""Mistakes on purpose in what people choose for themselves, and in parting who was merged."""

from collections.abc import Mapping

from functions.decide import flow, joining
from functions.domain import situations
from functions.domain.customers import Customer
from functions.domain.events import Event
from tests.simulation.mutants import Mutation
from tests.simulation.world import SimulatedWorld


def chat_words_ignored(world: SimulatedWorld) -> None:
    """A word in the chat that stops promotions is a message like any other."""
    world.patch(flow, "said_in_chat", lambda *_arguments: [])


def chosen_hours_ignored(world: SimulatedWorld) -> None:
    """Promotions come at any hour, whatever somebody has chosen."""
    world.patch(situations, "chosen_hours", lambda _profile: None)


def nothing_handed_back(world: SimulatedWorld) -> None:
    """What was told of a merged customer stays in the other one's history when they are parted, and counts for neither."""
    world.patch(joining.JoinCustomers, "_hand_back", lambda *_arguments: None)


def parted_disowns_nothing(world: SimulatedWorld) -> None:
    """What was told of a merged customer goes on counting for the other one, too."""
    disowned_to = Customer.disowned_to

    def friends_alone(customer: Customer, event: Event) -> str:
        found = disowned_to(customer, event)
        return found if found.startswith("anon:") else ""

    world.patch(Customer, "disowned_to", friends_alone)


CHOOSING: Mapping[str, Mutation] = {
    mutation.__name__: mutation
    for mutation in (
        chat_words_ignored,
        chosen_hours_ignored,
        nothing_handed_back,
        parted_disowns_nothing,
    )
}
