"""Moves: how far a customer's journeys go at an instant, and what they set, show and send on their way."""

from collections.abc import Iterable, Sequence

import msgspec

from functions.domain import playbook as pb
from functions.domain.compiled import Compiled, Versions
from functions.domain.customers import Customer
from functions.domain.experiments import variant_of
from functions.domain.instants import Instant
from functions.domain.intents import intending, intent_of_step
from functions.domain.journeys import Journey, asked_anew, ended, kept
from functions.domain.menus import wishing
from functions.domain.profiles import JOURNEY, Profile, Register, attribute_written, later
from functions.domain.walk import Answers, Deed, Emission, Exposure, Setting, Showing, Tagging, advance


def finish(scenario: pb.Scenario, compiled: Compiled, profile: Profile, now: Instant) -> str:
    """`goal` or `exited` where the scenario's own conditions end a journey now; empty where it goes on."""
    if scenario.goal is not None and compiled.holds(scenario.goal, profile, now):
        return "goal"
    return "exited" if compiled.stops(scenario.exit, profile, now) else ""


def with_journeys_moved(
    customer: Customer, versions: Versions, account: str, now: Instant, until: Instant
) -> Customer:
    """The customer with every journey as far as it can go by `until`, and all that the journeys did on their way.

    Round by round, for what one journey sets may be what another one waits for.

    Each round but the last takes a step that sets something, so that there are no more of them than steps.
    """
    rounds = 1 + sum(
        len(versions[journey.version].playbook.scenarios[journey.scenario].steps)
        for journey in customer.journeys
        if journey.active
    )
    for _ in range(rounds):
        profile = customer.profile
        for number, journey in enumerate(customer.journeys):
            if journey.active:
                customer = _move(customer, number, versions[journey.version], account, now, until)
        if customer.profile is profile:
            return msgspec.structs.replace(customer, journeys=kept(customer.journeys, now))
    raise AssertionError("journeys set things without end")


def _move(
    customer: Customer,
    number: int,
    compiled: Compiled,
    account: str,
    now: Instant,
    until: Instant,
) -> Customer:
    """The customer with one of its journeys moved on, and all that this one did on its way."""
    journey, profile = customer.journeys[number], customer.profile
    scenario = compiled.playbook.scenarios[journey.scenario]
    finished = finish(scenario, compiled, profile, now)
    if finished:
        over = ended(journey, "goal" if finished == "goal" else "exited", now)
        return _with_journey(customer, number, over)
    deeds: list[Deed] = []
    answers = _answers(customer, journey, deeds, compiled, now)
    moved = advance(journey, scenario, answers, profile.zone, now, until=until, done=deeds)
    intents = [
        intent_of_step(customer, journey, deed, compiled, account, now)
        for deed in deeds
        if isinstance(deed, Emission)
    ]
    return intending(_with_journey(_done(customer, journey, deeds), number, moved.journey), intents)


def _done(customer: Customer, journey: Journey, deeds: Sequence[Deed]) -> Customer:
    """The customer after what a journey did, but for what it sends."""
    for deed in deeds:
        if isinstance(deed, Showing):
            customer = wishing(customer, deed, journey.journey_id)
    changed_at = max((deed.due for deed in deeds if isinstance(deed, Tagging | Setting)), default=None)
    journeys = customer.journeys
    if changed_at is not None:
        journeys = [asked_anew(other, changed_at) for other in journeys]
    return msgspec.structs.replace(
        customer,
        journeys=journeys,
        profile=_with_deeds(customer.profile, journey, deeds),
        assignments=_with_exposures(customer.assignments, deeds),
    )


def _with_journey(customer: Customer, number: int, journey: Journey) -> Customer:
    journeys = [*customer.journeys[:number], journey, *customer.journeys[number + 1 :]]
    return msgspec.structs.replace(customer, journeys=journeys)


def _answers(
    customer: Customer, journey: Journey, deeds: Sequence[Deed], compiled: Compiled, now: Instant
) -> Answers:
    """What the customer says to the journey's questions, with all that the journey did in this very move."""

    def profile() -> Profile:
        return _with_deeds(customer.profile, journey, deeds)

    def holds_from(tree: pb.Expression, start: Instant) -> Instant | None:
        known = profile()
        return start if compiled.holds(tree, known, start) else compiled.next_change(tree, known, start)

    def variant(split: pb.Split) -> str:
        experiment = compiled.playbook.experiments[split.experiment]
        return variant_of(split, experiment, customer.assignments, customer.unit)

    return Answers(lambda tree: compiled.holds(tree, profile(), now), holds_from, variant)


def _with_deeds(profile: Profile, journey: Journey, deeds: Iterable[Deed]) -> Profile:
    """The profile with the tags and attributes that a journey set and took away; a later step of it wins."""
    tags, attributes = profile.tags, profile.attributes
    for deed in deeds:
        if not isinstance(deed, Tagging | Setting):
            continue
        value = not deed.remove if isinstance(deed, Tagging) else deed.value
        register = Register(value, deed.due, f"{JOURNEY}{journey.journey_id}:{deed.number:04}")
        if isinstance(deed, Tagging):
            tags = {**tags, deed.tag: later(tags.get(deed.tag), register)}
        else:
            known = attributes.get(deed.name)
            attributes = {**attributes, deed.name: attribute_written(deed.name, known, register)}
    if tags is profile.tags and attributes is profile.attributes:
        return profile
    return msgspec.structs.replace(profile, tags=tags, attributes=attributes)


def _with_exposures(assignments: dict[str, str], deeds: Iterable[Deed]) -> dict[str, str]:
    """At the first exposure the variant is written down: changed weights and a later linking move nobody."""
    exposures = {deed.experiment: deed.variant for deed in deeds if isinstance(deed, Exposure)}
    return {**assignments, **exposures}
