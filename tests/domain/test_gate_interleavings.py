"""Whatever workers do to one customer's gate, and in whatever order: no cap is passed, nothing goes at night or without
consent, and nothing goes twice."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from functions.domain.arbitration import Upcoming
from functions.domain.claims import Allow, Decision, closed, decide, unclaimed
from functions.domain.events import Event
from functions.domain.gate import Claim, Gate, merged, with_facts
from functions.domain.instants import Instant, in_daily_window
from functions.domain.playbook import Cap
from functions.domain.reasons import is_refusal
from functions.domain.sends import Intent
from functions.domain.verdicts import Ended, Wait
from tests.domain.strategies import DAY, HOUR, SECOND, WEEK, ZONES, event, intent, linked_gate
from tests.domain.verdicts import CONTENT, DAY_SECONDS, KINDS, NIGHT, local, rules, situation, stopped

CAPS = [
    Cap("weekly", ["promotion"], 1, 7 * DAY_SECONDS, 8 * DAY_SECONDS),
    Cap("coupons", ["promotion"], 1, 9 * DAY_SECONDS, DAY_SECONDS, categories=["coupon"]),
    Cap("daily", ["promotion", "notification"], 2, 0, 2 * DAY_SECONDS, "day"),
    Cap("weeks", ["notification"], 3, 0, 2 * DAY_SECONDS, "week"),
    Cap("months", ["promotion", "notification", "support"], 20, 0, DAY_SECONDS, "month"),
    Cap("hourly", ["promotion", "notification", "support"], 2, 3_600, 3_600),
]
RULES = rules(
    caps=CAPS, quiet_hours=NIGHT, consent={"promotion": ["marketing"]}, exclusions={"inquiry": ["promotion"]}
)
NUMBERS = st.integers(0, 23)
WORKERS = st.integers(0, 2)


class Taken(msgspec.Struct, frozen=True):
    """What one worker read and decided, and has not written yet."""

    one: Intent
    at: Instant
    version: int
    decision: Decision


class Interleavings(RuleBasedStateMachine):
    """The gate as the table has it: written on condition that nobody wrote since it was read."""

    @initialize(zone=st.sampled_from(ZONES), start=st.integers(0, 40))
    def begin(self, zone: str, start: int) -> None:
        self.zone, self.now = zone, local("2026-10-20T09:00", zone) + start * DAY
        self.gate = with_facts(linked_gate(), [self.fact("consent_given", purpose="marketing")])
        self.intents: list[Intent] = []
        self.present: dict[int, Intent] = {}
        self.taken: dict[int, Taken] = {}
        self.pushed: dict[str, list[Instant]] = {}
        self.claims: dict[str, Claim] = {}
        self.consented = True
        self.open = False

    def fact(self, name: str, **properties: Any) -> Event:
        return event(name, f"{name} {self.now}", self.now, **properties)

    def intent(self, number: int) -> Intent:
        """The intent of this number, which comes up until it has expired; then another one."""
        known = self.present.get(number)
        if known is None or self.now >= known.expires_at + HOUR:
            known = self.present[number] = intent(
                f"source {number}",
                occurrence=str(len(self.intents)),
                made_at=self.now,
                kind=KINDS[number % 3],
                rank=number % 4,
                expires=WEEK,
                category="coupon" if number % 2 else "",
            )
            self.intents.append(known)
        return known

    @rule(
        seconds=st.sampled_from(
            [1, 60, 3_600, 2 * 3_600, 12 * 3_600, DAY_SECONDS, DAY_SECONDS, 3 * DAY_SECONDS]
        )
    )
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * SECOND

    @rule(
        worker=WORKERS, number=NUMBERS, foreseen=st.booleans(), eligible=st.sampled_from([True, True, False])
    )
    def read(self, worker: int, number: int, foreseen: bool, eligible: bool) -> None:
        one = self.intent(number)
        ahead = [Upcoming(self.now + DAY, "promotion", 1)] if foreseen else []
        around = situation(zone=self.zone, eligible=eligible, upcoming=ahead)
        decision = decide(one, self.gate, RULES, around, CONTENT, self.now)
        self.taken[worker] = Taken(one, self.now, self.gate.version, decision)

    @rule(deliveries=st.lists(st.tuples(NUMBERS, st.sampled_from([0, 1, 4, 9])), min_size=5, max_size=15))
    def deliver(self, deliveries: list[tuple[int, int]]) -> None:
        """One after the other, some hours apart and undisturbed."""
        for number, hours in deliveries:
            self.now += hours * HOUR
            self.read(0, number, foreseen=False, eligible=True)
            self.write_and_push(0)

    @rule(worker=WORKERS)
    def write_and_push(self, worker: int) -> None:
        """A lost race writes nothing, and nothing follows from it."""
        found = self.taken.pop(worker, None)
        if found is None or found.version != self.gate.version:
            return
        one, verdict = found.one, found.decision.verdict
        self.write(found.decision.gate)
        match verdict:
            case Allow(claim=claim):
                self.allowed(one, found.at)
                self.pushed.setdefault(one.send_id, []).append(found.at)
                self.claims[one.send_id] = claim
            case Wait(until=until, reason=reason):
                assert is_refusal(reason)
                assert until < one.expires_at
            case Ended(outcome=outcome):
                assert (outcome == "suppressed") <= (one.send_id not in self.pushed)

    def allowed(self, one: Intent, at: Instant) -> None:
        assert self.consented or one.kind != "promotion", "without consent"
        assert not self.open or one.kind != "promotion", "with a case open"
        assert one.kind == "support" or not in_daily_window(at, NIGHT.start, NIGHT.end, self.zone), "at night"

    def write(self, gate: Gate) -> None:
        self.gate = msgspec.structs.replace(gate, version=self.gate.version + 1)

    @rule(number=NUMBERS, end=st.sampled_from(["failed", "refused", "unknown"]))
    def line_answers(self, number: int, end: str) -> None:
        """A definite refusal is one of a first attempt; what went unanswered may have arrived."""
        one = self.intent(number)
        claim = self.gate.claim(one.send_id)
        if claim is None or claim.state != "open" or claim != self.claims.get(one.send_id):
            return
        if end == "unknown":
            self.write(closed(self.gate, one, CONTENT, Ended("unknown", "no_answer"), self.now))
        elif claim.attempt == 1:
            del self.pushed[one.send_id]
            if end == "failed":
                self.write(closed(self.gate, one, CONTENT, Ended("failed", "http_400"), self.now))
            else:
                self.write(unclaimed(self.gate, one, claim))

    @rule(given=st.sampled_from([True, True, True, False]))
    def consent_changes(self, given: bool) -> None:
        self.now += SECOND
        name = "consent_given" if given else "consent_withdrawn"
        self.write(with_facts(self.gate, [self.fact(name, purpose="marketing")]))
        self.consented = given

    @rule(opens=st.sampled_from([False, False, False, True]))
    def case_changes(self, opens: bool) -> None:
        self.now += SECOND
        self.write(with_facts(self.gate, [self.fact("inquiry_opened" if opens else "inquiry_closed")]))
        self.open = opens

    @rule()
    def a_friend_without_a_past_is_merged(self) -> None:
        """Linking writes the gate in its transaction: whoever read it before has lost the race."""
        self.write(merged(self.gate, linked_gate()))

    @rule(number=NUMBERS)
    def the_account_is_stopped(self, number: int) -> None:
        one = self.intent(number)
        around = situation(zone=self.zone, blocks=stopped(self.now + SECOND))
        verdict = decide(one, self.gate, RULES, around, CONTENT, self.now).verdict
        assert not isinstance(verdict, Allow)

    @invariant()
    def no_cap_is_passed(self) -> None:
        if not hasattr(self, "pushed"):
            return
        for cap in CAPS:
            mine = [one for one in self.intents if self.is_of(cap, one)]
            pushes = sorted((at, one.send_id) for one in mine for at in self.pushed.get(one.send_id, []))
            for at, _ in pushes:
                within = {send_id for other, send_id in pushes if self.together(cap, at, other)}
                assert len(within) <= cap.limit, cap

    @staticmethod
    def is_of(cap: Cap, one: Intent) -> bool:
        return one.kind in cap.kinds and (not cap.categories or one.category in cap.categories)

    def together(self, cap: Cap, at: Instant, other: Instant) -> bool:
        """Whether two pushes fall into one window, of which `other` is the last."""
        if not cap.calendar:
            return other - dt.timedelta(seconds=cap.window_seconds) < at <= other or at == other
        days = [one.astimezone(ZoneInfo(self.zone)).date() for one in (at, other)]
        if cap.calendar == "week":
            return days[0].isocalendar()[:2] == days[1].isocalendar()[:2]
        if cap.calendar == "month":
            return (days[0].year, days[0].month) == (days[1].year, days[1].month)
        return days[0] == days[1]


Interleavings.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestInterleavings = Interleavings.TestCase
