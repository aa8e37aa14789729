"""All that one sandbox remembers, and the lock that keeps it whole."""

import datetime as dt
import threading
import time
from collections import Counter
from collections.abc import Callable

import msgspec

from functions.clock import Clock
from ops.line_sandbox.buckets import RateLimits
from ops.line_sandbox.faults import Faults
from ops.line_sandbox.friends import FriendBook
from ops.line_sandbox.ledger import Ledger, UserCount
from ops.line_sandbox.login.book import LoginBook
from ops.line_sandbox.menu_book import MenuBook
from ops.line_sandbox.one_time_tokens import LINK_TOKEN_VALIDITY, REPLY_TOKEN_VALIDITY, OneTimeTokens
from ops.line_sandbox.openings import Opened
from ops.line_sandbox.phone import Phone
from ops.line_sandbox.quota import AggregationUnits, Quota
from ops.line_sandbox.retry_keys import RetryKeys
from ops.line_sandbox.settings import Settings


class Report(msgspec.Struct, kw_only=True):
    """What a sandbox has seen. `duplicates` = `key_repeats` + `content_repeats`; no copy is in both."""

    requests_accepted: int
    accepted: int
    """Deliveries accepted, one a recipient."""
    delivered: int
    not_delivered: int
    key_repeats: int
    """Deliveries to a user of a retry key that reached the same user before."""
    content_repeats: int
    """Other deliveries of what the same user got within the window."""
    duplicates: int
    users: list[UserCount]
    answers: dict[str, dict[str, int]]
    """Requests by endpoint and status; `dropped` is a connection closed unanswered."""
    faults: dict[str, int]
    sandbox_errors: list[str]
    """Failures of the sandbox itself, as tracebacks: a run with any proves nothing."""


class World:
    """One channel of one account. `lock` guards everything but the rate limits and the faults."""

    def __init__(
        self, clock: Clock, settings: Settings, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.clock = clock
        self.settings = settings
        self.lock = threading.RLock()
        self.friends = FriendBook()
        self.rich_menus = MenuBook()
        self.retry_keys = RetryKeys()
        self.ledger = Ledger()
        self.quota = Quota()
        self.units = AggregationUnits()
        self.opened: dict[str, Opened] = {}
        self.reply_tokens = OneTimeTokens(REPLY_TOKEN_VALIDITY)
        self.link_tokens = OneTimeTokens(LINK_TOKEN_VALIDITY)
        self.login = LoginBook()
        self.phone = Phone()
        self.rate_limits = RateLimits(monotonic, scale=settings.rate_scale)
        self.faults = Faults()
        self.sandbox_errors: list[str] = []
        self._answers: Counter[tuple[str, str]] = Counter()

    @property
    def content_window(self) -> dt.timedelta:
        """Within it, the same content to the same user is a second copy."""
        return dt.timedelta(hours=self.settings.duplicate_window_hours)

    def change(self, settings: Settings) -> None:
        """New settings; the rate limits start again only where their scale changed."""
        with self.lock:
            if settings.rate_scale != self.settings.rate_scale:
                self.rate_limits.restart(settings.rate_scale)
            self.settings = settings

    def reset(self, *, keep_friends: bool = False) -> None:
        """Forget what happened and all fault rules; the settings stay."""
        with self.lock:
            if not keep_friends:
                self.friends.clear()
            self.ledger = Ledger()
            self.rich_menus.clear()
            self.phone = Phone()
            for memory in (
                self.retry_keys, self.quota, self.units, self.opened, self.reply_tokens, self.link_tokens, self.login,
            ):  # fmt: skip
                memory.clear()
            self.rate_limits.restart(self.settings.rate_scale)
            self.faults.clear()
            self.sandbox_errors.clear()
            self._answers.clear()

    def note_answer(self, endpoint: str, outcome: str) -> None:
        """Count one answer: `outcome` is the status, or `dropped`."""
        with self.lock:
            self._answers[endpoint, outcome] += 1

    def report(self, *, with_users: bool = True) -> Report:
        """What happened so far; the list of users may be left out, as it grows with them."""
        with self.lock:
            counts = self.ledger.counts()
            accepted = sum(count.accepted for count in counts)
            delivered = sum(count.delivered for count in counts)
            return Report(
                requests_accepted=self.ledger.requests,
                accepted=accepted,
                delivered=delivered,
                not_delivered=accepted - delivered,
                key_repeats=self.ledger.key_repeats,
                content_repeats=self.ledger.content_repeats,
                duplicates=self.ledger.key_repeats + self.ledger.content_repeats,
                users=[msgspec.structs.replace(count) for count in counts] if with_users else [],
                answers=self._answers_by_endpoint(),
                faults=self.faults.injected(),
                sandbox_errors=list(self.sandbox_errors),
            )

    def _answers_by_endpoint(self) -> dict[str, dict[str, int]]:
        answers: dict[str, dict[str, int]] = {}
        for (endpoint, outcome), count in self._answers.items():
            answers.setdefault(endpoint, {})[outcome] = count
        return answers
