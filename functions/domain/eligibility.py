"""Whether what caused an intent still holds when its time has come."""

import msgspec

from functions.domain.compiled import Compiled
from functions.domain.instants import Instant
from functions.domain.profiles import Profile
from functions.domain.sends import Intent


class Eligibility(msgspec.Struct, frozen=True):
    """`eligible`: on what is confirmed; `confirmed`: also if all that is provisional is confirmed."""

    eligible: bool
    confirmed: bool


def eligibility(intent: Intent, profile: Profile, compiled: Compiled, now: Instant) -> Eligibility:
    """Whether the journey would not have ended, or the campaign's segment not been left. `compiled` is the intent's own.

    A goal is reached by what is confirmed alone; an exit, or leaving the segment, may be foreseen.
    """
    scenario = compiled.playbook.scenarios.get(intent.scenario)
    if scenario is not None:
        over = [one for one in (scenario.goal, scenario.exit) if one is not None]
        return Eligibility(
            eligible=not any(compiled.holds(one, profile, now) for one in over),
            confirmed=not compiled.stops(scenario.exit, profile, now),
        )
    segment = compiled.playbook.segments[compiled.playbook.campaigns[intent.campaign].segment]
    return Eligibility(
        eligible=compiled.holds(segment.when, profile, now),
        confirmed=compiled.remains(segment.when, profile, now),
    )
