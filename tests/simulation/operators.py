"""What operators do meanwhile: stop and resume, and say yes or no to campaign runs that wait for a second person."""

import datetime as dt
from random import Random

from functions.domain.account import STOPS, UNTIL_LIFTED, Block
from functions.domain.approvals import Approval, Decision
from functions.domain.breaker import WINDOW_MAX, days_until
from functions.domain.campaigns import Run, run_expires_at
from functions.domain.playbook import Kind
from functions.ports.messages import CampaignRun
from tests.fakes.queues import FakeContinuation, FakeSendQueue
from tests.simulation.world import SimulatedWorld

STOPPING_WORLDS = 0.2
STOPS_A_DEED = 0.15
RESUMES_A_DEED = 0.25
APPROVALS_A_DEED = 0.4
HOURS = (1, 6, 30)
_KINDS: tuple[list[Kind], ...] = ([], [], ["promotion"], ["notification", "promotion"])


class Operators:
    """Whoever runs the account of one world, as they come by between the deeds of its customers."""

    def __init__(self, world: SimulatedWorld) -> None:
        self.world = world
        self.random: Random = world.random
        self._stop_at_times = self.random.random() < STOPPING_WORLDS

    def come_by(self) -> None:
        """Perhaps they do something."""
        if self._stop_at_times and self.random.random() < STOPS_A_DEED:
            self._stop()
        blocks = [one for one in self.world.account_state.read().blocks if one.reason in STOPS and one.by]
        if blocks and self.random.random() < RESUMES_A_DEED:
            self._resume(self.random.choice(blocks))
        runs = [run for run in self.world.runs.awaited if self._may_be_decided(run)]
        if runs and self.random.random() < APPROVALS_A_DEED:
            self._decide(self.random.choice(runs))

    def resume_all(self) -> None:
        """Nothing stays stopped by hand, or by the breaker."""
        for block in self.world.account_state.read().blocks:
            if block.reason in STOPS and block.until == UNTIL_LIFTED:
                self._resume(block)

    def _stop(self) -> None:
        world, book = self.world, self.world.book
        scopes = ["account", *(f"scenario:{name}" for name in book.scenarios)]
        scopes += [f"campaign:{name}" for name in book.campaigns]
        scopes += [f"segment:{one.segment}" for one in book.campaigns.values()]
        hours = self.random.choice((None, *HOURS))
        until = UNTIL_LIFTED if hours is None else world.now + dt.timedelta(hours=hours)
        kinds = self.random.choice(_KINDS)
        block = Block("stopped", until, self.random.choice(scopes), kinds, "ann", "wrong prices", world.now)
        world.faults.draws["stopped"] += 1
        world.tell(f"STOP of {block.scope} {block.kinds} until {until}")
        world.account_state.block(block)

    def _resume(self, block: Block) -> None:
        """As `musubi resume` does: what waited is enqueued at once, some of it, and the rest comes up by itself."""
        world = self.world
        world.faults.draws["resumed"] += 1
        world.tell(f"RESUME of {block.scope} ({block.reason})")
        if block.reason == "breaker_open":
            world.reactions.forgive(block.scope, days_until(world.now, WINDOW_MAX), world.now)
        world.account_state.lift(block)
        waiting = [one for _, one in world.timers.held if one.holds and one.holds[-1].reason == block.reason]
        FakeSendQueue(world.send_queue).put([one for one in waiting if self.random.random() < 0.5])

    def _may_be_decided(self, run: Run) -> bool:
        """Nobody has said a word yet, and it is not over."""
        compiled = self.world.playbooks.version(run.playbook)
        return self.world.runs.approval(run) is None and self.world.now < run_expires_at(run, compiled)

    def _decide(self, run: Run) -> None:
        """A word on what waits, or by mistake on something else."""
        world = self.world
        awaiting = world.runs.awaiting(run)
        if awaiting is None:
            return
        decision: Decision = self.random.choice(("approved", "approved", "rejected"))
        seen = awaiting.hash if self.random.random() < 0.8 else "b" * 64
        world.faults.draws["run_approved" if decision == "approved" else "run_rejected"] += 1
        world.tell(f"{decision.upper()} {run.source} ({seen[:8]})")
        world.runs.decide(run, Approval(decision, seen, "hana", world.now))
        FakeContinuation(world.evaluate_queue).again(CampaignRun(run.campaign, run.occurrence))
