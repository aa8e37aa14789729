"""What an earlier commit deploys: its own template and code, synthesized from git."""

import io
import subprocess
import tarfile
from pathlib import Path

from infra.bundle import ROOT
from ops.engine.synth import require_node, synthesize
from ops.errors import UserError

MARK = "\n# Rolled back to.\n"
"""Put into its code, so that going on from it and back to it replaces every function, whatever that commit has changed."""


def assembly_of(revision: str, scratch: Path) -> Path:
    """The assembly of a commit, such as HEAD~1, for the embedded engine; everything under `scratch`.

    UserError where git does not know the commit: a shallow clone has none but the last.
    """
    checkout, assembly = scratch / "checkout", scratch / "assembly"
    with tarfile.open(fileobj=io.BytesIO(_archive(revision))) as files:
        files.extractall(checkout, filter="data")
    with (checkout / "functions" / "__init__.py").open("a", encoding="utf-8") as package:
        package.write(MARK)
    # What is installed, and what has been bundled under the digest of its contents, serves both.
    (checkout / "build").mkdir()
    for shared in (Path(".engine"), Path("build", "bundle")):
        (checkout / shared).symlink_to((ROOT / shared).resolve())
    require_node()
    synthesize(checkout / "functions", assembly, checkout)
    return assembly


def _archive(revision: str) -> bytes:
    command = ["git", "-C", str(ROOT), "archive", "--format=tar", revision]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()[:1]
        mend = "name another with FROM=…, or fetch the history: git fetch --unshallow"
        raise UserError(f"git has no commit {revision} ({' '.join(said)}): {mend}.")
    return done.stdout
