"""Starting the engine and waiting until it answers."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.bundle import ENGINE_PYTHON
from ops.engine.errors import LocalError
from ops.engine.processes import is_alive, start_group, tail

REGION: Final = "ap-northeast-1"
ACCOUNT = "000000000000"
# The engine's root caller. It listens on the loopback address alone and holds nothing but test data.
ACCESS_KEY = "test"
START_SECONDS_MAX = 30.0
POLL_SECONDS = 0.02
SERVE = Path(__file__).with_name("serve.py")


@dataclass(frozen=True, slots=True)
class Engine:
    """A started engine; whether it answers yet, `wait_until_healthy` says."""

    pid: int
    url: str
    run_dir: Path


def start_engine(
    run_dir: Path, port: int, *, auth: bool = True, gather_seconds: float = 0.0, python: Path = ENGINE_PYTHON
) -> Engine:
    """Start the engine on `port` with nothing of the host's environment; it writes only under `run_dir`. `gather_seconds`:
    how long it gathers what streams tell."""
    if not python.exists():
        raise LocalError("The embedded engine's environment .engine is missing: run `make setup`.")
    scratch = run_dir / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    command = [str(python), "-P", str(SERVE), str(run_dir)]
    pid = start_group(
        command,
        _environment(run_dir, port, auth=auth, gather_seconds=gather_seconds),
        run_dir / "engine.log",
        run_dir,
    )
    return Engine(pid, f"http://127.0.0.1:{port}", run_dir)


def wait_until_healthy(engine: Engine) -> None:
    """Return once the engine answers; LocalError with the end of its log where it does not."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if _answers(f"{engine.url}/_ministack/health"):
            return
        if not is_alive(engine.pid, str(engine.run_dir)):
            break
        time.sleep(POLL_SECONDS)
    raise LocalError(f"The embedded engine did not start:\n{tail(engine.run_dir / 'engine.log')}")


def _answers(url: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=2) as response:
            return "services" in json.load(response)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def _environment(run_dir: Path, port: int, *, auth: bool, gather_seconds: float) -> Mapping[str, str]:
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(run_dir),
        "TMPDIR": str(run_dir / "tmp"),
        "LANG": "C.UTF-8",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "AUTH": "true" if auth else "false",
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        # Nothing here is a container: it must not tidy up those of somebody else.
        "DOCKER_HOST": f"unix://{run_dir}/no-docker.sock",
        "LOG_LEVEL": "WARNING",
        "MUSUBI_GATHER_SECONDS": str(gather_seconds),
    }
