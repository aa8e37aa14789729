"""click: whoever follows a tracked link is led on at once, and that they did goes into the inbox.

No table is read: the address to lead to stands in the token, signed. What is not signed, or too old, leads nowhere.
"""

import datetime as dt
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from functions.click.pages import Trouble, page
from functions.domain.instants import Instant
from functions.domain.tracked_links import Click, agent_of, click_of, event_of
from functions.ports.account import Measures
from functions.ports.errors import TokenExpired, TokenInvalid
from functions.ports.messages import EventsReceived
from functions.ports.queues import Inbox
from functions.ports.tokens import SignedTokens

logger = logging.getLogger(__name__)

TOKEN_CHARACTERS_MAX = 1_000
"""LINE takes no longer address."""
AGE_MAX = dt.timedelta(days=365 + 30)
"""No link is good for longer (functions/playbook/settings_models.py), and a message is made before it is sent."""
CLICKS_LOST = "ClicksLost"

_ALWAYS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
"""Nobody stores where a link led, and the page that it leads to does not learn the address with the token."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request. `request_id` is the API's; `purposes` what headers say of a fetch that nobody asked for yet."""

    method: str
    token: str
    request_id: str
    user_agent: str = ""
    purposes: tuple[str, ...] = ()
    accept_language: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer with all of its headers."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Follow:
    """The ports of this flow."""

    tokens: SignedTokens
    inbox: Inbox
    measures: Measures
    now: Callable[[], Instant]

    def answer(self, visit: Visit) -> Answer:
        """302 to where the link leads · 404 no link of ours · 410 too old. Raises where the keys cannot be read."""
        now = self.now()
        try:
            click = self._signed(visit.token)
        except TokenExpired:
            return trouble(410, "gone", visit.accept_language)
        except (TokenInvalid, ValueError):
            return trouble(404, "unknown", visit.accept_language)
        if now > click.expires_at:
            return trouble(410, "gone", visit.accept_language)
        agent = agent_of(visit.method, visit.user_agent, visit.purposes)
        self._tell(EventsReceived(click.customer_id, [event_of(click, agent, visit.request_id, now)]))
        return Answer(302, "", {**_ALWAYS, "location": click.address})

    def _signed(self, token: str) -> Click:
        if len(token) > TOKEN_CHARACTERS_MAX:
            raise TokenInvalid("no link is so long")
        return click_of(self.tokens.read("click", token, AGE_MAX))

    def _tell(self, message: EventsReceived) -> None:
        """Into the inbox. A click that is lost is counted; whoever made it is led on all the same."""
        try:
            self.inbox.put([message])
        except Exception as error:  # noqa: BLE001 — whatever keeps us from counting, nobody is kept from the shop
            logger.warning("a click is not told of (%s)", type(error).__name__)
            self.measures.count(CLICKS_LOST, 1)


def trouble(status: int, what: Trouble, accept_language: str) -> Answer:
    """A page instead of the way on."""
    headers = {**_ALWAYS, "content-type": "text/html; charset=utf-8"}
    return Answer(status, page(what, accept_language), headers)
