"""Dead letters and their replays."""

from collections.abc import Sequence
from typing import Protocol

from functions.domain.dead_letters import Letter
from functions.domain.instants import Instant
from functions.domain.redrives import Page, Redrive, Tally, Trail
from functions.ports.messages import Payload


class DeadLetters(Protocol):
    """The dead-letter queues, each by the name of what it serves."""

    def queues(self) -> list[str]:
        """Their names."""

    def receive(self, queue: str) -> list[Letter]:
        """At most ten letters with what is noted of their failure, hidden from others for minutes; empty at the end."""

    def read(self, letter: Letter) -> Payload | None:
        """What it carries; None where that cannot be read."""

    def release(self, letters: Sequence[Letter]) -> None:
        """Let others see these again, at once."""

    def put_back(self, letters: Sequence[Letter]) -> dict[str, str]:
        """Put letters of one queue back to where they died; the ids of those taken in, each with its new one."""

    def delete(self, letters: Sequence[Letter]) -> set[str]:
        """Take letters of one queue away for good; the ids of those that are gone."""


class Redrives(Protocol):
    """The audit of replays. What was written stays as it is."""

    def begin(self, redrive: Redrive) -> None:
        """Note what is asked for, before anything is done."""

    def write(self, redrive_id: str, page: int, stage: str, record: Page) -> None:
        """Note one stage (planned, put, deleted) of one page."""

    def finish(self, redrive_id: str, at: Instant, tally: Tally) -> None:
        """Note that nothing is left to do."""

    def trail(self, redrive_id: str) -> Trail | None:
        """What is on record; None where there is no such replay."""

    def begun(self, since: Instant) -> list[Trail]:
        """The replays begun since then, in order."""

    def unfinished(self, since: Instant) -> list[Trail]:
        """Those of them that were not finished."""
