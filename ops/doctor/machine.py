"""This machine: what the targets and commands need of it."""

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.bundle import ENGINE_PYTHON, ROOT
from ops.doctor.findings import Finding, mend, note, ok

PYTHON_MIN: Final = (3, 11)
NODE_MIN: Final = 20
FREE_GB_MIN: Final = 3.0
"""Two environments, three bundles and a demo come to about 2 GB."""
ANSWER_SECONDS_MAX: Final = 10
GB: Final = 1e9


@dataclass(frozen=True, slots=True)
class Machine:
    """What was seen here; "" and None where there is none."""

    python: tuple[int, int]
    node: str
    cdk: str
    cdk_wanted: str
    has_engine: bool
    has_browser: bool
    free_gb: float
    can_listen: bool


def look(root: Path = ROOT) -> Machine:
    """See for oneself; nothing is changed."""
    return Machine(
        python=sys.version_info[:2],
        node=_answer("node", "--version"),
        cdk=_answer(str(root / "node_modules" / ".bin" / "cdk"), "--version"),
        cdk_wanted=_wanted(root / "package.json"),
        has_engine=ENGINE_PYTHON.exists(),
        has_browser=bool(shutil.which("chromium") and shutil.which("chromedriver")),
        free_gb=shutil.disk_usage(root).free / GB,
        can_listen=_can_listen(),
    )


def _answer(command: str, option: str) -> str:
    """The first version number that a command tells, or ""."""
    try:
        told = subprocess.run(
            [command, option], check=False, capture_output=True, text=True, timeout=ANSWER_SECONDS_MAX
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"\d+(\.\d+)*", told.stdout)
    return found[0] if found else ""


def _wanted(package: Path) -> str:
    return str(json.loads(package.read_text(encoding="utf-8"))["devDependencies"]["aws-cdk"])


def _can_listen() -> bool:
    """Whether a port of this machine's own can be had, as the engine and the LINE sandbox need several."""
    try:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
    except OSError:
        return False
    return True


def findings(seen: Machine) -> Iterator[Finding]:
    """What that means."""
    yield _python(seen)
    yield _node(seen)
    yield _engine(seen)
    yield _disk(seen)
    yield _ports(seen)
    yield _cdk(seen)
    yield _browser(seen)
    yield ok("docker", "not needed: the bundles are built from wheels, the engine is a Python package")


def _python(seen: Machine) -> Finding:
    told = f"Python {seen.python[0]}.{seen.python[1]}"
    if seen.python >= PYTHON_MIN:
        return ok("python", told)
    wanted = ".".join(map(str, PYTHON_MIN))
    return mend(
        "python", f"{told} is too old", f"install Python {wanted} or newer; make setup PYTHON=python{wanted}"
    )


def _node(seen: Machine) -> Finding:
    how = f"install Node {NODE_MIN} or newer: the CDK's synthesis runs on it"
    if not seen.node:
        return mend("node", "there is no Node", how)
    if int(seen.node.split(".")[0]) < NODE_MIN:
        return mend("node", f"Node {seen.node} is too old", how)
    return ok("node", f"Node {seen.node}")


def _engine(seen: Machine) -> Finding:
    if seen.has_engine:
        return ok("engine", "the embedded engine is installed")
    return mend("engine", "the embedded engine's environment .engine is missing", "make setup")


def _disk(seen: Machine) -> Finding:
    told = f"{seen.free_gb:.1f} GB free"
    if seen.free_gb >= FREE_GB_MIN:
        return ok("disk", told)
    return mend("disk", f"{told}, and {FREE_GB_MIN:.0f} are needed", "make room; build/bundle may be deleted")


def _ports(seen: Machine) -> Finding:
    if seen.can_listen:
        return ok("ports", "ports of 127.0.0.1 can be opened; the engine takes free ones")
    return mend(
        "ports", "no port of 127.0.0.1 can be opened", "let this user listen there: musubi local up needs it"
    )


def _cdk(seen: Machine) -> Finding:
    if seen.cdk == seen.cdk_wanted:
        return ok("cdk", f"the CDK's command, {seen.cdk}")
    told = (
        f"the CDK's command is {seen.cdk}, not {seen.cdk_wanted}"
        if seen.cdk
        else "the CDK's command is not here"
    )
    return note("cdk", f"{told}; only deploying to AWS needs it", "npm ci")


def _browser(seen: Machine) -> Finding:
    if seen.has_browser:
        return ok("browser", "Chromium and its driver, for the tests of pages")
    return note("browser", "no Chromium: tests of pages in a browser are skipped", "make browser")
