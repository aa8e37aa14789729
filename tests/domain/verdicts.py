"""What the tests of the gate's verdicts share."""

import datetime as dt
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import strategies as st

from functions.domain.account import Block
from functions.domain.arbitration import Upcoming
from functions.domain.claims import Allow, Decision, Verdict, closed, decide, unclaimed
from functions.domain.gate import Claim, Contact, Gate, Hold
from functions.domain.instants import Instant
from functions.domain.playbook import Cap, Kind, QuietHours
from functions.domain.profiles import Register
from functions.domain.sends import Intent
from functions.domain.verdicts import Ended, Rules, Situation
from tests.domain.strategies import DAY, HOUR, NOON, SECOND, WEEK, intent, linked_gate

DAY_SECONDS = 86_400
WEEKLY = Cap("weekly", ["promotion"], 1, 7 * DAY_SECONDS, 3 * DAY_SECONDS)
NIGHT = QuietHours(dt.time(21), dt.time(7), ["promotion", "notification"])
FREE = Rules(caps=[], quiet_hours=None, consent={}, exclusions={})
CONTENT = "c0ffee"


def rules(**more: Any) -> Rules:
    return msgspec.structs.replace(FREE, **more)


def situation(**more: Any) -> Situation:
    return Situation(**{"eligible": True, "zone": "Asia/Tokyo", **more})


def decided(
    one: Intent,
    gate: Gate | None = None,
    by: Rules = FREE,
    now: Instant = NOON,
    content: str = CONTENT,
    **more: Any,
) -> Decision:
    return decide(one, linked_gate() if gate is None else gate, by, situation(**more), content, now)


def verdict(
    one: Intent, gate: Gate | None = None, by: Rules = FREE, now: Instant = NOON, **more: Any
) -> Verdict:
    return decided(one, gate, by, now, **more).verdict


def suppressed(reason: str) -> Ended:
    return Ended("suppressed", reason)


def local(text: str, zone: str = "Asia/Tokyo") -> Instant:
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)


def contacted(*at: Instant, kind: Kind = "promotion") -> list[Contact]:
    return [Contact(f"earlier {number}", kind, instant) for number, instant in enumerate(at)]


def stopped(until: Instant) -> list[Block]:
    return [Block("stopped", until)]


def held(
    until: Instant, rank: int, source: str = "other", made_at: Instant = NOON, kind: Kind = "promotion"
) -> Hold:
    return Hold(f"held by {source}", kind, rank, until, f"{source}/1", made_at)


def consents(**words: bool) -> Gate:
    return linked_gate(consent={name: Register(word, NOON, "e") for name, word in words.items()})


NOW = local("2026-11-20T22:00")


BARRIERS: list[tuple[str, dict[str, Any]]] = [
    ("expired", {"made_at": NOW - WEEK}),
    ("stopped", {"switched_off": True}),
    ("unreachable", {"link": Register("U2", NOW, "e")}),
    ("no_consent", {"consent": {"all": Register(False, NOW, "e")}}),
    ("excluded:refund", {"cases": {"refund": {"": Register(True, NOW, "e")}}}),
    ("no_longer_eligible", {"eligible": False}),
    ("not_confirmed", {"confirmed": False}),
    ("outranked", {"holds": [held(NOW + HOUR, 10, "cart", NOW + HOUR)]}),
    ("holdout", {"holdout": True}),
    ("stopped", {"blocks": stopped(NOW + HOUR)}),
    ("stale_data", {"stale": ["shop"]}),
    ("quiet_hours", {"quiet_hours": NIGHT}),
    ("capped:weekly", {"contacts": contacted(NOW - DAY)}),
]


BY = rules(caps=[WEEKLY], exclusions={"refund": ["promotion"]})


def capped(*ago: dt.timedelta, cap: Cap = WEEKLY, **more: Any) -> Verdict:
    return verdict(
        intent(**more), linked_gate(contacts=contacted(*(NOON - one for one in ago))), rules(caps=[cap])
    )


