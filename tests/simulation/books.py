"""Random small playbooks, and the rules, dictionaries and messages that they draw from."""

import datetime as dt
from collections.abc import Callable, Iterator
from random import Random

import msgspec

from functions.domain import playbook as pb
from functions.domain.compiled import Compiled
from tests.fakes.playbooks import DAY_SECONDS, campaign, days, evening_of_day, from_segment, scenario, send
from tests.fakes.world import START
from tests.simulation.rules import HOUR_SECONDS, MESSAGES, Rules, bound, when

MASS_BOOKS = 0.35
"""So many playbooks are of campaigns to everybody above all, which go to many people at once."""


def random_book(random: Random, rules: Rules) -> pb.Playbook:
    """A playbook of one to three scenarios and up to two campaigns, or of campaigns to everybody above all."""
    is_mass = random.random() < MASS_BOOKS
    scenarios = 1 if is_mass else random.randint(1, 3)
    campaigns = random.randint(3, 5) if is_mass else random.randint(0, 2)
    segments = ("everybody",) if is_mass else ("everybody", "buyers", "lapsed", "rainy")
    return bound(
        rules,
        scenarios={f"path{n}": _scenario(random, rules) for n in range(scenarios)},
        campaigns={f"campaign{n}": _campaign(random, rules, segments) for n in range(campaigns)},
    )


def drawn_in(book: pb.Playbook, next_book: pb.Playbook) -> Iterator[str]:
    """What these two playbooks of one world bring with them, beside what all have."""
    caps = [*book.caps, *next_book.caps]
    wanted = {
        "calendar_cap": any(cap.calendar for cap in caps),
        "category_cap": any(cap.categories for cap in caps),
        "needs_fresh": any(one.needs for one in _sources_of(book)),
        "exclusion_rule": bool(book.exclusion_rules),
        "consent_of_two_kinds": len(book.consent) > 1,
        "month_limited": any(one.price.messages_max or one.price.yen_max for one in (book, next_book)),
        "run_limited": any(one.yen_max for one in book.campaigns.values()),
        "breaker_watches": book.breaker is not None,
        "reads_context": any(one.slots for one in _messages_of(book)) or "rainy" in _segments_of(book),
    }
    yield from (name for name, is_drawn in wanted.items() if is_drawn)


def changed_between(book: pb.Playbook, next_book: pb.Playbook) -> Iterator[str]:
    """What is another in the next playbook of one world."""
    wanted = {
        "dictionary_changed": Compiled(book).dictionary_hash != Compiled(next_book).dictionary_hash,
        "experiment_changed": book.experiments != next_book.experiments,
        "holdout_changed": book.holdout != next_book.holdout,
        "caps_changed": book.caps != next_book.caps,
        "consent_changed": book.consent != next_book.consent,
        "quiet_hours_changed": book.quiet_hours != next_book.quiet_hours,
    }
    yield from (name for name, is_changed in wanted.items() if is_changed)


def _sources_of(book: pb.Playbook) -> list[pb.Scenario | pb.Campaign]:
    return [*book.scenarios.values(), *book.campaigns.values()]


def _messages_of(book: pb.Playbook) -> list[pb.Message]:
    steps = [step for one in book.scenarios.values() for step in one.steps if isinstance(step, pb.Send)]
    names = [*(step.message for step in steps), *(one.message for one in book.campaigns.values())]
    return [book.messages[name] for name in names]


def _segments_of(book: pb.Playbook) -> set[str]:
    return {one.segment for one in book.campaigns.values()}


def _needs(random: Random, rules: Rules) -> list[str]:
    return sorted(rules.sources) if random.random() < 0.5 else []


def _scenario(random: Random, rules: Rules) -> pb.Scenario:
    steps = _steps(random, rules)
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
    if random.random() < 0.1:
        made = msgspec.structs.replace(
            made, entry=msgspec.structs.replace(made.entry, when=when(random.choice(rules.conditions)))
        )
    return msgspec.structs.replace(
        made,
        rank=random.choice((10, 20, 30)),
        exit=when("orders.count >= 3") if random.random() < 0.2 else None,
        goal=when("orders.count >= 4") if random.random() < 0.2 else None,
        migrate=random.choice((None, {})),
        holdout_percent=random.choice((0.0, 0.0, 50.0)),
        needs=_needs(random, rules),
        not_with=["path0"] if random.random() < 0.1 else [],
        replaces=["path1"] if random.random() < 0.1 else [],
        on=random.random() > 0.03,
    )


