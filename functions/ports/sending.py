"""What becomes of an intent: filled in, sent alone or with others, and noted."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol, TypeVar

from functions.domain.batches import Entry, Sealed
from functions.domain.instants import Instant
from functions.domain.playbook import Links
from functions.domain.sends import Intent, SendRecord
from functions.ports.customers import Written
from functions.ports.line import Accepted

_Answer = TypeVar("_Answer")


class Together(Protocol):
    """Carries out calls side by side."""

    def __call__(self, calls: Sequence[Callable[[], _Answer]]) -> list[_Answer | Exception]:
        """What each call answered, or raised; in the order of the calls."""


class Renderer(Protocol):
    """Templates and frozen values to message objects; the same input gives the same bytes."""

    def render(self, content: list[dict[str, Any]], values: dict[str, Any]) -> list[dict[str, Any]]:
        """Raises ValueError where a template cannot be filled."""


class Sends(Protocol):
    """The send log."""

    def record_all(self, records: Sequence[SendRecord]) -> list[Written]:
        """Write each terminal state unless there is one; what became of each."""

    def find(self, customer_id: str, made_at: Instant, send_id: str) -> SendRecord | None:
        """The record of one intent, read consistently."""


class Reconciled(Protocol):
    """The send log, as a person may change it: the one way by which a record is ever overwritten."""

    def resolve(self, before: SendRecord, after: SendRecord) -> bool:
        """Write `after` on condition that the record is `before`, word for word, and unknown; whether it stands now."""


class Addresses(Protocol):
    """Addresses of our own for the reader of one message, the same in every attempt."""

    def of(self, intent: Intent, names: Collection[str]) -> dict[str, str]:
        """Name → address of a page."""

    def tracked(self, intent: Intent, links: Links, content: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """A rendered message whose links lead by us. Raises ValueError where one cannot be signed."""


class Batches(Protocol):
    """Multicast batches: what was sealed first stays, and each place of a journal is taken once."""

    def sealed(self, batch: str) -> Sealed | None:
        """Members and content, where the batch is sealed."""

    def seal(self, batch: str, sealed: Sealed) -> Sealed:
        """Members and content as they were sealed first."""

    def journal(self, batch: str) -> list[Entry]:
        """What has happened to it, in order."""

    def enter(self, batch: str, place: int, entry: Entry) -> bool:
        """Take the next place (from 1) of the journal; whether nobody else had."""

    def refuse(self, batch: str, place: int) -> None:
        """Note that LINE definitely did not take the call of this place."""

    def accepted(self, batch: str) -> Accepted | None:
        """That LINE has taken the batch; None where nobody knows of it."""

    def accept(self, batch: str, accepted: Accepted) -> None:
        """Note that LINE has taken it."""
