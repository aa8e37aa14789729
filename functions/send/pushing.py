"""Asking LINE, and what its answer means."""

from collections.abc import Callable
from dataclasses import dataclass

from functions.ports.errors import AccountRefused, RateLimited, Rejected, Unknown
from functions.ports.line import Accepted

TRIES_MAX = 2


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing was answered, or nothing that tells: it may have arrived."""


@dataclass(frozen=True, slots=True)
class Refused:
    """LINE refused the last try. `unanswered`: an earlier one, of whichever worker, may have been accepted all the same."""

    refusal: Rejected | RateLimited
    unanswered: bool

    @property
    def is_for_now(self) -> bool:
        """Whether the call was refused, and not the message: by the rate limit, or the whole account."""
        return isinstance(self.refusal, RateLimited | AccountRefused)


Answer = Accepted | Silent | Refused


def answer_of(call: Callable[[], Accepted], *, unanswered: bool) -> Answer:
    """Call LINE, and once more with the same key where it does not answer. `unanswered`: so was an earlier try."""
    for _ in range(TRIES_MAX):
        try:
            return call()
        except Unknown:
            unanswered = True
        except (RateLimited, Rejected) as refusal:
            return Refused(refusal, unanswered)
    return Silent()
