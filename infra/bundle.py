"""The Lambda bundles: functions/ and its locked dependencies in one zip, the same bytes for the same input.

The core has what messages need; the one for files has pyarrow, the one that measures DuckDB and SciPy: each bigger than
all of the core (infra/contents.py has what is in them, and why).

No Docker: uv fetches the wheels of the wanted platform. The dependencies are resolved once for each lock file
and kept under build/, so that a change to a function costs one small append.
"""

import contextlib
import fcntl
import fnmatch
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.bytecode import compile_all, interpreter_of, version_of
from infra.contents import CORE, FILES, MEASURE, ROOT, Contents

__all__ = [
    "AWS",
    "BUILD",
    "CORE",
    "FILES",
    "MEASURE",
    "ROOT",
    "BundleError",
    "Contents",
    "Platform",
    "build_bundle",
]

BUILD = ROOT / "build" / "bundle"
ENGINE_PYTHON = ROOT / ".engine" / "bin" / "python"
# The zip format's oldest instant: contents, not times, decide the bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)
SECONDS_MAX = 600
BUNDLES_KEPT = 4


class BundleError(RuntimeError):
    """The bundle cannot be built; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Platform:
    """Where the bundle runs. `name` identifies it; `arguments` make uv resolve for it.

    `python` compiles for it, or an interpreter of `version` that this machine has.
    """

    name: str
    arguments: tuple[str, ...]
    version: str = ""
    python: Path | None = None

    def compiler(self) -> Path | None:
        """None where this machine has none: the bundle then works without, and starts more slowly."""
        return self.python or interpreter_of(self.version)


AWS = Platform(
    "aws-3.13-aarch64", ("--python-version", "3.13", "--python-platform", "aarch64-manylinux_2_28"), "3.13"
)


def local_platform(python: Path = ENGINE_PYTHON) -> Platform:
    """The embedded engine's own interpreter, on which it runs every function."""
    if not python.exists():
        raise BundleError("The embedded engine's environment .engine is missing: run `make setup`.")
    name = f"local-{sys.version_info.major}.{sys.version_info.minor}-{sysconfig.get_platform()}"
    return Platform(name, ("--python", str(python)), python=python)


def platform_of(target: str) -> Platform:
    """`aws` or `local`; BundleError for anything else."""
    if target == "aws":
        return AWS
    if target == "local":
        return local_platform()
    raise BundleError(f"The bundle's target must be aws or local, but is {target!r}.")


def build_bundle(platform: Platform, source: Path, contents: Contents = CORE) -> Path:
    """The zip of `source` (a package directory, put in under the name functions/) for `platform`.

    Its name carries the digest of its contents; one that is already there is reused.
    """
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / f".{contents.name}{platform.name}.lock").open("w") as held:
        # Of two that need it at once one packs it, which takes seconds, and the other waits for it.
        fcntl.flock(held, fcntl.LOCK_EX)
        return _built(platform, source, contents)


def _built(platform: Platform, source: Path, contents: Contents) -> Path:
    python = platform.compiler() if contents.bytecode else None
    layer = _dependencies(platform, contents, python)
    bundle = BUILD / f"{contents.name}{platform.name}-{_digest(layer, source)}.zip"
    if not bundle.exists():
        _discard_old(platform, contents)
        with _draft(bundle) as draft, tempfile.TemporaryDirectory(dir=BUILD) as scratch:
            shutil.copyfile(layer, draft)
            _copy(source, Path(scratch) / "functions")
            _pack(Path(scratch), draft, (), python)
    return bundle


def _copy(source: Path, into: Path) -> None:
    for path in _files(source):
        to = into / path.relative_to(source)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to)


def _discard_old(platform: Platform, contents: Contents) -> None:
    """Keep the latest few: another synthesis may just be reading one of them."""
    by_age = sorted(
        BUILD.glob(f"{contents.name}{platform.name}-*.zip"), key=lambda path: path.stat().st_mtime
    )
    for stale in by_age[: -BUNDLES_KEPT + 1]:
        stale.unlink(missing_ok=True)


def _digest(layer: Path, source: Path) -> str:
    digest = hashlib.sha256(layer.name.encode())
    for path in _files(source):
        digest.update(f"\0{path.relative_to(source).as_posix()}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _dependencies(platform: Platform, contents: Contents, python: Path | None) -> Path:
    given = contents.lock.read_bytes() + "\0".join(contents.spared).encode()
    if python is not None:
        given += "\0".join(version_of(python)).encode()
    layer = (
        BUILD / f"dependencies-{contents.name}{platform.name}-{hashlib.sha256(given).hexdigest()[:16]}.zip"
    )
    if not layer.exists():
        with (
            tempfile.TemporaryDirectory(prefix="musubi-bundle-", dir=layer.parent) as scratch,
            _draft(layer) as draft,
        ):
            _install(platform, contents.lock, Path(scratch))
            _pack(Path(scratch), draft, contents.spared, python)
    return layer


def _install(platform: Platform, lock: Path, into: Path) -> None:
    command = [
        sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(into), *platform.arguments,
        "--only-binary", ":all:", "--no-compile-bytecode", "--require-hashes", "-r", str(lock),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    if done.returncode:
        raise BundleError(f"The functions' dependencies could not be fetched: {done.stderr.strip()}")


def _pack(directory: Path, archive_path: Path, spared: tuple[str, ...], python: Path | None) -> None:
    """Append what is in `directory`, without what is spared, and compiled where there is something to compile with."""
    for path in list(_files(directory)):
        name = path.relative_to(directory).as_posix()
        if any(fnmatch.fnmatch(name, pattern) for pattern in spared):
            path.unlink()
    if python is not None:
        compile_all(directory, python)
    with zipfile.ZipFile(archive_path, "a", zipfile.ZIP_DEFLATED) as archive:
        for path in _files(directory, compiled=True):
            _add(archive, path, path.relative_to(directory))


@contextlib.contextmanager
def _draft(final: Path) -> Iterator[Path]:
    """A file beside `final` that takes its place once it is whole, so that two builds never meet halfway."""
    handle, name = tempfile.mkstemp(prefix=f".{final.name}-", dir=final.parent)
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        draft.chmod(0o644)
        draft.replace(final)
    finally:
        draft.unlink(missing_ok=True)


def _add(archive: zipfile.ZipFile, path: Path, name: Path) -> None:
    entry = zipfile.ZipInfo(name.as_posix(), EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (0o755 if os.access(path, os.X_OK) else 0o644) << 16
    archive.writestr(entry, path.read_bytes())


def _files(directory: Path, *, compiled: bool = False) -> Iterator[Path]:
    """Every file that belongs into a bundle, in a stable order; what is compiled only where it was compiled for it."""
    for path in sorted(directory.rglob("*")):
        parts = path.relative_to(directory).parts
        if path.is_file() and (compiled or "__pycache__" not in parts) and parts[0] not in {"bin", ".lock"}:
            yield path
