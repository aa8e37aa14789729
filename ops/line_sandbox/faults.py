"""Faults on demand: rules that make requests fail before or after LINE accepts them, replayable by seed."""

import random
import threading
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec

from ops.line_sandbox.answers import (
    AUTHENTICATION_FAILED,
    MONTHLY_LIMIT_REACHED,
    NOT_AVAILABLE,
    RATE_LIMITED,
    SAME_USER_LIMITED,
    Answer,
    error,
)

BeforeKind = Literal[
    "error_500",
    "drop_before",
    "slow",
    "rate_429",
    "monthly_429",
    "user_429",
    "unauthorized_401",
    "forbidden_403",
    "bad_request_400",
]
AfterKind = Literal["accept_then_drop", "accept_then_500", "accept_then_slow"]
FaultKind = BeforeKind | AfterKind

DROPPED = Answer(0, dropped=True)
INTERNAL_ERROR = error(500, "Internal server error")
ANSWERS: dict[FaultKind, Answer] = {
    "error_500": INTERNAL_ERROR,
    "drop_before": DROPPED,
    "rate_429": error(429, RATE_LIMITED),
    "monthly_429": error(429, MONTHLY_LIMIT_REACHED),
    "user_429": error(429, SAME_USER_LIMITED),
    "unauthorized_401": error(401, AUTHENTICATION_FAILED),
    "forbidden_403": error(403, NOT_AVAILABLE),
    "bad_request_400": error(
        400, "The request body has 1 error(s)", [{"message": "May not be empty", "property": "messages"}]
    ),
    "accept_then_drop": DROPPED,
    "accept_then_500": INTERNAL_ERROR,
}
AFTER_KINDS: frozenset[FaultKind] = frozenset({"accept_then_drop", "accept_then_500", "accept_then_slow"})


class FaultRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which requests fail, how, how likely and how often. `slow` waits before, `accept_then_slow` after."""

    kind: FaultKind
    endpoint: str = "*"
    """push, multicast, reply, broadcast, narrowcast, validate/push, …, profile, link_token, quota; * is all."""
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    share: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None
    """Instead of a probability: this share of all requests that the rule could hit. One draw a request is for all rules
    with a share, so that no request gets two of them. Also the 409 of what was accepted before gets lost."""
    times: Annotated[int, msgspec.Meta(ge=0)] | None = None
    user: str = ""
    """Only requests to or about this user; empty: all."""
    seconds: Annotated[float, msgspec.Meta(ge=0, le=600)] = 0.0
    seed: int = 0


class _ArmedRule:
    """A rule with its own random sequence and what is left of its times."""

    def __init__(self, rule: FaultRule) -> None:
        self.rule = rule
        self._random = random.Random(rule.seed)  # noqa: S311 - a replayable sequence is the point
        self._left = rule.times

    def strikes(self, endpoint: str, users: Iterable[str]) -> bool:
        """Whether the rule hits this request; every request it could hit moves its sequence on."""
        rule = self.rule
        if not self.could_hit(endpoint, users) or self._random.random() >= rule.probability:
            return False
        self.spend()
        return True

    def could_hit(self, endpoint: str, users: Iterable[str]) -> bool:
        """Whether the request is one of those the rule speaks of."""
        rule = self.rule
        return self._left != 0 and rule.endpoint in ("*", endpoint) and (not rule.user or rule.user in users)

    def draw(self) -> float:
        """The next number of the rule's sequence, 0 to 1."""
        return self._random.random()

    def spend(self) -> None:
        """It has struck once more."""
        if self._left is not None:
            self._left -= 1


class Faults:
    """The rules in force. The first that strikes wins, once before and once after acceptance."""

    def __init__(self) -> None:
        self._before: list[_ArmedRule] = []
        self._after: list[_ArmedRule] = []
        self._shares: list[_ArmedRule] = []
        self._injected: Counter[str] = Counter()
        self._lock = threading.Lock()

    def replace(self, rules: Iterable[FaultRule]) -> None:
        """Put these rules in force instead of all others, with their sequences at the start."""
        armed = [_ArmedRule(rule) for rule in rules]
        with self._lock:
            certain = [one for one in armed if one.rule.share is None]
            self._before = [one for one in certain if one.rule.kind not in AFTER_KINDS]
            self._after = [one for one in certain if one.rule.kind in AFTER_KINDS]
            self._shares = [one for one in armed if one.rule.share is not None]

    def clear(self) -> None:
        """No rules, and nothing injected yet."""
        self.replace(())
        with self._lock:
            self._injected.clear()

    @property
    def any_shares(self) -> bool:
        """Whether shares of all requests fail."""
        return bool(self._shares)

    def drawn(self, endpoint: str, users: Iterable[str]) -> FaultRule | None:
        """The rule in whose share this request falls. One that strikes after acceptance counts once it has struck."""
        with self._lock:
            able = [one for one in self._shares if one.could_hit(endpoint, users)]
            number, bound = (able[0].draw() if able else 1.0), 0.0
            for one in able:
                bound += one.rule.share or 0.0
                if number < bound:
                    one.spend()
                    if one.rule.kind not in AFTER_KINDS:
                        self._injected[one.rule.kind] += 1
                    return one.rule
        return None

    def struck(self, rule: FaultRule) -> None:
        """A drawn rule's request was accepted, and its answer is lost or late."""
        with self._lock:
            self._injected[rule.kind] += 1

    @property
    def any_before(self) -> bool:
        """Whether a request may fail before it is looked at."""
        return bool(self._before)

    @property
    def any_after(self) -> bool:
        """Whether the answer to an accepted request may be lost or late."""
        return bool(self._after)

    def before(self, endpoint: str, users: Iterable[str]) -> FaultRule | None:
        """The rule that strikes the request before it has any effect."""
        return self._strike(self._before, endpoint, users)

    def after(self, endpoint: str, users: Iterable[str]) -> FaultRule | None:
        """The rule that strikes the answer to a request that was accepted."""
        return self._strike(self._after, endpoint, users)

    def injected(self) -> dict[str, int]:
        """How often each kind has struck."""
        with self._lock:
            return dict(self._injected)

    def _strike(self, armed: list[_ArmedRule], endpoint: str, users: Iterable[str]) -> FaultRule | None:
        with self._lock:
            for one in armed:
                if one.strikes(endpoint, users):
                    self._injected[one.rule.kind] += 1
                    return one.rule
        return None
