"""The shortest stories there are, one send of each kind, for a crash at every point and at pairs of points."""

import datetime as dt
import itertools
import random
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import msgspec

from functions.domain import playbook as pb
from functions.domain.playbook import Kind, Playbook
from tests.fakes.crashes import crash_everywhere
from tests.fakes.line import Outcome
from tests.fakes.playbooks import DAY_SECONDS, MESSAGES, QUIET, campaign, playbook, scenario, send
from tests.fakes.taps import Crash, When
from tests.fakes.world import START, World, jst
from tests.simulation.faults import Faults
from tests.simulation.invariants import violations_at_the_end
from tests.simulation.world import SimulatedWorld

__all__ = ["STORIES", "Story", "crash_at_pairs", "crash_everywhere"]

MESSAGE_OF: dict[Kind, str] = {"support": "thanks", "notification": "tips", "promotion": "offer"}
OUTCOMES: tuple[Outcome, ...] = ("ok", "accept_then_timeout", "timeout", "rate", "401")
SOURCES = ("journey", "campaign")
CAMPAIGN_AT = START + dt.timedelta(minutes=10)
NIGHT = jst(11, 2, 22)
MORNING = jst(11, 3, 7)
MENU = "richmenu-vip"


class Story(NamedTuple):
    """A world, what happens in it, and what must have come of it."""

    begin: Callable[[], World]
    act: Callable[[World], None]
    check: Callable[[World], None]


def crash_at_pairs(story: Story, pairs: int) -> int:
    """Crash twice, at so many pairs of points drawn from a seed, and check each end; how many pairs."""
    random_ = random.Random(0)
    undisturbed = story.begin()
    undisturbed.tap.watch(lambda _number, _name, _when: None)
    story.act(undisturbed)
    points = undisturbed.tap.points
    for _ in range(pairs):
        first = random_.randrange(points)
        second = first + random_.randint(1, points)
        world = story.begin()
        world.tap.watch(partial(_crash_at, (first, second)))
        story.act(world)
        world.tap.watch(None)
        try:
            story.check(world)
        except AssertionError as error:
            raise AssertionError(f"crashes at the points {first} and {second}: {error}") from error
    return pairs


def _crash_at(points: tuple[int, ...], number: int, name: str, when: When) -> None:
    if number in points:
        raise Crash(f"{when} {name}")


def _begun(book: Playbook) -> SimulatedWorld:
    """A linked friend, before anything happens. Nothing is random but the retry keys' answers that a story asks for."""
    random_ = random.Random(0)
    world = SimulatedWorld(book, random_, Faults(random_, calm=True))
    world.calm_at = START
    world.customer_with_line()
    return world


def _simulated(world: World) -> SimulatedWorld:
    assert isinstance(world, SimulatedWorld)
    return world


# --- a message, and LINE's first answer


def _book(kind: Kind, source: str) -> Playbook:
    message = MESSAGE_OF[kind]
    assert MESSAGES[message].kind == kind
    if source == "journey":
        return playbook(scenarios={"path": scenario("purchase", send(message))})
    return playbook(campaigns={"mail": campaign(message, segment="buyers", once=CAMPAIGN_AT)})


def _bought(world: World, outcome: Outcome = "ok", at: dt.datetime = START) -> None:
    """The customer buys, the message goes out, LINE answers its first call so; and a day passes."""
    world.advance(to=at)
    world.line.script.append(outcome)
    world.ingest(world.purchase("c1"))
    world.advance(days=1)


def _sent_once(world: World, at: dt.datetime | None = None) -> None:
    """One copy, one record, and nothing left over; where told, not before its time."""
    message = next(iter(_simulated(world).witness.intents.values())).message
    assert world.line.copies("U1") == [message]
    assert world.ends() == [(message, "sent", "")]
    if at is not None:
        assert world.line.pushes[0].at >= at
    _nothing_wrong(world)


def _nothing_wrong(world: World) -> None:
    assert list(violations_at_the_end(_simulated(world))) == []
    assert world.dead() == []


