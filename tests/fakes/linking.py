"""What linking keeps, in memory."""

from collections.abc import Mapping, Sequence
from typing import Any

from functions.domain.instants import Instant
from functions.domain.linking_attempts import (
    CODE_TRIES_MAX,
    CODE_TRIES_WINDOW,
    Attempt,
    Taken,
    Way,
    may_take,
)
from functions.ports.errors import Rejected
from functions.ports.identities import SecretKind
from tests.fakes.encoded import kept, read


class FakeOnce:
    """Names that are used up."""

    def __init__(self) -> None:
        self.used: dict[tuple[str, str], Instant] = {}

    def use(self, purpose: str, name: str, until: Instant) -> bool:
        """True for the first only."""
        if (purpose, name) in self.used:
            return False
        self.used[purpose, name] = until
        return True


class FakeReplies:
    """Replies in the chat: a token works once."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Mapping[str, Any]]] = []
        self.raises: Exception | None = None

    def reply(self, reply_token: str, messages: Sequence[Mapping[str, Any]]) -> None:
        """Once a token."""
        if self.raises:
            raise self.raises
        if reply_token in [token for token, _ in self.said]:
            raise Rejected("http_400")
        self.said += [(reply_token, message) for message in messages]


class FakeLinkAttempts:
    """Attempts, who took them up, and the tries of each LINE user."""

    def __init__(self) -> None:
        self._bodies: dict[str, bytes] = {}
        self._taken: dict[str, Taken] = {}
        self._names: dict[tuple[SecretKind, str], str] = {}
        self._tries: dict[str, tuple[Instant, set[str]]] = {}

    def begin(self, attempt: Attempt) -> None:
        """Keep it."""
        self._bodies.setdefault(attempt.attempt_id, kept(attempt, Attempt))

    def name(self, attempt: Attempt, kind: SecretKind, secret: str) -> bool:
        """Whether the secret had none."""
        if (kind, secret) in self._names:
            return False
        self._names[kind, secret] = attempt.attempt_id
        return True

    def named(self, kind: SecretKind, secret: str) -> str | None:
        """What a secret stands for."""
        return self._names.get((kind, secret))

    def find(self, attempt_id: str) -> Attempt | None:
        """The attempt."""
        return read(self._bodies.get(attempt_id), Attempt)

    def take(self, attempt_id: str, user: str, at: Instant, way: Way) -> Taken | None:
        """The first keeps it."""
        attempt = self.find(attempt_id)
        if attempt is None:
            return None
        if attempt_id not in self._taken and may_take(attempt, user, at):
            self._taken[attempt_id] = Taken(attempt, user, at, way)
        taken = self._taken.get(attempt_id)
        return taken if taken is not None and taken.line_user_id == user else None

    def lapsed(self, attempt_id: str) -> Attempt | None:
        """Where nobody has it."""
        return None if attempt_id in self._taken else self.find(attempt_id)

    def may_try(self, user: str, event_id: str, at: Instant) -> bool:
        """Five an hour."""
        began, tried = self._tries.get(user, (at, set()))
        if began <= at - CODE_TRIES_WINDOW:
            began, tried = at, set()
        if event_id not in tried and len(tried) >= CODE_TRIES_MAX:
            return False
        self._tries[user] = (began, {*tried, event_id})
        return True