def claimed(one: Intent, gate: Gate | None = None) -> Gate:
    return decided(one, gate, now=one.made_at).gate


def promised(at: Instant, rank: int = 1, kind: Kind = "promotion") -> list[Upcoming]:
    return [Upcoming(at, kind, rank)]


def campaign(**more: Any) -> Intent:
    return intent("weekly@2026-11-20T03:00:00Z", rank=50, scenario="", campaign="weekly", **more)


CAPS = [
    Cap("weekly", ["promotion"], 1, 7 * DAY_SECONDS, 3 * DAY_SECONDS),
    Cap("daily", ["promotion", "notification"], 2, DAY_SECONDS, DAY_SECONDS),
    Cap("hourly", ["support", "promotion", "notification"], 3, 3600, 3600),
]


CAPPED = rules(caps=CAPS, quiet_hours=NIGHT)


KINDS: list[Kind] = ["promotion", "notification", "support"]


steps = st.tuples(
    st.sampled_from(["decide"] * 6 + ["fail", "doubt", "refuse", "forbid"]),
    st.integers(0, 11),
    st.sampled_from([0, 1, 60, 1800, 3600, 6 * 3600, 12 * 3600, DAY_SECONDS, 3 * DAY_SECONDS]),
)


class World:
    """One customer's gate under a sequence of decisions, and what LINE may have seen of them."""

    def __init__(self) -> None:
        self.gate, self.now = linked_gate(), NOON
        self.intents: dict[int, Intent] = {}
        self.pushed: dict[str, list[Instant]] = {}
        self.claims: dict[str, Claim] = {}
        self.unsettled: set[str] = set()

    def intent(self, number: int) -> Intent:
        known = self.intents.get(number)
        if known is None:
            source = f"source {number // 3}"
            known = self.intents[number] = intent(
                source, f"step {number}", self.now, kind=KINDS[number % 3], rank=number % 4, expires=5 * DAY
            )
        return known

    def run(self, action: str, number: int, seconds: int) -> Decision | None:
        self.now += seconds * SECOND
        one = self.intent(number)
        if action in ("fail", "refuse"):
            self.settle(one, action)
            return None
        if action == "doubt":
            if one.send_id in self.unsettled:
                self.gate = closed(self.gate, one, CONTENT, Ended("unknown", "timed out"), self.now)
                self.unsettled.discard(one.send_id)
            return None
        ahead = [Upcoming(self.now + DAY, "promotion", 2)] if number % 2 else []
        decision = decided(one, self.gate, CAPPED, self.now, eligible=action != "forbid", upcoming=ahead)
        assert decision == decided(
            one, self.gate, CAPPED, self.now, eligible=action != "forbid", upcoming=ahead
        )
        self.gate = decision.gate
        if isinstance(decision.verdict, Allow):
            self.pushed.setdefault(one.send_id, []).append(self.now)
            self.claims[one.send_id] = decision.verdict.claim
            self.unsettled.add(one.send_id)
        elif isinstance(decision.verdict, Ended):
            self.unsettled.discard(one.send_id)
        return decision

    def settle(self, one: Intent, action: str) -> None:
        """A definite refusal, which only a first attempt can have."""
        if one.send_id not in self.unsettled or len(self.pushed[one.send_id]) > 1:
            return
        self.unsettled.discard(one.send_id)
        del self.pushed[one.send_id]
        if action == "fail":
            self.gate = closed(self.gate, one, CONTENT, Ended("failed", "no such user"), self.now)
        else:
            self.gate = unclaimed(self.gate, one, self.claims[one.send_id])

    def in_window(self, cap: Cap) -> Iterator[int]:
        """How many messages may have arrived in each window that ends with one of them."""
        window = dt.timedelta(seconds=cap.window_seconds)
        counted = {one.send_id for one in self.intents.values() if one.kind in cap.kinds}
        pushes = [
            (at, send_id) for send_id, times in self.pushed.items() if send_id in counted for at in times
        ]
        for end, _ in pushes:
            yield len({send_id for at, send_id in pushes if end - window < at <= end})
