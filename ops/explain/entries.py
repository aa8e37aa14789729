"""Why a person is, or is not, in each scenario."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from functions.domain.bases import start_of
from functions.domain.campaigns import Run
from functions.domain.compiled import Compiled
from functions.domain.events import Event
from functions.domain.explanations import Clause, View, explained, reasons, verbs_of
from functions.domain.instants import Instant, format_instant
from functions.domain.journeys import Journey, fingerprint
from functions.domain.playbook import Expression, Scenario, Send
from functions.domain.profiles import Profile, fold_all
from functions.domain.segments.values import reader
from ops.explain.known import Known

Card = dict[str, Any]


def view_of(compiled: Compiled) -> View:
    """How a playbook sees people."""
    return View(
        compiled.holds,
        lambda tree, profile, now: reader(tree, compiled.context)(profile, now),
        verbs_of(compiled.dictionary),
    )


def clause_of(compiled: Compiled, tree: Expression, profile: Profile, now: Instant) -> Clause:
    """A playbook's condition, explained."""
    return explained(tree, profile, now, view_of(compiled))


def profile_at(known: Known, at: Instant) -> Profile:
    """The profile as it follows from all that had happened by then."""
    dictionary = known.current.dictionary
    events = [event for event in known.events if event.occurred_at <= at]
    return fold_all(events, dictionary, start_of(known.bases, dictionary))


def scenario_cards(known: Known, only: str = "") -> list[Card]:
    """Every scenario of the playbook in force, and every other one that the person went through."""
    names = dict.fromkeys([*known.current.playbook.scenarios, *(j.scenario for j in known.customer.journeys)])
    return [_card(known, name) for name in names if not only or name == only]


def _card(known: Known, name: str) -> Card:
    journeys = [journey for journey in known.customer.journeys if journey.scenario == name]
    scenario = known.current.playbook.scenarios.get(name)
    why = why_not(known, scenario, journeys) if scenario and not any(j.active for j in journeys) else []
    return {
        "scenario": name,
        "entered": bool(journeys),
        "journeys": [journey_card(known, journey) for journey in journeys],
        "why_not": why,
    }


def journey_card(known: Known, journey: Journey) -> Card:
    """Where a journey stands, and what it began with."""
    scenario = known.version(journey.version).playbook.scenarios[journey.scenario]
    ahead = (step.name for step in scenario.steps[journey.at :] if isinstance(step, Send))
    return {
        "journey": journey.journey_id,
        "version": journey.version,
        "status": journey.status,
        "entered_at": format_instant(journey.entered_at),
        "because": because_of(known, journey, scenario),
        "next_step": next(ahead, None) if journey.active else None,
        "due": format_instant(journey.due) if journey.due else None,
        "awaits": journey.awaits or None,
        "ended_at": format_instant(journey.ended_at) if journey.ended_at else None,
    }


def because_of(known: Known, journey: Journey, scenario: Scenario) -> str:
    """What started a journey, and when."""
    at = format_instant(journey.entered_at)
    if scenario.entry.segment:
        return f"{scenario.entry.on} segment {scenario.entry.segment} at {at}"
    event = next((one for one in known.events if fingerprint(one.identity) == journey.trigger), None)
    name = event.name if event else scenario.entry.event
    return f"{name} at {at}" + ("" if event else ", which is in the history no more")


def why_not(known: Known, scenario: Scenario, journeys: Sequence[Journey]) -> list[str]:
    """Why no journey through this scenario goes on: the rules of entry, one by one, on the newest thing that could have
    started it."""
    if not scenario.on:
        return ["the scenario is switched off"]
    entry = scenario.entry
    if entry.segment:
        return [*_segment_reasons(known, scenario), *_reentry(scenario, journeys)]
    triggers = [event for event in known.events if event.name == entry.event]
    confirmed = [event for event in triggers if event.status == "confirmed"]
    if not confirmed:
        return [f"{entry.event} {'is only provisional' if triggers else 'never happened'}"]
    newest = confirmed[-1]
    if any(journey.trigger == fingerprint(newest.identity) for journey in journeys):
        return [f"no {entry.event} since the last journey began, at {format_instant(newest.occurred_at)}"]
    found = list(_event_reasons(known, scenario, newest, journeys))
    told = f"{entry.event} at {format_instant(newest.occurred_at)}: "
    return [told + reason for reason in found or [_NO_RULE]]


