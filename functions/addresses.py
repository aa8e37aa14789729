"""Addresses of our own pages for one reader, signed as of when the message was made: the same in every attempt."""

from collections.abc import Callable, Collection, Sequence

from functions.domain.addresses import PREFERENCES_URL
from functions.domain.sends import Intent
from functions.tokens import Tokens


class SignedAddresses:
    """The addresses port. `keys` are asked for only where a message has an address; `base_url` is that of the pages.

    Between the two steps of a key's rotation a message that waits for LINE's answer changes its bytes, and ends unknown.
    """

    def __init__(self, keys: Callable[[], Sequence[str]], base_url: str) -> None:
        self._keys = keys
        self._base_url = base_url

    def of(self, intent: Intent, names: Collection[str]) -> dict[str, str]:
        """Name → address, of those that the message has."""
        if PREFERENCES_URL not in names:
            return {}
        tokens = Tokens(self._keys, lambda: intent.made_at)
        token = tokens.sign("preferences", {"u": intent.line_user_id})
        return {PREFERENCES_URL: f"{self._base_url}/link/preferences?p={token}"}
