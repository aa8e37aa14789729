"""What is signed, and what is used once."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Literal, Protocol

from functions.domain.instants import Instant

Purpose = Literal["ticket", "state", "friend", "preferences", "choice", "unlink", "inflow", "click", "return"]


class SignedTokens(Protocol):
    """What an address or a form may carry, and nobody but us can have said."""

    def sign(self, purpose: Purpose, payload: Mapping[str, Any]) -> str:
        """The payload as a token, as old as it is from now on."""

    def read(self, purpose: Purpose, token: str, max_age: dt.timedelta) -> dict[str, Any]:
        """What a token says. Raises TokenExpired, or TokenInvalid for anything that is no token for this purpose."""


class SingleUse(Protocol):
    """Names that are used up."""

    def use(self, purpose: str, name: str, until: Instant) -> bool:
        """Use up a name that nobody accepts after `until` anyway; True for the first only."""
