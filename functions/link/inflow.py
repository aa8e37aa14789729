"""Where a friend comes from: an address of ours on a poster, LINE's login so that we know who, and the account to add."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from functions.domain.inflow import InflowSource, inflow_event, token_digest
from functions.domain.line_events import anonymous_id
from functions.link.answers import Answer, Lang, redirect_to
from functions.link.completing import Completing
from functions.ports.errors import Rejected, TokenInvalid
from functions.ports.messages import EventsReceived

TOKEN_CHARACTERS_MAX = 300
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}")
POSTER_MAX = dt.timedelta(days=3650)
"""What is printed hangs for years; a source is closed by hand."""


class InflowSources(Protocol):
    """The sources that friends come by."""

    def find(self, name: str) -> InflowSource | None:
        """The source of a name."""

    def by_digest(self, digest: str) -> InflowSource | None:
        """The source whose token this is the digest of."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The ports of this part. `has_login`: whether LINE Login is set up; without it nobody knows who comes."""

    common: Completing
    sources: InflowSources
    has_login: Callable[[], bool]

    def source_of(self, token: str) -> InflowSource:
        """The source that an address names. Raises TokenInvalid; what is no token of ours by its looks costs no read."""
        if len(token) > TOKEN_CHARACTERS_MAX or not _TOKEN.fullmatch(token):
            raise TokenInvalid("no source has this address")
        source = self._signed(token) or self.sources.by_digest(token_digest(token))
        if source is None or source.digest != token_digest(token):
            raise TokenInvalid("no source has this address")
        return source

    def _signed(self, token: str) -> InflowSource | None:
        try:
            return self.sources.find(str(self.common.tokens.read("inflow", token, POSTER_MAX).get("n")))
        except Rejected:
            return None  # the key that signed it may be gone; then its digest finds it, or nothing does

    def counts(self, source: InflowSource) -> bool:
        """Whether anybody is asked who they are: a poster that was forgotten still leads to the account."""
        return source.closed_at is None and self.has_login()

    def to_the_account(self) -> Answer:
        """Where the account is added. Raises MusubiError where LINE does not tell."""
        return redirect_to(self.common.add_friend.add_friend_url())

    def arrived(self, name: str, user: str, lang: Lang, *, is_friend: bool | None) -> Answer:
        """Who came by a source is noted, once; then the account, where it is not added yet."""
        source, link = self.sources.find(name), self.common.identities.link_of(user)
        if source is not None and source.closed_at is None:
            owner = link.owner if link else anonymous_id(user)
            event = inflow_event(source, owner, user, self.common.now())
            self.common.inbox.put([EventsReceived(owner, [event])])
        return self.common.welcome(lang, is_friend=is_friend)
