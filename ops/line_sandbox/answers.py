"""What the sandbox answers: LINE's statuses, bodies and headers, with LINE's own wording where it is published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

JsonObject = dict[str, Any]

RATE_LIMITED = "The API rate limit has been exceeded. Try again later."
MONTHLY_LIMIT_REACHED = "You have reached your monthly limit."
# LINE publishes no text for this one; clients can tell it only by its being neither of the other two.
SAME_USER_LIMITED = "Too many messages have been sent to the same user."
AUTHENTICATION_FAILED = (
    "Authentication failed. Confirm that the access token in the authorization header is valid."
)
NOT_AVAILABLE = "Access to this API is not available for your account"
FAILED_TO_SEND = "Failed to send messages"
INVALID_REPLY_TOKEN = "Invalid reply token"  # noqa: S105 - LINE's message, no secret
NOT_STORED: Mapping[str, str] = {"cache-control": "no-store"}
RETRY_KEY_ACCEPTED = "The retry key is already accepted"


@dataclass(frozen=True, slots=True)
class Content:
    """A body that is no JSON: a page, a script, or nothing."""

    media_type: str
    data: bytes


NOTHING = Content("text/plain; charset=utf-8", b"")


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer. `accepted` marks what LINE took in; `dropped` closes the connection unanswered.

    `content` stands in the place of the JSON `body` where it is there.
    """

    status: int
    body: JsonObject = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    accepted: bool = False
    dropped: bool = False
    content: Content | None = None


class RefusedError(Exception):
    """The request is answered with an error; `answer` is that answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body.get("message", ""))
        self.answer = answer


def error(status: int, message: str, details: Sequence[Mapping[str, str]] = ()) -> Answer:
    """LINE's error body `{message, details?: [{message?, property?}]}`; empty details are left out."""
    body: JsonObject = {"message": message}
    if details:
        body["details"] = [dict(detail) for detail in details]
    return Answer(status, body)


def oauth_error(status: int, code: str, description: str) -> Answer:
    """The error body of LINE Login's OAuth endpoints: `{error, error_description}`."""
    return Answer(status, {"error": code, "error_description": description}, headers=NOT_STORED)


def redirect(location: str) -> Answer:
    """302 to an address that the caller has checked."""
    return Answer(302, headers={"location": location, **NOT_STORED}, content=NOTHING)


def refused(status: int, message: str, details: Sequence[Mapping[str, str]] = ()) -> RefusedError:
    """The same error, to be raised."""
    return RefusedError(error(status, message, details))