# --- a message that waits


def _quiet_book(kind: Kind, source: str) -> Playbook:
    book = _book(kind, source)
    if source == "campaign":
        late = msgspec.structs.replace(book.campaigns["mail"], once=NIGHT + dt.timedelta(minutes=10))
        book = playbook(campaigns={"mail": late}, quiet_hours=QUIET)
    else:
        book = playbook(scenarios=book.scenarios, quiet_hours=QUIET)
    return book


def _capped_book() -> Playbook:
    cap = pb.Cap("daily", ["promotion"], 1, 6 * 3600, hold_seconds_max=DAY_SECONDS)
    return playbook(scenarios={"path": scenario("purchase", send("offer"), send("coupon"))}, caps=[cap])


def _both_sent(world: World) -> None:
    assert sorted(world.line.copies("U1")) == ["coupon", "offer"]
    assert world.ends() == [("coupon", "sent", ""), ("offer", "sent", "")]
    _nothing_wrong(world)


def _stale_book() -> Playbook:
    book = playbook(
        scenarios={"path": msgspec.structs.replace(scenario("purchase", send("offer")), needs=["shop"])}
    )
    return msgspec.structs.replace(book, sources={"shop": pb.Source(7200)})


def _heard_of_later(world: World) -> None:
    """The shop, which the message needs, says something half an hour after the order came."""
    world.ingest(world.purchase("c1"))
    world.advance(minutes=31)
    world.ingest({**world.event("cart_left", "c1"), "source": "shop"})
    world.advance(days=1)


# --- a rich menu, and a link


def _menu_book() -> Playbook:
    return playbook(scenarios={"path": scenario("purchase", pb.RichMenu("vip"))}, rich_menus={"vip": MENU})


def _menu_shown(world: World) -> None:
    assert world.line.menus == {"U1": MENU}
    _nothing_wrong(world)


def _linked_midway(world: World) -> None:
    """A friend is linked while the greeting is on its way, and then the customer buys."""
    world.befriend("U2")
    world.webhook(world.line_event("follow", "U2"))
    world.ingest(world.linked("c2", "U2"))
    world.advance(minutes=30)
    world.ingest(world.purchase("c2"))
    world.advance(days=1)


def _greeted_once(world: World) -> None:
    assert sorted(world.line.copies("U2")) == ["tips", "welcome"]
    _nothing_wrong(world)


def _linking_book() -> Playbook:
    greeting, path = scenario("line_follow", send("welcome")), scenario("purchase", send("tips"))
    return playbook(scenarios={"greeting": greeting, "path": path})


def _stories() -> Mapping[str, Story]:
    stories: dict[str, Story] = {}
    for (kind, message), source, outcome in itertools.product(MESSAGE_OF.items(), SOURCES, OUTCOMES):
        assert message
        begin = partial(_begun, _book(kind, source))
        stories[f"{kind} by {source}, {outcome}"] = Story(
            begin, partial(_bought, outcome=outcome), _sent_once
        )
    kinds: tuple[Kind, ...] = ("notification", "promotion")
    for kind, source in itertools.product(kinds, SOURCES):
        stories[f"{kind} by {source}, held over night"] = Story(
            partial(_begun, _quiet_book(kind, source)),
            partial(_bought, at=NIGHT),
            partial(_sent_once, at=MORNING),
        )
    stories["promotions, held by a cap"] = Story(partial(_begun, _capped_book()), _bought, _both_sent)
    stories["promotion, held for its source"] = Story(
        partial(_begun, _stale_book()), _heard_of_later, _sent_once
    )
    for outcome in OUTCOMES:
        stories[f"rich menu, {outcome}"] = Story(
            partial(_begun, _menu_book()), partial(_bought, outcome=outcome), _menu_shown
        )
    stories["a link in between"] = Story(partial(_begun, _linking_book()), _linked_midway, _greeted_once)
    return stories


STORIES = _stories()
