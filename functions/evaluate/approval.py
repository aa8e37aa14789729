"""The part of evaluate that stands between freezing and enqueueing: above a size, a second person looks first."""

from collections.abc import Callable
from dataclasses import dataclass

from functions.domain.approvals import Answer, Awaiting, FrozenList, answer_of, over_at
from functions.domain.campaigns import Run
from functions.domain.compiled import Compiled
from functions.domain.instants import Instant
from functions.ports.account import Measures
from functions.ports.campaigns import Runs, Schedules

APPROVAL_AWAITED = "ApprovalAwaited"


@dataclass(frozen=True, slots=True)
class AskApproval:
    """The ports of this part."""

    runs: Runs
    schedules: Schedules
    measures: Measures
    now: Callable[[], Instant]

    def ask(self, run: Run, compiled: Compiled, frozen: FrozenList) -> Answer:
        """Whether the run goes. One that is to wait is looked at again when its messages have expired: this is arranged first, so
        that no crash leaves a run that nobody hears of and that never ends."""
        now = self.now()
        answer = answer_of(run, compiled, frozen, self.runs.approval(run), now)
        if answer == "wait":
            self.schedules.look_again(run.campaign, run.occurrence, over_at(run, compiled))
            self.measures.count(APPROVAL_AWAITED, 1)
            self.runs.await_approval(run, Awaiting(frozen.targeted, frozen.hash, now))
        return answer