def _campaign(random: Random, rules: Rules, segments: tuple[str, ...]) -> pb.Campaign:
    weekly = pb.Weekly(random.randint(0, 6), dt.time(random.randint(8, 22), random.choice((0, 30))))
    regular = random.random() < 0.4
    made = campaign(
        random.choice(list(MESSAGES)),
        segment=random.choice(segments),
        once=None if regular else START + dt.timedelta(hours=random.randint(1, 120)),
        weekly=weekly if regular else None,
        rank=random.choice((10, 50)),
        hold_seconds_max=random.choice((None, 0, DAY_SECONDS)),
        expires_seconds=random.choice((HOUR_SECONDS, DAY_SECONDS, 3 * DAY_SECONDS)),
    )
    return msgspec.structs.replace(
        made,
        holdout_percent=random.choice((0.0, 0.0, 50.0)),
        needs=_needs(random, rules),
        yen_max=random.choice((None, 1, 2)) if rules.price.yen_each else None,
    )


def _steps(random: Random, rules: Rules) -> list[pb.Step]:
    steps: list[pb.Step] = []
    for _ in range(random.randint(1, 4)):
        random.choice(_BLOCKS)(random, rules, steps)
    _sending(random, rules, steps)
    return steps


def _send(random: Random, number: int) -> pb.Send:
    expires = random.choice((HOUR_SECONDS, DAY_SECONDS, 3 * DAY_SECONDS, 8 * DAY_SECONDS))
    step = send(
        random.choice(list(MESSAGES)), hold_days=random.choice((None, 0, 1, 3)), expires_seconds=expires
    )
    return msgspec.structs.replace(step, name=f"step{number}")


def _sending(random: Random, _rules: Rules, steps: list[pb.Step]) -> None:
    steps.append(_send(random, len(steps)))


def _waiting(random: Random, _rules: Rules, steps: list[pb.Step]) -> None:
    waits: list[pb.Step] = [days(random.choice((0.01, 0.1, 0.5, 1, 2))), evening_of_day(random.randint(0, 2))]
    steps.append(random.choice([*waits, pb.WaitUntilLocal(dt.time(random.randint(0, 23)))]))


def _two_ways(random: Random, steps: list[pb.Step], fork: Callable[[int, int], pb.Step]) -> None:
    """A fork whose one way and other way each send something."""
    here = len(steps)
    ways: list[pb.Step] = [_send(random, here + 1), pb.Goto(here + 4), _send(random, here + 3)]
    steps += [fork(here + 1, here + 3), *ways]


def _branching(random: Random, rules: Rules, steps: list[pb.Step]) -> None:
    condition = when(random.choice(rules.conditions))
    _two_ways(random, steps, lambda one, other: pb.Branch([(condition, one)], other))


def _splitting(random: Random, _rules: Rules, steps: list[pb.Step]) -> None:
    _two_ways(random, steps, lambda one, other: pb.Split("first", [("a", one), ("b", other)]))


def _waiting_for(random: Random, rules: Rules, steps: list[pb.Step]) -> None:
    seconds = random.choice((HOUR_SECONDS, DAY_SECONDS))
    if random.random() < 0.5:
        _two_ways(random, steps, lambda one, other: pb.WaitForEvent("purchase", seconds, one, other))
    else:
        condition = when(random.choice(rules.conditions))
        _two_ways(random, steps, lambda one, other: pb.WaitUntil(condition, seconds, one, other))


def _tagging(random: Random, _rules: Rules, steps: list[pb.Step]) -> None:
    deeds: list[pb.Step] = [pb.SetTag("vip"), pb.SetTag("vip", remove=True), pb.RichMenu("vip")]
    steps.append(random.choice([*deeds, pb.SetAttribute("stage", "known")]))


_BLOCKS = (_sending, _sending, _waiting, _waiting, _branching, _splitting, _splitting, _waiting_for, _tagging)
