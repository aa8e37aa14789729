"""Who the account's friends are, and who blocked it, left it or was never there."""

import re
from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec

FriendState = Literal["friend", "blocked", "left"]
USER_ID = re.compile(r"U[0-9a-f]{32}")
RECIPIENT_ID = re.compile(r"[UCR][0-9a-f]{32}")


class Friend(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user of the account's provider. `left` is known but no friend: left LINE, or removed the account."""

    user_id: Annotated[str, msgspec.Meta(pattern="^[UCR][0-9a-f]{32}$")]
    display_name: str = ""
    state: FriendState = "friend"


class FriendBook:
    """All known users by id. Callers hold the world's lock."""

    def __init__(self) -> None:
        self._friends: dict[str, Friend] = {}

    def register(self, friends: Iterable[Friend]) -> None:
        """Add users, or replace those with the same id."""
        self._friends.update((friend.user_id, friend) for friend in friends)

    def find(self, user_id: str) -> Friend | None:
        """The user, or None for an id of another provider or a made-up one."""
        return self._friends.get(user_id)

    def befriend_if_unknown(self, user_id: str) -> Friend:
        """The user, registered as a friend where the well-formed id is new."""
        return self._friends.setdefault(user_id, Friend(user_id=user_id))

    def meet(self, user_id: str) -> Friend:
        """The user of the provider who logs in; known but no friend where new. ValueError for a malformed id."""
        if not USER_ID.fullmatch(user_id):
            raise ValueError("A LINE user id is U and 32 hexadecimal digits.")
        return self._friends.setdefault(user_id, Friend(user_id=user_id, state="left"))

    def move(self, user_id: str, state: FriendState, display_name: str = "") -> Friend | None:
        """Give the user a new state; returns who it was before, None where unknown until now."""
        before = self._friends.get(user_id)
        name = display_name or (before.display_name if before else "")
        self._friends[user_id] = Friend(user_id=user_id, display_name=name, state=state)
        return before

    def in_state(self, state: FriendState) -> list[Friend]:
        """The users in one state, in the order of registration."""
        return [friend for friend in self._friends.values() if friend.state == state]

    def everybody(self) -> list[Friend]:
        """All known users, in the order of registration."""
        return list(self._friends.values())

    def clear(self) -> None:
        """Forget everybody."""
        self._friends.clear()


def is_recipient_id(text: object) -> bool:
    """Whether it has the form of a user, group or room id."""
    return isinstance(text, str) and RECIPIENT_ID.fullmatch(text) is not None
