"""What becomes of facts: the lake, and what is told as it happens."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from functions.domain.facts import Fact
from functions.domain.lake import Table
from functions.domain.live import Told


class Lake(Protocol):
    """Objects by key, some of them large: facts, what is derived from them, and rows that wait to be merged."""

    def keys(self, prefix: str) -> list[str]:
        """The keys under a prefix, sorted."""

    def fetch(self, key: str, path: Path) -> bool:
        """Copy an object into a local file, whose directory is made; False, and no file, where there is none."""

    def fetch_tagged(self, key: str, path: Path) -> str | None:
        """As `fetch`; the tag that names this content of the object, or None where there is none."""

    def store(self, key: str, path: Path) -> None:
        """Write an object from a local file, whatever was there: whole or not at all."""

    def store_over(self, key: str, path: Path, tag: str | None) -> bool:
        """Write on condition that the object still has the content of this tag (None: that there is none); whether it was
        written."""

    def remove(self, keys: Collection[str]) -> None:
        """Take objects away; those that are gone already are no fault."""


class Unreadable(msgspec.Struct, frozen=True):
    """A write that no fact can be made of: what kind it was, and the name of the error. No id, for it goes to the log."""

    what: str
    why: str


class LiveBus(Protocol):
    """Where what happens is told as it happens."""

    def tell(self, told: Sequence[Told]) -> int:
        """Tell all; how many were refused for good. Raises Retryable where some were not taken in: all are told again."""


class RawFacts(Protocol):
    """Rows of facts that wait to be merged."""

    def drop(self, table: Table, rows: Sequence[Fact]) -> None:
        """Keep rows of one table; the same rows again change nothing."""
