"""docs/measured.json: what an event, a message and an idle minute take, as docs/performance.md shows it.

The one source of the counts that bills are made from: `python -m ops.bench --write-docs` writes both in the same run.
"""

from pathlib import Path
from typing import Final

import msgspec

from infra.bundle import ROOT
from ops.bench.bill import Work

FILE: Final = ROOT / "docs" / "measured.json"


class Counted(msgspec.Struct, frozen=True):
    """`event`, `message` (pushed in full batches): of each one; `idle_requests`: queries of a minute in which nothing is due."""

    event: Work = Work()
    message: Work = Work()
    idle_requests: int = 0


def as_text(counted: Counted) -> str:
    """The file."""
    return msgspec.json.format(msgspec.json.encode(counted), indent=2).decode() + "\n"


def read(path: Path = FILE) -> Counted:
    """What was measured last, and checked in."""
    return msgspec.json.decode(path.read_bytes(), type=Counted)