_NO_RULE = "no rule kept it out; it came before this playbook was in force, or too late"


def _event_reasons(
    known: Known, scenario: Scenario, event: Event, journeys: Sequence[Journey]
) -> Iterator[str]:
    """The rules that kept the event from starting a journey, on what was known when it happened."""
    if event.imported:
        yield "it came as history, which starts nothing"
    yield from _reentry(scenario, journeys, event.occurred_at)
    yield from _concurrency(known, scenario, event.occurred_at)
    profile = profile_at(known, event.occurred_at)
    yield from _conditions(known, scenario, profile, event.occurred_at)


def _conditions(known: Known, scenario: Scenario, profile: Profile, at: Instant) -> Iterator[str]:
    current = known.current
    if scenario.entry.when is not None and not current.holds(scenario.entry.when, profile, at):
        yield from reasons(clause_of(current, scenario.entry.when, profile, at))
    for word, tree in (("goal", scenario.goal), ("exit", scenario.exit)):
        if tree is not None and current.holds(tree, profile, at):
            told = "; ".join(reasons(clause_of(current, tree, profile, at)))
            yield f"its {word} was reached already: {told}"


def _reentry(scenario: Scenario, journeys: Sequence[Journey], at: Instant | None = None) -> Iterator[str]:
    if not journeys:
        return
    last = max(journey.entered_at for journey in journeys)
    if scenario.reentry_seconds is None:
        yield f"entered once already, at {format_instant(last)}, and it takes nobody twice"
        return
    opens = last + dt.timedelta(seconds=scenario.reentry_seconds)
    if at is None or at < opens:
        yield f"entered at {format_instant(last)}; again from {format_instant(opens)} on"


def _concurrency(known: Known, scenario: Scenario, at: Instant) -> Iterator[str]:
    for journey in known.customer.journeys:
        running = journey.entered_at <= at and (journey.ended_at is None or journey.ended_at > at)
        if journey.scenario in scenario.not_with and running:
            yield f"not while {journey.scenario} goes on (since {format_instant(journey.entered_at)})"


def _segment_reasons(known: Known, scenario: Scenario) -> list[str]:
    """Why the segment was not entered (or left): it holds since before, or it does not hold."""
    entry, current, profile = scenario.entry, known.current, known.customer.profile
    tree = current.playbook.segments[entry.segment].when
    inside = current.holds(tree, profile, known.now)
    if entry.on == "left":
        return [
            f"in segment {entry.segment} still" if inside else f"outside segment {entry.segment} since before"
        ]
    if not inside:
        told = reasons(clause_of(current, tree, profile, known.now))
        return [f"segment {entry.segment}: {reason}" for reason in told]
    since = f"in segment {entry.segment} since before"
    return [since, *_conditions(known, scenario, profile, known.now)]


def campaign_cards(known: Known) -> list[Card]:
    """Every run: whether its frozen list has the person, and why not."""
    return [
        {
            "run": frozen.run.source,
            "targeted": known.targeted_by(frozen),
            "why_not": [] if known.targeted_by(frozen) else list(_not_in(known, frozen.run)),
        }
        for frozen in known.runs
    ]


def _not_in(known: Known, run: Run) -> Iterator[str]:
    """Why a person was not in the list when it was frozen."""
    compiled = known.version(run.playbook)
    segment = compiled.playbook.campaigns[run.campaign].segment
    link = known.customer.link
    if link is None or not link.value:
        yield "no LINE user to send to"
    elif link.at > run.made_at:
        yield f"tied to a LINE user only since {format_instant(link.at)}"
    tree, profile = compiled.playbook.segments[segment].when, profile_at(known, run.made_at)
    if not compiled.remains(tree, profile, run.made_at):
        for told in reasons(clause_of(compiled, tree, profile, run.made_at)):
            yield f"segment {segment}: {told}"
