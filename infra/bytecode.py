"""Python's compiled form of what a bundle holds.

Lambda's code directory cannot be written to: without it, every cold start compiles all that it imports anew, which takes
more processor time than running it does (docs/performance.md). It is of the kind that is never held against its source:
both are of the same bundle.
"""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from infra.contents import ROOT

WHERE_IT_RUNS = "/var/task"
"""Where Lambda unpacks a bundle; what a traceback names follows where it is loaded from, wherever that is."""
SECONDS_MAX = 600
_TELL = "import sys; print('%d.%d' % sys.version_info[:2], sys.version.split()[0], sys.implementation.name)"


class BytecodeError(RuntimeError):
    """An interpreter refused to compile; the message says what it said."""


@cache
def interpreter_of(version: str) -> Path | None:
    """A CPython `3.13` of this machine, whose bytecode any other one of that version reads; None where there is none."""
    return next((one for one in _candidates(version) if version_of(one)[:1] == [version]), None)


@cache
def version_of(python: Path) -> list[str]:
    """`["3.13", "3.13.5", "cpython"]`; nothing of what is no interpreter."""
    try:
        done = subprocess.run([python, "-I", "-c", _TELL], capture_output=True, text=True, timeout=30, check=False)  # fmt: skip
    except OSError:
        return []
    return done.stdout.split() if done.returncode == 0 else []


def _candidates(version: str) -> list[Path]:
    """This interpreter, the one on the path, pyenv's and uv's."""
    uv = subprocess.run(
        [sys.executable, "-m", "uv", "python", "find", "--managed-python", "--no-python-downloads", version],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = [sys.executable, shutil.which(f"python{version}"), uv.stdout.strip()]
    return [Path(one) for one in found if one] + sorted(pyenv.glob(f"{version}.*/bin/python"))


def compile_all(directory: Path, python: Path) -> None:
    """Write the compiled form of every module beside it; of what is no module of this version, nothing."""
    done = subprocess.run(
        [python, "-I", "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash",
         "-s", str(directory), "-p", WHERE_IT_RUNS, str(directory)],
        env={"PYTHONHASHSEED": "0", "PATH": os.defpath}, capture_output=True, text=True, timeout=SECONDS_MAX, check=False,
    )  # fmt: skip
    # 1: something did not compile, as templates and code for other versions do not. It goes as it is.
    if done.returncode not in (0, 1):
        raise BytecodeError(f"{python} could not compile the bundle: {done.stderr.strip()}")
