"""What is wrong with a playbook, told so that its author can mend it."""

from pathlib import Path
from typing import NamedTuple

from functions.domain.playbook import Playbook


class PlaybookFault(NamedTuple):
    """One fault or warning: where it stands (lines count from 1), what it is, why, and how to mend it."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class PlaybookFaults(Exception):
    """A playbook that cannot be compiled, with all its faults at once."""

    def __init__(self, faults: list[PlaybookFault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


class CheckResult(NamedTuple):
    """What a check found: the compiled playbook where there are no faults, and warnings in either case."""

    directory: Path
    playbook: Playbook | None
    faults: list[PlaybookFault]
    warnings: list[PlaybookFault]
