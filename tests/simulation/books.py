"""Random small playbooks."""

import datetime as dt
from collections.abc import Callable
from random import Random

import msgspec

from functions.domain import playbook as pb
from tests.fakes.playbooks import (
    DAY_SECONDS,
    MESSAGES,
    QUIET,
    campaign,
    days,
    evening_of_day,
    from_segment,
    playbook,
    scenario,
    send,
    when,
)
from tests.fakes.world import START

HOUR_SECONDS = 3600
MASS_BOOKS = 0.35
_SEGMENTS = (
    {"lapsed": "orders.count >= 1 and days_since(orders.last_at) > 1", "vips": '"vip" in tags'},
    {"lapsed": "orders.count >= 1 and days_since(orders.last_at) > 2", "vips": "orders.count >= 2"},
)
_CONDITIONS = ("orders.count >= 2", '"vip" in tags', "days_since(orders.last_at) > 1", "carts.count >= 1")
EXPERIMENTS = {"first": pb.Experiment("appeal", {"a": 1, "b": 1})}
MENUS = {"vip": "richmenu-vip"}


class Rules(msgspec.Struct, frozen=True):
    """What stays the same in all playbooks of one world."""

    caps: list[pb.Cap]
    quiet_hours: pb.QuietHours | None
    consent: dict[pb.Kind, list[str]]
    holdout: pb.Holdout | None


def random_rules(random: Random) -> Rules:
    """Caps, quiet hours, consent and holdout."""
    seconds = random.choice((6 * HOUR_SECONDS, DAY_SECONDS, 3 * DAY_SECONDS))
    caps = [pb.Cap("promotions", ["promotion"], random.choice((1, 1, 2)), seconds, _patience(random))]
    if random.random() < 0.5:
        kinds: list[pb.Kind] = ["promotion", "notification"]
        caps.append(pb.Cap("all", kinds, random.choice((1, 2, 3)), DAY_SECONDS, _patience(random)))
    quiet: list[pb.QuietHours | None] = [
        None,
        QUIET,
        pb.QuietHours(dt.time(12, 0), dt.time(15, 0), ["promotion"]),
    ]
    holdouts = [None, None, pb.Holdout(50, ["promotion"]), pb.Holdout(40, ["notification", "promotion"])]
    consent: list[dict[pb.Kind, list[str]]] = [{"promotion": ["marketing"]}, {}]
    return Rules(caps, random.choice(quiet), random.choice(consent), random.choice(holdouts))


def _patience(random: Random) -> int:
    return random.choice((0, DAY_SECONDS, 3 * DAY_SECONDS))


def random_book(random: Random, rules: Rules) -> pb.Playbook:
    """A playbook of one to three scenarios and up to two campaigns, or of campaigns to everybody above all."""
    is_mass = random.random() < MASS_BOOKS
    scenarios = 1 if is_mass else random.randint(1, 3)
    campaigns = random.randint(3, 5) if is_mass else random.randint(0, 2)
    segments = ("everybody",) if is_mass else ("everybody", "buyers", "lapsed")
    return playbook(
        scenarios={f"path{n}": _scenario(random) for n in range(scenarios)},
        campaigns={f"campaign{n}": _campaign(random, segments) for n in range(campaigns)},
        segments=random.choice(_SEGMENTS),
        caps=rules.caps,
        quiet_hours=rules.quiet_hours,
        consent=rules.consent,
        experiments=EXPERIMENTS,
        rich_menus=MENUS,
        holdout=rules.holdout,
    )


def _scenario(random: Random) -> pb.Scenario:
    steps = _steps(random)
    reentry = random.choice((None, 0, HOUR_SECONDS, DAY_SECONDS))
    if random.random() < 0.4:
        segment, on = (
            random.choice(("buyers", "lapsed", "vips")),
            random.choice(("entered", "entered", "left")),
        )
        made = from_segment(segment, *steps, on=on, reentry_seconds=reentry)  # type: ignore[arg-type]
    else:
        event = random.choice(("purchase", "purchase", "cart_left", "line_follow"))
        made = scenario(event, *steps, reentry_seconds=reentry)
    return msgspec.structs.replace(
        made,
        rank=random.choice((10, 20, 30)),
        exit=when("orders.count >= 3") if random.random() < 0.2 else None,
        goal=when("orders.count >= 4") if random.random() < 0.2 else None,
        migrate=random.choice((None, {})),
        holdout_percent=random.choice((0.0, 0.0, 50.0)),
    )


