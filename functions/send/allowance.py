"""The part of send that reserves messages before they are claimed: of the month, and of a campaign's own budget.

Units are leased for a whole batch by conditional writes, so that workers side by side never pass a limit together. What
a batch does not spend is returned when it ends; what a worker that is gone had leased stays counted, a batch at most.
"""

import datetime as dt
import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from functions.domain.account import Block
from functions.domain.instants import Instant
from functions.domain.money import (
    TIERS,
    Count,
    Limit,
    Purse,
    Reason,
    Tier,
    month_counter,
    month_limit,
    percent_used,
    purse_of,
    refusal_of,
    run_counter,
    run_limit,
    surely_beyond,
    tier_limit,
)
from functions.domain.playbook import Playbook
from functions.domain.sends import Intent
from functions.ports.account import Allowances, Measures
from functions.ports.errors import MusubiError
from functions.ports.line import LineQuota
from functions.ports.playbooks import Playbooks

logger = logging.getLogger(__name__)

ASKED_EVERY = dt.timedelta(minutes=10)
"""How often LINE is asked what it has counted, by one worker for all."""
TRIES_MAX = 8
"""Each lost race but the first means that somebody else took of the little that was left."""
MEASURES: Mapping[Reason, str] = {"over_quota": "OverQuota", "over_budget": "OverBudget"}
"""Reason → the measure that infra/alarms.py watches: messages that wait or end because of it."""

QUOTA_USED = "QuotaUsedPercent"
"""Told each time that LINE was asked; infra/alarms.py says from where on it rings."""

LimitOf = Callable[[Count], Limit | None]


@dataclass(slots=True)
class Lending:
    """The ports of this part, and what this process last saw of the month's counter."""

    allowances: Allowances
    playbooks: Playbooks
    line_quota: LineQuota
    measures: Measures
    _seen: tuple[str, Count] = field(default=("", Count()), init=False)
    _asked_at: dict[str, Instant] = field(default_factory=dict, init=False)

    def lease(self, intents: Sequence[Intent], now: Instant) -> "Lease":
        """Units for these messages, as many as there are. Whatever it is given, `settle` is due at its end."""
        playbook, counter = self.playbooks.in_force().playbook, month_counter(now)
        if self._month(counter).told_at is None:
            self.ask_line(counter, now)  # nothing is known of this month: the answer is waited for
        lease = Lease(self, playbook, counter, now)
        lease.reserve(Counter(purse_of(intent, playbook) for intent in intents))
        return lease

    def give_back(self, claimed: Sequence[tuple[Intent, Instant]]) -> None:
        """Return the units of claims that were taken out of their gates, whoever had leased them: each message with the
        instant at which it was claimed, for it was counted in that month."""
        playbook = self.playbooks.in_force().playbook
        units: Counter[str] = Counter()
        for intent, at in claimed:
            purse = purse_of(intent, playbook)
            units.update([month_counter(at), *([run_counter(purse.run)] if purse.run else [])])
        for counter, left in units.items():
            self.allowances.release(counter, left)

    def of_month(
        self, counter: str, wanted: Mapping[Tier, int], playbook: Playbook, now: Instant
    ) -> dict[Tier, tuple[int, Reason | None]]:
        """Units of the month for each tier, and where they are fewer than wanted, why. All in one write where all fit."""
        tiers = [tier for tier in TIERS if wanted.get(tier)]
        together = sum(wanted.values())
        if len(tiers) > 1 and self._all_or_none(counter, together, _within(playbook, tiers[-1]), now):
            return {tier: (wanted[tier], None) for tier in tiers}
        return {
            tier: self.as_many(counter, wanted[tier], _within(playbook, tier), now, self._month(counter))
            for tier in tiers
        }

    def as_many(
        self, counter: str, units: int, limit_of: LimitOf, now: Instant, count: Count
    ) -> tuple[int, Reason | None]:
        """As many units as the limit lets pass, and where they are fewer, why. `count` may be old; nothing is refused by it."""
        is_fresh, limit = False, limit_of(count)
        for _ in range(TRIES_MAX):
            limit = limit_of(count)
            fit = units if limit is None else min(units, limit.messages - count.taken)
            if fit < units and not is_fresh:
                count, is_fresh = self._read(counter), True
                continue
            if fit <= 0:
                break
            used_max = None if limit is None else limit.messages - count.external
            done, count = self.allowances.reserve(counter, fit, used_max, count.told_at, now)
            self._keep(counter, count)
            is_fresh = True
            if done:
                return fit, limit.reason if limit and fit < units else None
        return 0, limit.reason if limit else "over_quota"

    def _all_or_none(self, counter: str, units: int, limit_of: LimitOf, now: Instant) -> bool:
        count = self._month(counter)
        limit = limit_of(count)
        if limit is not None and limit.messages - count.taken < units:
            return False
        used_max = None if limit is None else limit.messages - count.external
        done, count = self.allowances.reserve(counter, units, used_max, count.told_at, now)
        self._keep(counter, count)
        return done

    def ask_line(self, counter: str, now: Instant) -> None:
        """Ask LINE what it has counted, where that is due and nobody else does. What goes wrong here stops no message."""
        told_at, asked_at = self._month(counter).told_at, self._asked_at.get(counter)
        if any(at is not None and now - at < ASKED_EVERY for at in (told_at, asked_at)):
            return
        self._asked_at = {counter: now}
        asked = self.allowances.begin_asking(counter, now, ASKED_EVERY)
        if asked is None:
            return
        try:
            self._note_usage(counter, asked, now)
        except MusubiError as error:
            logger.warning("the monthly quota is not known anew (%s)", error)

    def _note_usage(self, counter: str, asked: Count, now: Instant) -> None:
        usage = self.line_quota.usage()
        asked = msgspec.structs.replace(asked, beyond=surely_beyond(self._read(counter), usage))
        self.allowances.note(counter, usage, asked, now)
        self._tell_used(self._read(counter))

    def _tell_used(self, count: Count) -> None:
        """So that somebody buys messages before they are used up."""
        limit = month_limit(self.playbooks.in_force().playbook.price, count.line_limit)
        if limit is not None:
            self.measures.count(QUOTA_USED, percent_used(count, limit))

    def _month(self, counter: str) -> Count:
        """The month's counter as this process last saw it."""
        return self._seen[1] if self._seen[0] == counter else self._read(counter)

    def _read(self, counter: str) -> Count:
        count = self.allowances.count(counter)
        self._keep(counter, count)
        return count

    def _keep(self, counter: str, count: Count) -> None:
        if counter.startswith("month#"):
            self._seen = (counter, count)


