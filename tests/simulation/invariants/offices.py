"""What holds for the whole account: the month, budgets, blocks, the breaker, and a second person's word."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from functions.domain.money import month_of
from functions.domain.playbook import Playbook, Price
from tests.simulation.invariants.messages import named
from tests.simulation.offices import Stopped
from tests.simulation.witness import Acceptance
from tests.simulation.world import SimulatedWorld


def quota_kept(world: SimulatedWorld) -> Iterator[str]:
    """LINE counts no more of a month than it allows, whatever it told of that, however late. Where somebody had to begin
    before LINE had told its limit, LINE refuses by itself."""
    quota, by_month = world.line_quota, defaultdict[str, list[Acceptance]](list)
    for one in world.witness.accepted:
        by_month[month_of(one.at)].append(one)
    for month, accepted in by_month.items():
        counted = quota.by_hand + sum(one.delivered for one in accepted)
        if quota.limit is not None and counted > quota.limit:
            yield f"over quota: {counted} messages in {month}, {quota.limit} are allowed"
        yield from _within_our_own(world, month, accepted)


def _within_our_own(world: SimulatedWorld, month: str, accepted: Sequence[Acceptance]) -> Iterator[str]:
    """The widest of the limits that were in force by then, for a message may have had its unit under each. What matters
    less leaves something to what matters more. What was sent by hand counts, unless we had to begin without knowing."""
    by_hand = 0 if world.allowances.is_blind else world.line_quota.by_hand
    promoting = [one for one in accepted if one.intent.kind == "promotion"]
    by_campaign = [one for one in promoting if one.intent.campaign]
    for tiers, found in enumerate((accepted, promoting, by_campaign)):
        if not found:
            continue
        limits = [_limit_of(book.price, tiers) for begun, book in world.books if begun <= found[-1].at]
        known = [limit for limit in limits if limit is not None]
        counted = sum(one.delivered for one in found) + by_hand
        if len(known) == len(limits) and counted > max(known):
            yield f"over our own limit: {counted} messages of tier {tiers} in {month}, {max(known)} are allowed"


def _limit_of(price: Price, tiers: int) -> int | None:
    """So many messages of a month, where so many tiers matter more."""
    limits = [price.messages_max] if price.messages_max is not None else []
    if price.yen_max is not None and price.yen_each:
        limits.append(price.free_messages + int((price.yen_max - price.plan_yen) / price.yen_each))
    if not limits:
        return None
    return min(limits) - tiers * (min(limits) * price.reserve_percent // 100)


def budgets_kept(world: SimulatedWorld) -> Iterator[str]:
    """A campaign run costs no more than its budget, at its price a message."""
    sent = Counter(one.intent.source for one in world.witness.accepted if one.intent.campaign)
    for source, messages in sent.items():
        budgets = [_budget(book, source.partition("@")[0]) for _, book in world.books]
        known = [budget for budget in budgets if budget is not None]
        if len(known) == len(budgets) and messages > max(known):
            yield f"over budget: {messages} messages of {source}, {max(known)} are paid for"


def _budget(book: Playbook, campaign: str) -> float | None:
    found = book.campaigns.get(campaign)
    if found is None or found.yen_max is None or not book.price.yen_each:
        return None
    return found.yen_max / book.price.yen_each


def nothing_stopped(world: SimulatedWorld) -> Iterator[str]:
    """What is stopped is not sent: neither by an operator, nor the breaker, nor where LINE refuses the account."""
    wrong = dt.timedelta(seconds=world.faults.clocks_apart)
    for one in world.witness.accepted:
        for stopped in world.account_state.history:
            if _stops(stopped, one, wrong):
                yield f"stopped ({stopped.block.reason}, {stopped.block.scope}): {named(one)} at {one.at}"


def _stops(stopped: Stopped, one: Acceptance, wrong: dt.timedelta) -> bool:
    """Whether it was so all the while: from before its worker took the message up until LINE accepted it."""
    block = stopped.block
    if stopped.since >= one.begun_at or (stopped.lifted_at is not None and stopped.lifted_at <= one.at):
        return False
    if block.until <= one.at + wrong or (block.kinds and one.intent.kind not in block.kinds):
        return False
    return all(block.scope in _scopes(one, book) for book in one.books)


def _scopes(one: Acceptance, book: Playbook) -> list[str]:
    """A plain reading of what a message belongs to, by one playbook. None of a segment where that no longer has its source."""
    campaign, scenario = book.campaigns.get(one.intent.campaign), book.scenarios.get(one.intent.scenario)
    source = f"campaign:{one.intent.campaign}" if one.intent.campaign else f"scenario:{one.intent.scenario}"
    segment = campaign.segment if campaign else ""
    if scenario and scenario.entry.on == "entered":
        segment = scenario.entry.segment
    return ["account", source, *([f"segment:{segment}"] if segment else [])]


def breakers_opened(world: SimulatedWorld) -> Iterator[str]:
    """Where too many left after a message its source is stopped; unless another rule came into force meanwhile."""
    if len({book.breaker for _, book in world.books}) > 1:
        return
    for scope, at in world.reactions.too_many:
        opened = [
            one
            for one in world.account_state.history
            if one.block.reason == "breaker_open" and one.block.scope == scope
        ]
        if not any(one.lifted_at is None or one.lifted_at >= at for one in opened):
            yield f"too many left after {scope} by {at}, and it is not stopped"


def nothing_unapproved(world: SimulatedWorld) -> Iterator[str]:
    """A campaign run above the size waits for a second person's word on exactly this list."""
    runs = world.witness.runs
    for one in world.witness.accepted:
        run = runs.get(one.intent.source) if one.intent.campaign else None
        if run is None:
            continue
        above = world.playbooks.version(run.playbook).playbook.approval_above
        targeted = world.runs.targeted.get(run.source, 0)
        if above is None or targeted <= above:
            continue
        word, awaiting = world.runs.approval(run), world.runs.awaiting(run)
        if word is None or awaiting is None or word.decision != "approved" or word.hash != awaiting.hash:
            told = "nobody approved" if word is None else f"{word.by} {word.decision} {word.hash[:8]}"
            yield f"for {targeted} people, {above} need no approval, {told}: {named(one)}"
        elif word.at > one.at:
            yield f"approved at {word.at}: {named(one)} at {one.at}"
