"""Dead-letter queues and the audit of replays, in memory."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from functions.aws.dead_letters import read_payload
from functions.domain.dead_letters import FailureNote, Letter
from functions.domain.instants import Instant
from functions.domain.redrives import Page, Redrive, Tally, Trail
from functions.ports.errors import Conflict
from functions.ports.messages import MissedMinute, Payload
from tests.fakes.encoded import kept
from tests.fakes.queues import FakeQueue

BATCH_MAX = 10


class FakeDeadLetters:
    """Letters are hidden from when they are received until they are released: a worker that is gone hides them until
    `show_all`. `refuses`: bodies that their queue does not take in; `sticks`: ids that cannot be deleted."""

    def __init__(
        self, work: Mapping[str, FakeQueue], tick: Callable[[Instant], object], now: Callable[[], Instant]
    ) -> None:
        self._work = work
        self._tick = tick
        self._now = now
        self._letters: dict[str, Letter] = {}
        self._hidden: set[str] = set()
        self._numbers = 0
        self.refuses: set[str] = set()
        self.sticks: set[str] = set()
        self.put_count = 0

    def bury(
        self,
        queue: str,
        body: str,
        *,
        note: FailureNote | None = None,
        moved: bool = True,
        message_id: str = "",
    ) -> str:
        """A letter more; its id."""
        self._numbers += 1
        message_id = message_id or f"letter-{self._numbers:04}"
        self._letters[message_id] = Letter(message_id, queue, body, self._now(), moved=moved, note=note)
        return message_id

    def show_all(self) -> None:
        """So much time has passed that nothing is hidden."""
        self._hidden.clear()

    def left(self, queue: str = "") -> list[str]:
        """The ids of what is dead, hidden or not."""
        return [name for name, letter in self._letters.items() if queue in ("", letter.queue)]

    def visible(self) -> list[str]:
        """The ids of what anybody may receive."""
        return [name for name in self._letters if name not in self._hidden]

    def queues(self) -> list[str]:
        """Their names."""
        return [*self._work, "schedules"]

    def receive(self, queue: str) -> list[Letter]:
        """At most ten, hidden."""
        found = [
            letter
            for letter in self._letters.values()
            if letter.queue == queue and letter.message_id not in self._hidden
        ][:BATCH_MAX]
        self._hidden.update(letter.message_id for letter in found)
        return found

    def read(self, letter: Letter) -> Payload | None:
        """What it carries."""
        return read_payload(letter.queue, letter.body)

    def release(self, letters: Sequence[Letter]) -> None:
        """Let others see these."""
        self._hidden.difference_update(letter.message_id for letter in letters)

    def put_back(self, letters: Sequence[Letter]) -> dict[str, str]:
        """Put them back to where they died."""
        taken = {}
        for letter in letters:
            if letter.body in self.refuses:
                continue
            payload = self.read(letter)
            if isinstance(payload, MissedMinute):
                self._tick(payload.scheduled_at)
                taken[letter.message_id] = ""
                continue
            self._work["evaluate" if letter.queue == "schedules" else letter.queue].put([letter.body])
            self.put_count += 1
            taken[letter.message_id] = f"{letter.message_id}-again-{self.put_count}"
        return taken

    def delete(self, letters: Sequence[Letter]) -> set[str]:
        """Take them away for good."""
        gone = {letter.message_id for letter in letters} - self.sticks
        self._letters = {name: letter for name, letter in self._letters.items() if name not in gone}
        return gone


class FakeRedrives:
    """The audit: what was written stays."""

    def __init__(self) -> None:
        self._begun: dict[str, bytes] = {}
        self.pages: dict[tuple[str, int, str], bytes] = {}
        self.finished: dict[str, Tally] = {}

    def begin(self, redrive: Redrive) -> None:
        """Note what is asked for."""
        if redrive.redrive_id in self._begun:
            raise Conflict("somebody else goes on with this replay")
        self._begun[redrive.redrive_id] = kept(redrive, Redrive)

    def write(self, redrive_id: str, page: int, stage: str, record: Page) -> None:
        """Note one stage of one page."""
        if (redrive_id, page, stage) in self.pages:
            raise Conflict("somebody else goes on with this replay")
        self.pages[redrive_id, page, stage] = kept(record, Page)

    def finish(self, redrive_id: str, at: Instant, tally: Tally) -> None:
        """Note that nothing is left to do."""
        if redrive_id in self.finished:
            raise Conflict("somebody else goes on with this replay")
        self.finished[redrive_id] = tally

    def trail(self, redrive_id: str) -> Trail | None:
        """What is on record."""
        if redrive_id not in self._begun:
            return None
        own = {
            (page, stage): msgspec.json.decode(body, type=Page)
            for (name, page, stage), body in self.pages.items()
            if name == redrive_id
        }
        return Trail(
            msgspec.json.decode(self._begun[redrive_id], type=Redrive),
            pages=max((page for page, stage in own if stage == "planned"), default=0),
            put={
                old: new
                for (_, stage), page in own.items()
                if stage == "put"
                for old, new in page.put.items()
            },
            deleted=frozenset(old for page in own.values() for old in page.deleted),
            finished=redrive_id in self.finished,
        )

    def begun(self, since: Instant) -> list[Trail]:
        """The replays begun since then, in order."""
        trails = (self.trail(name) for name in sorted(self._begun))
        return [trail for trail in trails if trail is not None and trail.redrive.at >= since]

    def unfinished(self, since: Instant) -> list[Trail]:
        """Those of them that were not finished."""
        return [trail for trail in self.begun(since) if not trail.finished]
