"""Why a message was not sent, where its reason alone does not tell: by which condition, on what was known then."""

from collections.abc import Iterator

from functions.domain.compiled import Compiled
from functions.domain.explanations import reasons
from functions.domain.instants import Instant, format_instant
from functions.domain.journeys import Journey
from functions.domain.playbook import Expression
from functions.domain.profiles import Profile
from functions.domain.reasons import reason_parts
from functions.domain.sends import SendRecord
from ops.explain.entries import clause_of, profile_at
from ops.explain.known import Known


def conditions_of(known: Known, record: SendRecord, journey: Journey | None) -> list[str]:
    """What made the message wrong by its time, or excluded its customer by a rule of the playbook in force."""
    refusal, detail = reason_parts(record.reason)
    profile = profile_at(known, record.at)
    if refusal == "excluded":
        return list(_exclusion(known, detail, profile, record.at))
    if refusal not in ("no_longer_eligible", "not_confirmed"):
        return []
    if record.campaign:
        return list(_segment(known, record, profile))
    return list(_end_of_journey(known, record, journey, profile))


def _exclusion(known: Known, name: str, profile: Profile, at: Instant) -> Iterator[str]:
    rule = known.current.playbook.exclusion_rules.get(name)
    if rule is not None:
        yield from _held(f"exclusion {name}", known.current, rule.when, profile, at)


def _segment(known: Known, record: SendRecord, profile: Profile) -> Iterator[str]:
    compiled = known.version(record.playbook)
    name = compiled.playbook.campaigns[record.campaign].segment
    tree = compiled.playbook.segments[name].when
    if compiled.holds(tree, profile, record.at):
        yield f"segment {name}: {_PROVISIONAL}"
        return
    for told in reasons(clause_of(compiled, tree, profile, record.at)):
        yield f"segment {name}: {told}"


def _end_of_journey(
    known: Known, record: SendRecord, journey: Journey | None, profile: Profile
) -> Iterator[str]:
    """The scenario's goal or exit, where it holds; else when its journey ended, as where another scenario took over."""
    compiled = known.version(record.playbook)
    scenario = compiled.playbook.scenarios[record.scenario]
    told = [
        *_held("its goal was reached", compiled, scenario.goal, profile, record.at),
        *_held("its exit was reached", compiled, scenario.exit, profile, record.at),
    ]
    yield from told
    if not told and journey is not None and journey.ended_at is not None:
        yield f"its journey had ended ({journey.status}) at {format_instant(journey.ended_at)}"


_PROVISIONAL = "only by something that was not yet confirmed"


def _held(
    what: str, compiled: Compiled, tree: Expression | None, profile: Profile, at: Instant
) -> Iterator[str]:
    """By what a condition held, if it did."""
    if tree is None:
        return
    if compiled.holds(tree, profile, at):
        for told in reasons(clause_of(compiled, tree, profile, at)):
            yield f"{what}: {told}"
    elif compiled.stops(tree, profile, at):
        yield f"{what}: {_PROVISIONAL}"
