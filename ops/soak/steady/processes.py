"""What the processes of a run hold and have computed, as Linux tells it (proc(5))."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ops.target import STACK_NAME

WORKER = re.compile(rf"{STACK_NAME}-(\w+?)Function")
MEGABYTE = 1024
_TICKS_SECOND = os.sysconf("SC_CLK_TCK")


class Held(msgspec.Struct, frozen=True):
    """One process: of what (`engine`, `sandbox`, or the function whose worker it is), resident MB, processor seconds."""

    process: int
    name: str
    resident_mb: float
    cpu_seconds: float


def processes_of(run_dir: Path, proc: Path = Path("/proc")) -> list[Held]:
    """All of a run's processes that are alive."""
    return [held for entry in proc.iterdir() if entry.name.isdigit() for held in _held(entry, str(run_dir))]


def _held(entry: Path, run_dir: str) -> Iterator[Held]:
    try:
        command = (entry / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
        if run_dir not in command:
            return
        status = (entry / "status").read_text(encoding="ascii", errors="replace")
        # "pid (name) state …", then user and system time as the 14th and 15th field; the name may hold anything.
        fields = (entry / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return  # gone meanwhile
    resident = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), 0)
    if resident and (name := _name_of(command)):
        spent = (int(fields[11]) + int(fields[12])) / _TICKS_SECOND
        yield Held(int(entry.name), name, resident / MEGABYTE, spent)


def _name_of(command: str) -> str:
    if found := WORKER.search(command):
        return found[1].lower()
    return "engine" if "serve.py" in command else "sandbox" if "ops.line_sandbox" in command else ""
