"""The servers that a benchmark speaks to, each in a process of its own: what they cost is nobody's here."""

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import urllib3

from infra.bundle import ROOT
from ops.engine.clients import Clients
from ops.engine.errors import LocalError
from ops.engine.processes import end_groups, free_port, start_group, tail
from ops.engine.server import ACCESS_KEY, REGION, start_engine, wait_until_healthy

START_SECONDS_MAX = 30.0
POLL_SECONDS = 0.02
LINE_STUB = Path(__file__).with_name("line_stub.py")


@dataclass(frozen=True, slots=True)
class Servers:
    """The embedded engine for DynamoDB, SQS, S3 and Secrets Manager, and a LINE that accepts every push.

    `elsewhere`: services that another engine serves, and where.
    """

    engine_url: str
    line_url: str
    run_dir: Path
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def clients(self) -> Clients:
        """Clients of the engine that no one counts: for what stands ready before a measurement."""
        return Clients(self.engine_url, REGION, self.elsewhere)

    def pushes(self) -> int:
        """How many requests LINE took in so far."""
        return int(json.loads(self._line("GET", "/_taken"))["taken"])

    def delay_line(self, milliseconds: int) -> None:
        """Let LINE take so long over each request from now on."""
        self._line("POST", f"/_delay/{milliseconds}")

    def _line(self, method: str, path: str) -> bytes:
        return urllib3.request(method, self.line_url + path, retries=False).data

    def environment(self) -> Mapping[str, str]:
        """What a process is told so that it finds them: no proxy, none of the host's own AWS configuration."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.run_dir),
            "LANG": "C.UTF-8",
            "PYTHONUTF8": "1",
            "AWS_ENDPOINT_URL": self.engine_url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "LINE_API_URL": self.line_url,
            "LINE_LOGIN_URL": self.line_url,
            **{f"AWS_ENDPOINT_URL_{service.upper()}": url for service, url in self.elsewhere.items()},
        }


@contextmanager
def started() -> Iterator[Servers]:
    """Both servers up; gone again, with all they wrote, when the block ends."""
    run_dir = Path(tempfile.mkdtemp(prefix="musubi-bench-"))
    groups: list[int] = []
    try:
        engine = start_engine(run_dir, free_port(), auth=False)
        groups.append(engine.pid)
        line_port = free_port()
        groups.append(_start_line(line_port, run_dir))
        wait_until_healthy(engine)
        _wait_for_line(run_dir)
        yield Servers(engine.url, f"http://127.0.0.1:{line_port}", run_dir)
    finally:
        end_groups(groups, str(run_dir))
        shutil.rmtree(run_dir, ignore_errors=True)


def _start_line(port: int, run_dir: Path) -> int:
    command = [sys.executable, str(LINE_STUB), str(port), str(run_dir)]
    return start_group(command, {"PATH": os.defpath, "LANG": "C.UTF-8"}, run_dir / "line.log", ROOT)


def _wait_for_line(run_dir: Path) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if "listening" in tail(run_dir / "line.log"):
            return
        time.sleep(POLL_SECONDS)
    raise LocalError(f"The LINE of the benchmark did not start:\n{tail(run_dir / 'line.log')}")
