"""The assembly: the template and the bundle, synthesized for the engine and kept until their sources change."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from infra.bundle import CORE, FILES, MEASURE, ROOT, local_platform
from ops.engine.errors import DeployError, LocalError

NODE_LEAST = 20
SYNTH_SECONDS_MAX = 900
ASSEMBLIES_KEPT = 4
LOCKS = (CORE.lock, FILES.lock, MEASURE.lock)
ASSEMBLIES = ROOT / "build" / "assembly"


def require_node() -> None:
    """LocalError where there is no Node, or too old a one, for the CDK to run on."""
    node = shutil.which("node")
    mend = f"Musubi needs Node {NODE_LEAST} or newer (the CDK's synthesis runs on it)"
    if node is None:
        raise LocalError(f"{mend}, but there is no `node` on the PATH: install it.")
    done = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=False)
    version = done.stdout.strip()
    if done.returncode or int(version.lstrip("v").split(".")[0] or 0) < NODE_LEAST:
        raise LocalError(f"{mend}, but `node` is {version or 'not working'}: install a newer one.")


def local_assembly(functions: Path = ROOT / "functions") -> Path:
    """The directory of the synthesized app for the engine, `functions` bundled. Synthesizes if anything changed."""
    assembly = ASSEMBLIES / f"local-{_digest(functions)}"
    ASSEMBLIES.mkdir(parents=True, exist_ok=True)
    with (ASSEMBLIES / ".lock").open("w") as held:
        fcntl.flock(
            held, fcntl.LOCK_EX
        )  # of two runs that begin side by side one synthesizes, and the other waits for it
        if not (assembly / "manifest.json").exists():
            require_node()
            _discard_old(ASSEMBLIES)
            synthesize(functions, assembly)
    return assembly


def _digest(functions: Path) -> str:
    digest = hashlib.sha256(local_platform().name.encode())
    for home, paths in (
        (ROOT, (ROOT / "cdk.json", *LOCKS, *_published(), *_every(ROOT / "infra"))),
        (functions, _every(functions)),
    ):
        for path in paths:
            digest.update(f"\0{path.relative_to(home)}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _published() -> Iterator[Path]:
    """The schemas that infra/catalog.py reads."""
    yield from sorted((ROOT / "docs").glob("*.schema.json"))


def _every(directory: Path) -> Iterator[Path]:
    for path in sorted(directory.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _discard_old(directory: Path) -> None:
    """Keep the latest few: another run may just be deploying one of them."""
    by_age = sorted(directory.glob("local-*"), key=lambda path: path.stat().st_mtime)
    for stale in by_age[: -ASSEMBLIES_KEPT + 1]:
        shutil.rmtree(stale, ignore_errors=True)


def synthesize(functions: Path, assembly: Path, root: Path = ROOT) -> None:
    """The app of the checkout at `root` into a new directory. DeployError where that fails."""
    with tempfile.TemporaryDirectory(prefix=".draft-", dir=assembly.parent) as scratch:
        draft = Path(scratch) / "assembly"
        context = {"target": "local", "functions": str(functions)}
        environment = dict(os.environ) | {"CDK_OUTDIR": str(draft), "CDK_CONTEXT_JSON": json.dumps(context)}
        command = [sys.executable, "-m", "infra.app"]
        done = subprocess.run(
            command, env=environment, cwd=root, capture_output=True, text=True,
            timeout=SYNTH_SECONDS_MAX, check=False,
        )  # fmt: skip
        if done.returncode:
            raise DeployError(f"The stack could not be synthesized:\n{done.stderr.strip()[-2000:]}")
        draft.replace(assembly)
