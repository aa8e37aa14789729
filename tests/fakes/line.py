"""LINE in memory: retry keys for 24 hours, friends and blocks, and whatever answer a test asks for."""

import datetime as dt
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from functions.domain.instants import Instant
from functions.ports.errors import AccountRefused, OverQuota, RateLimited, Rejected, Unknown
from functions.ports.line import Accepted

KEY_LIFE = dt.timedelta(hours=24)
Outcome = Literal[
    "ok",
    "timeout",
    "500",
    "accept_then_timeout",
    "accept_then_500",
    "rate",
    "same_user",
    "monthly",
    "401",
    "403",
    "400",
]


class Push(msgspec.Struct, frozen=True):
    """A push that LINE accepted as a new send."""

    to: str
    key: str
    texts: list[str]
    at: Instant
    delivered: bool
    messages: list[Mapping[str, Any]] = []
    unit: str = ""


class FakeLine:
    """One channel. `script` gives the outcomes of the next calls, `always` that of all others."""

    def __init__(self, now: Callable[[], Instant]) -> None:
        self._now = now
        self.friends: set[str] = set()
        self.blocked: set[str] = set()
        self.script: deque[Outcome] = deque()
        self.always: Outcome = "ok"
        self.calls: list[tuple[str, str]] = []
        self.pushes: list[Push] = []
        self.menus: dict[str, str] = {}
        self.multicasts: list[tuple[list[str], str]] = []
        self._accepted: dict[str, tuple[Instant, Accepted, object]] = {}

    def push(
        self, to: str, messages: Sequence[Mapping[str, Any]], retry_key: str, unit: str = ""
    ) -> Accepted:
        """One call."""
        self.calls.append((to, retry_key))
        return self._asked([to], messages, retry_key, unit)

    def multicast(
        self, to: Sequence[str], messages: Sequence[Mapping[str, Any]], retry_key: str, unit: str = ""
    ) -> Accepted:
        """One call for up to 500."""
        assert 1 <= len(to) <= 500
        assert len(set(to)) == len(to)
        self.multicasts.append((list(to), retry_key))
        return self._asked(to, messages, retry_key, unit)

    def _asked(
        self, to: Sequence[str], messages: Sequence[Mapping[str, Any]], retry_key: str, unit: str = ""
    ) -> Accepted:
        outcome = self.script.popleft() if self.script else self.always
        _refuse(outcome)
        accepted = self._accept(to, messages, retry_key, unit)
        if outcome in ("accept_then_timeout", "accept_then_500"):
            raise Unknown("no answer")
        return accepted

    def link_menu(self, user: str, rich_menu_id: str) -> None:
        """One call; what is accepted counts, whether it is answered or not."""
        self._change_menu(user, rich_menu_id)

    def unlink_menu(self, user: str) -> None:
        """One call."""
        self._change_menu(user, "")

    def _change_menu(self, user: str, rich_menu_id: str) -> None:
        self.calls.append((user, rich_menu_id or "default"))
        outcome = self.script.popleft() if self.script else self.always
        _refuse(outcome)
        self.menus[user] = rich_menu_id
        if outcome in ("accept_then_timeout", "accept_then_500"):
            raise Unknown("no answer")

    def _accept(
        self, to: Sequence[str], messages: Sequence[Mapping[str, Any]], retry_key: str, unit: str
    ) -> Accepted:
        assert str(uuid.UUID(retry_key)) == retry_key
        assert 1 <= len(messages) <= 5
        now = self._now()
        earlier = self._accepted.get(retry_key)
        if earlier and now - earlier[0] < KEY_LIFE:
            assert earlier[2] == (list(to), list(messages), unit), (
                "a retry key that is used for something else"
            )
            return earlier[1]  # 409, with the id of the request that was accepted
        if any(one not in self.friends and one not in self.blocked for one in to):
            raise Rejected("http_400")
        texts = [str(message.get("text", "")) for message in messages]
        self.pushes += [
            Push(one, retry_key, texts, now, one in self.friends, [*messages], unit) for one in to
        ]
        accepted = Accepted(f"request-{len(self.pushes)}")
        self._accepted[retry_key] = (now, accepted, (list(to), list(messages), unit))
        return accepted

    def copies(self, user: str) -> list[str]:
        """The texts that reached a user."""
        return [text for push in self.pushes if push.to == user and push.delivered for text in push.texts]

    def block(self, user: str) -> None:
        """The user blocks the account."""
        self.friends.discard(user)
        self.blocked.add(user)


def _refuse(outcome: Outcome) -> None:
    match outcome:
        case "timeout" | "500":
            raise Unknown("no answer")
        case "rate":
            raise RateLimited("rate_limit")
        case "same_user":
            raise Rejected("same_user_limit")
        case "monthly":
            raise OverQuota("monthly_limit")
        case "401" | "403":
            raise AccountRefused(f"http_{outcome}")
        case "400":
            raise Rejected("http_400")
        case _:
            return