class Lease:
    """The units of one batch; threads may take from it side by side.

    A unit belongs to the claim that it was taken for: a resume takes none, and what may have arrived gives none back.
    """

    def __init__(self, lending: Lending, playbook: Playbook, month: str, now: Instant) -> None:
        self._lending, self._playbook, self._month, self._now = lending, playbook, month, now
        self._lock = threading.Lock()
        self._units: Counter[str] = Counter()
        self._refused: dict[str, Reason] = {}
        self._taken: set[str] = set()
        self._waiting: Counter[Reason] = Counter()

    def reserve(self, wanted: Mapping[Purse, int]) -> None:
        """Lease so many units for each purse. A run's budget goes first; the month is asked for what it pays for."""
        tiers: Counter[Tier] = Counter()
        for purse, units in wanted.items():
            tiers[purse.tier] += self._of_run(purse.run, units) if purse.run else units
        for tier, (units, refused) in self._lending.of_month(
            self._month, tiers, self._playbook, self._now
        ).items():
            self._put(tier, units, refused)

    def take(self, intent: Intent) -> Block | None:
        """One unit for the claim of this message; a block where there is none. Once taken, it is its own."""
        purse = purse_of(intent, self._playbook)
        with self._lock:
            if intent.send_id in self._taken:
                return None
            short = self._short_of(purse)
            if short:
                self._waiting[self._refused[short]] += 1
                return refusal_of(self._refused[short], self._now, of_run=short == purse.run)
            for pot in _pots(purse):
                self._units[pot] -= 1
            self._taken.add(intent.send_id)
        return None

    def give_back(self, intent: Intent) -> None:
        """Nothing was claimed, or LINE definitely refused: the unit is free again. Nothing happens where none was taken."""
        with self._lock:
            if intent.send_id in self._taken:
                self._taken.remove(intent.send_id)
                for pot in _pots(purse_of(intent, self._playbook)):
                    self._units[pot] += 1

    def leave(self, intent: Intent) -> None:
        """A claim may stand in the gate with this unit, and others may take it up or out: it is not this batch's any more."""
        with self._lock:
            self._taken.discard(intent.send_id)

    def settle(self) -> None:
        """The batch has ended: return what it did not spend, and tell how many messages had no unit."""
        with self._lock:
            units, self._units = self._units, Counter()
            waiting, self._waiting = self._waiting, Counter()
        month = sum(units[tier] for tier in TIERS)
        runs = {run_counter(pot): left for pot, left in units.items() if pot not in TIERS}
        for counter, left in {self._month: month, **runs}.items():
            if left > 0:
                self._lending.allowances.release(counter, left)
        for reason, messages in waiting.items():
            self._lending.measures.count(MEASURES[reason], messages)
        self._lending.ask_line(self._month, self._now)

    def _short_of(self, purse: Purse) -> str:
        """The pot that was refused a unit; empty where there is one. Leases one more where all that was asked for is spent."""
        for _ in range(2):
            short = [pot for pot in _pots(purse) if self._units[pot] <= 0]
            refused = [pot for pot in short if pot in self._refused]
            if not short or refused:
                return refused[0] if refused else ""
            self.reserve({purse: 1})
        raise AssertionError("a lease brings a unit or a refusal")

    def _of_run(self, run: str, units: int) -> int:
        """Lease units of a run's own budget; how many there are."""
        limit = run_limit(run, self._playbook)
        got, refused = self._lending.as_many(run_counter(run), units, lambda _: limit, self._now, Count())
        self._put(run, got, refused)
        return got

    def _put(self, pot: str, units: int, refused: Reason | None) -> None:
        self._units[pot] += units
        if refused:
            self._refused[pot] = refused


def _pots(purse: Purse) -> tuple[str, ...]:
    """Where its units lie: under its run (which has an @) where that has a budget of its own, and under its tier."""
    return (purse.run, purse.tier) if purse.run else (purse.tier,)


def _within(playbook: Playbook, tier: Tier) -> LimitOf:
    """How far this tier may go in a month, by what LINE said last."""
    price = playbook.price
    return lambda count: tier_limit(month_limit(price, count.line_limit), tier, price.reserve_percent)
