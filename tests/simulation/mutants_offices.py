"""Mistakes on purpose in what the whole account goes by: the month and its budgets, blocks, the breaker, approval."""

from collections.abc import Mapping
from types import MappingProxyType

from functions.decide import reactions
from functions.domain import approvals, money, situations
from functions.domain.account import STOPS, Block
from functions.domain.approvals import Answer, Approval, FrozenList
from functions.domain.campaigns import Run, run_expires_at
from functions.domain.compiled import Compiled
from functions.domain.money import Count
from functions.domain.playbook import Playbook
from functions.evaluate import approval
from functions.evaluate.approval import AskApproval
from functions.send import allowance, claiming
from functions.send.allowance import Lending
from tests.simulation.run import Mutation, matters_where
from tests.simulation.world import SimulatedWorld


def _limited(book: Playbook, _next: Playbook) -> bool:
    return book.price.messages_max is not None or book.price.yen_max is not None


def _with_budgets(book: Playbook, _next: Playbook) -> bool:
    return any(one.yen_max for one in book.campaigns.values())


def _watched(book: Playbook, _next: Playbook) -> bool:
    return book.breaker is not None


def _asking(book: Playbook, _next: Playbook) -> bool:
    return book.approval_above is not None and bool(book.campaigns)


def quota_ignored(world: SimulatedWorld) -> None:
    """Units of the month are given to whoever asks."""
    world.patch(
        Lending,
        "of_month",
        lambda _lending, _counter, wanted, *_: {one: (wanted[one], None) for one in wanted},
    )


@matters_where(_limited)
def unit_given_back_twice(world: SimulatedWorld) -> None:
    """A lost race means that nothing was claimed, so that the unit is the worker's to give back. It takes a driver that
    loses against itself, often, to be seen in so few messages."""
    often = {"table_conflict_with_itself": 0.3, "overtaken": 0.15, "queue_impatient": 0.5}
    world.faults.rates = MappingProxyType({**world.faults.rates, **often})
    world.patch(claiming, "_look_again", lambda *_arguments: None)


def others_forgotten(world: SimulatedWorld) -> None:
    """What LINE counts beyond ours is what its last figure says, however late that is."""
    world.patch(Count, "external", property(lambda count: max(0, count.line_total - count.used_then)))


@matters_where(lambda book, other: _limited(book, other) and book.price.reserve_percent == 40)
def tiers_ignored(world: SimulatedWorld) -> None:
    """Campaigns may use up what is kept for notifications."""
    world.patch(allowance, "tier_limit", lambda limit, *_arguments: limit)


@matters_where(_with_budgets)
def run_budgets_ignored(world: SimulatedWorld) -> None:
    """A campaign run costs what it costs."""
    for module in (allowance, money):
        world.patch(module, "run_limit", lambda *_arguments: None)


def stops_ignored(world: SimulatedWorld) -> None:
    """What is stopped is sent all the same."""
    concerns = Block.concerns
    world.patch(Block, "concerns", lambda block, *rest: block.reason not in STOPS and concerns(block, *rest))


@matters_where(_watched)
def stops_of_a_part_ignored(world: SimulatedWorld) -> None:
    """Only a stop of the whole account stops anything; a breaker's never is one."""
    world.patch(situations, "scopes_of", lambda *_arguments: ["account"])


@matters_where(_watched)
def breaker_never_opens(world: SimulatedWorld) -> None:
    """However many leave, nothing is stopped."""
    world.patch(reactions, "opened", lambda *_arguments: None)


@matters_where(_asking)
def approval_not_asked(world: SimulatedWorld) -> None:
    """A run goes, whatever its size."""
    world.patch(approval, "answer_of", lambda *_arguments: "go")


@matters_where(_asking)
def any_list_approved(world: SimulatedWorld) -> None:
    """A word on one list holds for every other."""
    world.patch(Approval, "holds_for", lambda *_arguments: True)


@matters_where(_asking)
def approved_by_expiry(world: SimulatedWorld) -> None:
    """A run that nobody approved goes at the very instant at which its messages expire, by one of several clocks."""
    for module in (approval, approvals):
        world.patch(module, "over_at", run_expires_at)


@matters_where(_asking)
def rejected_goes(world: SimulatedWorld) -> None:
    """A second person's word lets a run go, whatever it is."""
    ask = AskApproval.ask

    def any_word(self: AskApproval, run: Run, compiled: Compiled, frozen: FrozenList) -> Answer:
        answer = ask(self, run, compiled, frozen)
        return "go" if answer == "rejected" else answer

    world.patch(AskApproval, "ask", any_word)


OFFICES: Mapping[str, Mutation] = {
    mutation.__name__: mutation
    for mutation in (
        quota_ignored,
        unit_given_back_twice,
        others_forgotten,
        tiers_ignored,
        run_budgets_ignored,
        stops_ignored,
        stops_of_a_part_ignored,
        breaker_never_opens,
        approval_not_asked,
        any_list_approved,
        approved_by_expiry,
        rejected_goes,
    )
}
