"""A stack of an earlier commit that is updated, rolled back and updated again while it works."""

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from functions.domain.accounts import Accounts
from ops.accounts import accounts
from ops.engine.deploy import deploy
from ops.engine.synth import local_assembly
from ops.local.place import Place
from ops.local.up import Say, Wishes, bring_up, local_parameters, unsaid
from ops.soak.storm import (
    CAMPAIGN_AT,
    apply_playbook,
    buy,
    link,
    put_back,
    stage_of,
    user_of,
    wishes_of,
)
from ops.target import STACK_NAME, Target

PRESENT = "this checkout"

MESSAGES_EACH = 4
"""A thank-you and word of the shipment after a purchase, and one of each campaign."""
FUNCTIONS = ("Ingest", "Decide", "Send", "Tick", "Evaluate")
"""Those that a message passes through."""


class Move(msgspec.Struct, frozen=True):
    """One deployment: `to` which code, how many messages were in a queue or a worker when it began, its seconds, and
    the functions whose live version is another one since."""

    to: str
    in_flight: int
    seconds: float
    replaced: tuple[str, ...]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `people` buy once each; `lost` names those whose messages are not what they must be.

    `put_back`: dead letters, put back as an operator does. Each move kills workers at what they are doing, and a machine that
    is slow to start others may do so to one message five times: nothing is lost by it.
    """

    earlier: str
    people: int
    moves: list[Move]
    accounts: Accounts
    delivered: int
    copies: int
    put_back: int
    lost: list[str]

    @property
    def amiss(self) -> list[str]:
        """What is not as it must be: one line each."""
        wanted = self.people * MESSAGES_EACH
        return [
            *([f"messages delivered: {self.delivered}, wanted {wanted}"] if self.delivered != wanted else []),
            *([f"second copies: {self.copies}"] if self.copies else []),
            *([] if self.accounts.is_closed else ["the accounts do not close"]),
            *(f"{person} did not get what they should" for person in self.lost[:5]),
            *(f"nothing was under way at the move to {one.to}" for one in self.moves if not one.in_flight),
            *(
                f"the move to {one.to} left {name} as it was"
                for one in self.moves
                for name in FUNCTIONS
                if name not in one.replaced
            ),
        ]


class _Deployment:
    """The run at a place, which is moved between the assemblies of two commits."""

    def __init__(self, wishes: Wishes, target: Target, assemblies: Mapping[str, Path]) -> None:
        self._wishes = wishes
        self._assemblies = assemblies
        self.stage = stage_of(wishes.place, target)
        self.put_back = 0

    def move(self, to: str) -> Move:
        """Deploy at once, whatever is under way; from then on everything speaks to what stands there."""
        counts, before = self.stage.queues.counts(), self._live()
        began = time.monotonic()
        record = self.stage.record
        given = local_parameters(self._wishes, record["line_url"], record["engine_url"])
        clients = self.stage.stores.target.clients
        deployed = deploy(clients, self._assemblies[to], given, STACK_NAME)
        took = round(time.monotonic() - began, 1)
        self.stage = stage_of(self._wishes.place, Target(deployed.outputs, deployed.parameters, clients))
        after = self._live()
        return Move(
            to, sum(counts.values()), took, tuple(name for name in FUNCTIONS if before[name] != after[name])
        )

    def settle(self) -> None:
        """Until everything that was under way has been done; time stands still."""
        self.stage.clock.settle()
        while any(self.stage.queues.dead().values()):
            self.put_back += put_back(self.stage.stores)
            self.stage.clock.settle()

    def pass_time(self, span: dt.timedelta) -> None:
        """Let so much virtual time pass."""
        self.stage.clock.advance_to(self.stage.clock.now + span)
        self.settle()

    def _live(self) -> dict[str, str]:
        """The digest of the code that each function's callers meet."""
        target = self.stage.stores.target
        return {name: _digest(target, target.output(f"Function{name}")) for name in FUNCTIONS}


def _digest(target: Target, function: str) -> str:
    told = target.client("lambda").get_function_configuration(FunctionName=function)
    return str(told["CodeSha256"])


def run(place: Place, people: int, earlier: Path, revision: str, say: Say = unsaid) -> Outcome:
    """Bring the earlier stack up, and move it with messages under way: on, back, and on again. The caller takes it down."""
    wishes = replace(wishes_of(place), assembly=earlier)
    target = bring_up(wishes, after_deploy=apply_playbook, say=say)
    deployment = _Deployment(wishes, target, {PRESENT: local_assembly(), revision: earlier})
    everybody = [f"person-{number}" for number in range(people)]
    link(deployment.stage, everybody)
    moves = []
    for turn, to in enumerate((PRESENT, revision, PRESENT)):
        say(f"Moving to {to} while a third of the customers buy")
        buy(deployment.stage, everybody[turn::3])
        moves.append(deployment.move(to))
        deployment.settle()
        deployment.pass_time(dt.timedelta(minutes=10))
    say("Letting the rest fall due, and two campaigns")
    deployment.pass_time(CAMPAIGN_AT + dt.timedelta(hours=1) - deployment.stage.clock.now)
    return _outcome(deployment, revision, everybody, moves)


def _outcome(deployment: _Deployment, revision: str, everybody: list[str], moves: list[Move]) -> Outcome:
    stage = deployment.stage
    report = stage.line.report()
    got = {one.user_id: one.delivered for one in report.users}
    return Outcome(
        earlier=revision,
        people=len(everybody),
        moves=moves,
        accounts=accounts(stage.stores),
        delivered=report.delivered,
        copies=report.duplicates,
        put_back=deployment.put_back,
        lost=[person for person in everybody if got.get(user_of(person)) != MESSAGES_EACH],
    )
