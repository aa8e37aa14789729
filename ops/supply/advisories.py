"""`python -m ops.supply.advisories`: known vulnerabilities of every locked package, asked by pip-audit.

An answer "nothing is known" and no answer are told apart: pip-audit calls a package that its service has not heard of
*skipped* and ends well, which behind a mirror without that service means that nothing was looked at.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ops.supply.locks import BUNDLES, MACHINE

SECONDS_MAX: Final = 600
FOUND, UNASKED = 1, 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What was learnt of one lock file: how many packages were looked at, which not, and what is known of the others."""

    looked_at: int
    skipped: tuple[str, ...]
    vulnerable: tuple[str, ...]


def read(told: Mapping[str, Any]) -> Answer:
    """pip-audit's own JSON."""
    every = told["dependencies"]
    skipped = tuple(one["name"] for one in every if "skip_reason" in one)
    vulnerable = tuple(
        f"{one['name']} {one['version']}: {fault['id']}, {_mended(fault['fix_versions'])}"
        for one in every
        for fault in one.get("vulns", ())
    )
    return Answer(len(every) - len(skipped), skipped, vulnerable)


def _mended(versions: Sequence[str]) -> str:
    return f"mended in {', '.join(versions)}" if versions else "not mended yet"


def ask(lock: Path) -> Answer | None:
    """pip-audit's answer for one lock file; None where it got none."""
    options = ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), *options]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=SECONDS_MAX)
        return read(json.loads(done.stdout))
    except (subprocess.TimeoutExpired, ValueError):
        return None


def told(lock: str, answer: Answer | None) -> tuple[int, str]:
    """The exit code that an answer asks for, and a line or more of text."""
    if answer is None or not answer.looked_at:
        return (
            UNASKED,
            f"{lock}: NOT CHECKED: the advisory database cannot be reached from here; ask again where it can",
        )
    lines = [f"{lock}: {one}" for one in answer.vulnerable]
    lines.append(
        f"{lock}: {answer.looked_at} packages looked at, {len(answer.vulnerable)} vulnerabilities known"
    )
    if answer.skipped:
        lines.append(f"{lock}: NOT CHECKED: {', '.join(answer.skipped)}")
    code = FOUND if answer.vulnerable else UNASKED if answer.skipped else 0
    return code, "\n".join(lines)


def main() -> int:
    """1 where something is known to be vulnerable, 3 where something could not be asked."""
    codes = []
    for name, lock in {**BUNDLES, **MACHINE}.items():
        code, text = told(name, ask(lock))
        codes.append(code)
        print(text, file=sys.stderr if code else sys.stdout)
    return FOUND if FOUND in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main())
