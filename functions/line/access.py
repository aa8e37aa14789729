"""The channel access token, as every client of the Messaging API asks for it."""

from typing import Protocol


class AccessToken(Protocol):
    """The channel access token."""

    def __call__(self) -> str:
        """The token."""

    def forget(self) -> None:
        """Fetch it anew at the next call."""
