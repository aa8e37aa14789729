"""Addresses of our own for one reader, signed as of when the message was made: the same in every attempt."""

import datetime as dt
import logging
from collections.abc import Callable, Collection, Sequence

from functions.domain.addresses import PREFERENCES_URL
from functions.domain.playbook import Links
from functions.domain.sends import Intent
from functions.domain.tracked_links import Content, FoundLink, click_for, payload_of, rewritten
from functions.tokens import Tokens

logger = logging.getLogger(__name__)


class SignedAddresses:
    """The addresses port. `keys` are asked for only where a message has an address; `base_url` is that of the pages.

    Between the two steps of a key's rotation a message that waits for LINE's answer changes its bytes, and ends unknown.
    """

    def __init__(self, keys: Callable[[], Sequence[str]], base_url: str) -> None:
        self._keys = keys
        self._base_url = base_url
        self._told: set[str] = set()

    def of(self, intent: Intent, names: Collection[str]) -> dict[str, str]:
        """Name → address, of those that the message has."""
        if PREFERENCES_URL not in names:
            return {}
        token = self._tokens(intent).sign("preferences", {"u": intent.line_user_id})
        return {PREFERENCES_URL: f"{self._base_url}/link/preferences?p={token}"}

    def tracked(self, intent: Intent, links: Links, content: Content) -> Content:
        """The message with addresses of ours instead of its links. One that would be too long for LINE stays as it is."""
        tokens, expires = self._tokens(intent), dt.timedelta(seconds=links.expires_seconds)

        def address_for(link: FoundLink, number: int) -> str:
            token = tokens.sign("click", payload_of(click_for(intent, link, number, expires)))
            return f"{self._base_url}/c/{token}"

        changed, too_long = rewritten(content, links, self._base_url, address_for)
        if too_long and intent.message not in self._told:
            self._told.add(intent.message)
            logger.warning(
                "a link of message %s is too long to be tracked, and is not counted", intent.message
            )
        return changed

    def _tokens(self, intent: Intent) -> Tokens:
        return Tokens(self._keys, lambda: intent.made_at)
