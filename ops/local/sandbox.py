"""The LINE sandbox as a process of the run."""

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from infra.bundle import ROOT
from ops.engine.errors import LocalError
from ops.engine.processes import is_alive, start_group, tail
from ops.local.place import Place

START_SECONDS_MAX = 30.0
POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Credentials:
    """What LINE and the functions share. Made anew for each run."""

    channel_secret: str
    access_token: str
    login_channel_secret: str


def start_sandbox(place: Place, credentials: Credentials, suffix: str = "") -> int:
    """Start the sandbox on a free port; its pid. `suffix` tells several apart."""
    command = [
        sys.executable, "-m", "ops.line_sandbox", "--clock-file", str(place.clock_file),
        f"--channel-secret={credentials.channel_secret}", f"--access-token={credentials.access_token}",
    ]  # fmt: skip
    environment = {"PATH": os.defpath, "HOME": str(place.run_dir), "LANG": "C.UTF-8", "PYTHONUTF8": "1"}
    return start_group(command, environment, _log(place, suffix), ROOT)


def wait_for_url(place: Place, pid: int, suffix: str = "") -> str:
    """The address the sandbox answers at, once it says so; LocalError with its last words where it does not."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if url := _announced(_log(place, suffix)):
            return url
        if not is_alive(pid, str(place.run_dir)):
            break
        time.sleep(POLL_SECONDS)
    raise LocalError(f"The LINE sandbox did not start:\n{tail(_log(place, suffix))}")


def _announced(log: Path) -> str:
    for line in tail(log, lines=50).splitlines():
        if line.startswith("{") and line.endswith("}"):
            return str(json.loads(line).get("url", ""))
    return ""


def _log(place: Place, suffix: str) -> Path:
    return place.run_dir / f"sandbox{suffix}.log"
