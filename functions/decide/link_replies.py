"""What the account answers in the chat to who is linking: whether a code counted, and the personal link to a page of ours.

A button or a rich menu anywhere may carry the postback data `musubi:link` or `musubi:manage`; who presses it is answered
with a link that is that LINE user's own. Best effort: a reply that is lost is asked for again by another press.
"""

import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from functions.domain.instants import Instant
from functions.domain.line_events import LineEvent
from functions.ports.errors import MusubiError
from functions.ports.tokens import SignedTokens

Page = Literal["dialog", "manage"]
POSTBACKS: Mapping[str, Page] = {"musubi:link": "dialog", "musubi:manage": "manage"}
REPLY_TOKEN_LIVES = dt.timedelta(seconds=50)
"""LINE says about a minute: what is older is not tried."""
LINKED = "会員情報とつながりました。\nYour account is linked."
WRONG = (
    "コードが正しくないか、時間が過ぎています。お店の画面で新しいコードをご確認ください。\n"
    "This code is wrong or too old. Please get a new one from the shop."
)
_INVITATIONS: Mapping[Page, tuple[str, str]] = {
    "dialog": (
        "お店の会員情報と LINE をつなぎます。\nLink your account at the shop and LINE.",
        "つなぐ / Link",
    ),
    "manage": (
        "つながりの確認と解除ができます。\nSee your link, or end it.",
        "開く / Open",
    ),
}
logger = logging.getLogger(__name__)


class Replies(Protocol):
    """Replies in the chat."""

    def reply(self, reply_token: str, messages: Sequence[Mapping[str, Any]]) -> None:
        """Say this, once. Raises MusubiError."""


@dataclass(frozen=True, slots=True)
class LinkReplies:
    """The ports of this part. `base_url`: where our pages are."""

    replies: Replies
    tokens: SignedTokens
    base_url: str
    now: Callable[[], Instant]

    def code(self, line_event: LineEvent, *, counted: bool) -> None:
        """Whether a code that was typed has linked."""
        self._say(line_event, {"type": "text", "text": LINKED if counted else WRONG})

    def postback(self, line_event: LineEvent) -> None:
        """The personal link that a button asks for; any other postback is not ours."""
        data = line_event.event.properties["raw"].get("postback")
        asked = data.get("data") if isinstance(data, Mapping) else None
        page = POSTBACKS.get(asked) if isinstance(asked, str) else None
        if page is not None:
            self._say(line_event, self._invitation(page, line_event.line_user_id))

    def _invitation(self, page: Page, user: str) -> dict[str, Any]:
        text, label = _INVITATIONS[page]
        token = self.tokens.sign("friend", {"u": user})
        action = {"type": "uri", "label": label, "uri": f"{self.base_url}/link/{page}?f={token}"}
        template = {"type": "buttons", "text": text, "actions": [action]}
        return {"type": "template", "altText": text, "template": template}

    def _say(self, line_event: LineEvent, message: Mapping[str, Any]) -> None:
        token = line_event.event.properties["raw"].get("replyToken")
        is_fresh = self.now() - line_event.event.occurred_at < REPLY_TOKEN_LIVES
        if not isinstance(token, str) or not token or not is_fresh:
            return
        try:
            self.replies.reply(token, [message])
        except MusubiError as error:
            logger.info("a reply was not taken: %s", error)
