"""What a look has found, and how it is told."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Status = Literal["ok", "note", "mend"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's answer. `ok`: as it should be; `note`: good to know, works without; `mend`: has to be mended, by `how`."""

    check: str
    status: Status
    told: str
    how: str = ""


Check = Callable[[], Iterator[Finding]]


def ok(check: str, told: str) -> Finding:
    """As it should be."""
    return Finding(check, "ok", told)


def note(check: str, told: str, how: str) -> Finding:
    """Works without."""
    return Finding(check, "note", told, how)


def mend(check: str, told: str, how: str) -> Finding:
    """Does not work, or will not for long."""
    return Finding(check, "mend", told, how)


def is_well(found: Sequence[Finding]) -> bool:
    """Whether nothing has to be mended."""
    return all(one.status != "mend" for one in found)


def as_json(found: Sequence[Finding]) -> dict[str, Any]:
    """For `--format json`."""
    return {"well": is_well(found), "findings": [asdict(one) for one in found]}