def _campaign(random: Random, segments: tuple[str, ...]) -> pb.Campaign:
    weekly = pb.Weekly(random.randint(0, 6), dt.time(random.randint(8, 22), random.choice((0, 30))))
    regular = random.random() < 0.3
    made = campaign(
        random.choice(list(MESSAGES)),
        segment=random.choice(segments),
        once=None if regular else START + dt.timedelta(hours=random.randint(1, 120)),
        weekly=weekly if regular else None,
        rank=random.choice((10, 50)),
        hold_seconds_max=random.choice((None, 0, DAY_SECONDS)),
        expires_seconds=random.choice((HOUR_SECONDS, DAY_SECONDS, 3 * DAY_SECONDS)),
    )
    return msgspec.structs.replace(made, holdout_percent=random.choice((0.0, 0.0, 50.0)))


def _steps(random: Random) -> list[pb.Step]:
    steps: list[pb.Step] = []
    for _ in range(random.randint(1, 4)):
        random.choice(_BLOCKS)(random, steps)
    _sending(random, steps)
    return steps


def _send(random: Random, number: int) -> pb.Send:
    expires = random.choice((HOUR_SECONDS, DAY_SECONDS, 3 * DAY_SECONDS, 8 * DAY_SECONDS))
    step = send(
        random.choice(list(MESSAGES)), hold_days=random.choice((None, 0, 1, 3)), expires_seconds=expires
    )
    return msgspec.structs.replace(step, name=f"step{number}")


def _sending(random: Random, steps: list[pb.Step]) -> None:
    steps.append(_send(random, len(steps)))


def _waiting(random: Random, steps: list[pb.Step]) -> None:
    waits: list[pb.Step] = [days(random.choice((0.01, 0.1, 0.5, 1, 2))), evening_of_day(random.randint(0, 2))]
    steps.append(random.choice([*waits, pb.WaitUntilLocal(dt.time(random.randint(0, 23)))]))


def _two_ways(random: Random, steps: list[pb.Step], fork: Callable[[int, int], pb.Step]) -> None:
    """A fork whose one way and other way each send something."""
    here = len(steps)
    ways: list[pb.Step] = [_send(random, here + 1), pb.Goto(here + 4), _send(random, here + 3)]
    steps += [fork(here + 1, here + 3), *ways]


def _branching(random: Random, steps: list[pb.Step]) -> None:
    condition = when(random.choice(_CONDITIONS))
    _two_ways(random, steps, lambda one, other: pb.Branch([(condition, one)], other))


def _splitting(random: Random, steps: list[pb.Step]) -> None:
    _two_ways(random, steps, lambda one, other: pb.Split("first", [("a", one), ("b", other)]))


def _waiting_for(random: Random, steps: list[pb.Step]) -> None:
    seconds = random.choice((HOUR_SECONDS, DAY_SECONDS))
    if random.random() < 0.5:
        _two_ways(random, steps, lambda one, other: pb.WaitForEvent("purchase", seconds, one, other))
    else:
        condition = when(random.choice(_CONDITIONS))
        _two_ways(random, steps, lambda one, other: pb.WaitUntil(condition, seconds, one, other))


def _tagging(random: Random, steps: list[pb.Step]) -> None:
    deeds: list[pb.Step] = [pb.SetTag("vip"), pb.SetTag("vip", remove=True), pb.RichMenu("vip")]
    steps.append(random.choice(deeds))


_BLOCKS = (_sending, _sending, _waiting, _waiting, _branching, _splitting, _waiting_for, _tagging)
