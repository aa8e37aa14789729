"""A world with many people in it, made at once, and what became of them."""

import datetime as dt

import msgspec

from functions.domain.customers import Customer
from functions.domain.gate import Gate
from functions.domain.identity import Link
from functions.domain.playbook import Playbook
from tests.fakes.line import Outcome
from tests.fakes.playbooks import campaign, playbook
from tests.fakes.taps import Crash, When
from tests.fakes.world import World, jst

AT = jst(11, 4, 19)
CAMPAIGN = playbook(campaigns={"winter": campaign("news", once=AT)})
SILENCE: list[Outcome] = ["timeout"] * 2
"""As many as one delivery asks."""


def crowd(book: Playbook = CAMPAIGN, people: int = 25, *, start: dt.datetime | None = None) -> World:
    """So many linked friends who agreed to marketing: c0 … with U0 …; the first goes through the flows, the others are
    written as copies of it."""
    world = World(book, start=start) if start else World(book)
    world.customer_with_line("c0", "U0")
    customer, gate = world.customer("c0"), world.gate("c0")
    for number in range(1, people):
        name, user = f"c{number}", f"U{number}"
        world.befriend(user)
        world.customers.customer_bodies[name] = _renamed(msgspec.json.encode(customer), name, user, Customer)
        world.customers.gate_bodies[name] = _renamed(msgspec.json.encode(gate), name, user, Gate)
        link = world.identities.link_of("U0")
        assert link is not None
        world.identities._links[user] = _renamed(msgspec.json.encode(link), name, user, Link)
    return world


def _renamed(body: bytes, name: str, user: str, shape: type[msgspec.Struct]) -> bytes:
    renamed = body.replace(b'"c0"', f'"{name}"'.encode()).replace(b'"U0"', f'"{user}"'.encode())
    return msgspec.json.encode(msgspec.json.decode(renamed, type=shape))


def copies(world: World, people: int) -> list[list[str]]:
    """What each of them got."""
    return [world.line.copies(f"U{number}") for number in range(people)]


def at_the_hour(book: Playbook = CAMPAIGN, people: int = 25) -> World:
    """The campaign's hour has come."""
    world = crowd(book, people)
    world.now = AT
    return world


def run_campaign(world: World) -> None:
    """The order of the campaign's schedule, taken once; a failure is the test's to see."""
    world.evaluation.run("winter", AT, world.time_left)


def crash_after_acceptance(world: World, pushes: int = 1) -> None:
    """The worker is gone at its first step after LINE has accepted so many pushes."""

    def hook(_number: int, name: str, when: When) -> None:
        if len(world.line.pushes) >= pushes:
            world.tap.watch(None)
            raise Crash(f"{when} {name}")

    world.tap.watch(hook)


def crash_before_acceptance(world: World) -> None:
    """The worker is gone when it is about to speak to LINE."""

    def hook(_number: int, name: str, when: When) -> None:
        if name.startswith("line.") and when == "before":
            world.tap.watch(None)
            raise Crash(f"{when} {name}")

    world.tap.watch(hook)
