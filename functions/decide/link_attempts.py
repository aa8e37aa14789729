"""The part of decide that takes attempts to link up: the account-link dialog's nonce, and codes typed in the chat.

What LINE signed says who took it up; what it stands for says a row of ours. To do it twice does no harm: the same LINE
user gets the same attempt, and the events that follow are the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.decide.link_replies import LinkReplies
from functions.domain.instants import Instant
from functions.domain.line_events import LineEvent
from functions.domain.linking_attempts import Taken, Way, code_in, lapsed_event, link_events
from functions.ports.account import Measures
from functions.ports.identities import LinkAttempts
from functions.ports.messages import EventsReceived, LinkAttemptDue

REFUSED = "LinkAttemptsRefused"


@dataclass(frozen=True, slots=True)
class TakeUp:
    """The ports of this part."""

    attempts: LinkAttempts
    measures: Measures
    replies: LinkReplies

    def follow(self, line_event: LineEvent) -> EventsReceived | None:
        """The link that follows from what a LINE user did; None where there is none."""
        taken: Taken | None = None
        match line_event.event.name:
            case "line_accountLink":
                taken = self._dialog(line_event)
            case "line_message":
                taken = self._code(line_event)
        if taken is None:
            return None
        return EventsReceived(taken.attempt.customer_id, link_events(taken))

    def answer(self, line_event: LineEvent, followed: EventsReceived | None) -> None:
        """What the account says to it, everything else being done."""
        match line_event.event.name:
            case "line_postback":
                self.replies.postback(line_event)
            case "line_message" if self._may_be_told(line_event):
                self.replies.code(line_event, counted=followed is not None)

    def _may_be_told(self, line_event: LineEvent) -> bool:
        """Whether it was a code, and one that was looked at: who guesses hears nothing after the fifth."""
        event = line_event.event
        return _typed(line_event) is not None and self.attempts.may_try(
            line_event.line_user_id, event.event_id, event.occurred_at
        )

    def expired(self, due: LinkAttemptDue) -> EventsReceived | None:
        """What the friend is told of who began and did not end it; None where it was taken up."""
        attempt = self.attempts.lapsed(due.attempt_id)
        if attempt is None or not attempt.for_user:
            return None
        event = lapsed_event(attempt, due.due)
        return EventsReceived(event.customer_id, [event])

    def _dialog(self, line_event: LineEvent) -> Taken | None:
        """A nonce that is unknown, over, or another LINE user's links nothing: it is counted, and the webhook is kept."""
        link = _part(line_event, "link")
        if link.get("result") != "ok":
            return None
        return self._taken(self.attempts.named("nonce", str(link.get("nonce", ""))), line_event, "dialog")

    def _code(self, line_event: LineEvent) -> Taken | None:
        """Five looks an hour: who tries more is answered nothing, whatever they type."""
        code = _typed(line_event)
        if code is None:
            return None
        user, event = line_event.line_user_id, line_event.event
        if not self.attempts.may_try(user, event.event_id, event.occurred_at):
            self.measures.count(REFUSED, 1)
            return None
        return self._taken(self.attempts.named("code", code), line_event, "code")

    def _taken(self, attempt_id: str | None, line_event: LineEvent, way: Way) -> Taken | None:
        at: Instant = line_event.event.occurred_at
        taken = self.attempts.take(attempt_id, line_event.line_user_id, at, way) if attempt_id else None
        if taken is None:
            self.measures.count(REFUSED, 1)
        return taken


def _typed(line_event: LineEvent) -> str | None:
    """The code that a message is; None where it is none."""
    message = _part(line_event, "message")
    text = message.get("text")
    return code_in(text) if message.get("type") == "text" and isinstance(text, str) else None


def _part(line_event: LineEvent, name: str) -> Mapping[str, Any]:
    """A part of the raw event; empty where it is no object."""
    part = line_event.event.properties["raw"].get(name)
    return part if isinstance(part, Mapping) else {}
