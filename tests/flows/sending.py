"""What the tests of the send protocol share."""

import datetime as dt

import msgspec
import pytest

from functions.domain.playbook import Cap
from functions.domain.sends import Intent
from tests.fakes.line import Outcome
from tests.fakes.lockstep import schedules
from tests.fakes.playbooks import (
    DAY_SECONDS,
    ONE_PROMOTION_A_WEEK,
    QUIET,
    days,
    playbook,
    scenario,
    send,
)
from tests.fakes.world import World

PATH = scenario("cart_left", days(365), send("offer"), exit_when="orders.count >= 1")
BOOK = playbook(scenarios={"path": PATH})
KINDS = ["thanks", "tips", "offer"]
"""A support message, a notification and a promotion."""
DAY = dt.timedelta(days=1)


def fresh(**changes: object) -> World:
    """A linked friend who agreed to marketing."""
    world = World(msgspec.structs.replace(BOOK, **changes, version="changed") if changes else BOOK)
    world.customer_with_line()
    world.advance(minutes=1)
    return world


def ends(world: World) -> list[tuple[str, str]]:
    return [(record.status, record.reason) for record in world.records()]


def contacts(world: World) -> list[str]:
    return [contact.kind for contact in world.gate().contacts]


def cut_off_after_claim(world: World, *intents: Intent) -> None:
    """The worker is gone between claim and push; the messages are still in the queue."""
    world.enqueue(*intents)

    def hook(_number: int, name: str, side: str) -> None:
        if (name, side) == ("line.push", "before"):
            raise WorkerGone

    world.tap.watch(hook)
    for _ in intents:
        message = world.send_queue.waiting[0]
        world.send_queue.waiting = world.send_queue.waiting[1:]
        with pytest.raises(WorkerGone):
            world.send(decoded(message.body))
        world.send_queue.waiting.append(message)
    world.tap.watch(None)


class WorkerGone(BaseException):
    """The worker is gone."""


def decoded(body: str) -> Intent:
    return msgspec.json.decode(body, type=Intent)


def withdraw(world: World, purpose: str = "marketing") -> None:
    world.ingest(world.event("consent_withdrawn", "c1", purpose=purpose))
    world.decide_all()


def quiet_world(at: dt.datetime) -> World:
    world = World(playbook(scenarios={"path": PATH}, quiet_hours=QUIET))
    world.customer_with_line()
    world.advance(to=at)
    return world


SCHEDULES = schedules(8)


CAPS = [
    ONE_PROMOTION_A_WEEK,
    Cap("two_a_day", ["promotion", "notification"], 2, DAY_SECONDS, 3 * DAY_SECONDS),
]


CAPPED = playbook(scenarios={"path": PATH}, caps=CAPS)


OUTCOMES: list[Outcome] = ["ok", "ok", "ok", "timeout", "accept_then_timeout", "rate", "400", "401", "500"]


def assert_caps_hold(world: World) -> None:
    kinds = {name: message.kind for name, message in world.book.messages.items()}
    for cap in world.book.caps:
        window = dt.timedelta(seconds=cap.window_seconds)
        instants = [push.at for push in world.line.pushes if kinds[push.texts[0]] in cap.kinds]
        for at in instants:
            within = [one for one in instants if at <= one < at + window]
            assert len(within) <= cap.limit, f"{len(within)} messages within {cap.id} from {at}"
