"""An endpoint behind the faults: what strikes before it is called, and what becomes of its answer."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ops.line_sandbox.answers import Answer, RefusedError
from ops.line_sandbox.calls import Call
from ops.line_sandbox.faults import AFTER_KINDS, ANSWERS, FaultRule
from ops.line_sandbox.world import World

CONFLICT = 409
"""The retry key is already accepted."""


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: its name in rates, faults and reports, its one method, and what answers it."""

    endpoint: str
    method: str
    handle: Callable[[World, Call], Answer]


class Endpoints:
    """Calls endpoints of one world; `pause` waits so many seconds where a rule says slow."""

    def __init__(self, world: World, pause: Callable[[float], object]) -> None:
        self._world = world
        self._pause = pause

    def answer(self, route: Route, call: Call) -> Answer:
        """What the endpoint answers, or what a fault rule makes of it."""
        faults = self._world.faults
        drawn = faults.drawn(route.endpoint, call.users_named()) if faults.any_shares else None
        before = drawn if drawn and drawn.kind not in AFTER_KINDS else None
        if before is None and faults.any_before:
            before = faults.before(route.endpoint, call.users_named())
        if before and before.kind in ANSWERS:
            return ANSWERS[before.kind]
        if before:
            self._pause(before.seconds)
            call = replace(call, now=self._world.clock())
        if drawn and drawn.kind in AFTER_KINDS:
            return self._drawn(route, call, drawn)
        answer = route.handle(self._world, call)
        if not (answer.accepted and faults.any_after):
            return answer
        struck = faults.after(route.endpoint, call.users_named())
        return self._struck(answer, struck) if struck else answer

    def _drawn(self, route: Route, call: Call, rule: FaultRule) -> Answer:
        """The answer to what is accepted now, or was before, gets lost; a refusal of the request itself does not."""
        try:
            answer = route.handle(self._world, call)
        except RefusedError as refusal:
            if refusal.answer.status != CONFLICT:
                raise
            answer = refusal.answer
        if not (answer.accepted or answer.status == CONFLICT):
            return answer
        self._world.faults.struck(rule)
        return self._struck(answer, rule)

    def _struck(self, answer: Answer, rule: FaultRule) -> Answer:
        """What the client sees of an accepted request: nothing, an error, or the truth too late."""
        if rule.kind in ANSWERS:
            return ANSWERS[rule.kind]
        self._pause(rule.seconds)
        return answer
