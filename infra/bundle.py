"""The Lambda bundles: functions/ and its locked dependencies in one zip, the same bytes for the same input.

The core has what messages need; the one for files has pyarrow, the one that measures DuckDB and SciPy: each bigger than
all of the core.

No Docker: uv fetches the wheels of the wanted platform. The dependencies are resolved once for each lock file
and kept under build/, so that a change to a function costs one small append.
"""

import contextlib
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

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bundle"
ENGINE_PYTHON = ROOT / ".engine" / "bin" / "python"
# The zip format's oldest instant: contents, not times, decide the bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)
SECONDS_MAX = 600
BUNDLES_KEPT = 4


class BundleError(RuntimeError):
    """The bundle cannot be built; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into a bundle beside functions/: the locked dependencies, without what is `spared` of them (globs)."""

    name: str
    lock: Path
    spared: tuple[str, ...] = ()


CORE = Contents("", ROOT / "requirements" / "functions.txt")
# Of pyarrow what only Flight, S3 and compilers need, and copies of one library: half of its 150 MB.
FILES = Contents(
    "files-",
    ROOT / "requirements" / "load.txt",
    (
        "pyarrow/include/*", "pyarrow/src/*", "pyarrow/tests/*", "pyarrow/includes/*", "pyarrow/*flight*",
        "pyarrow/*_s3*", "pyarrow/*.so.*.*.*", "pyarrow/libarrow_python.so",
        "pyarrow/*.lib", "pyarrow/_orc*", "pyarrow/_gcsfs*", "pyarrow/_azurefs*", "pyarrow/_hdfs*",
    ),
)  # fmt: skip

# What SciPy and NumPy are tested and compiled against with.
MEASURE = Contents(
    "measure-",
    ROOT / "requirements" / "measure.txt",
    ("*/tests/*", "*/_pyinstaller/*", "numpy/_core/include/*", "numpy/_core/lib/*", "*.pyi", "adbc_driver_duckdb/*"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Platform:
    """Where the bundle runs. `name` identifies it; `arguments` make uv resolve for it."""

    name: str
    arguments: tuple[str, ...]


AWS = Platform(
    "aws-3.13-aarch64", ("--python-version", "3.13", "--python-platform", "aarch64-manylinux_2_28")
)


def local_platform(python: Path = ENGINE_PYTHON) -> Platform:
    """The embedded engine's own interpreter, on which it runs every function."""
    if not python.exists():
        raise BundleError("The embedded engine's environment .engine is missing: run `make setup`.")
    name = f"local-{sys.version_info.major}.{sys.version_info.minor}-{sysconfig.get_platform()}"
    return Platform(name, ("--python", str(python)))


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
    layer = _dependencies(platform, contents)
    bundle = BUILD / f"{contents.name}{platform.name}-{_digest(layer, source)}.zip"
    if not bundle.exists():
        _discard_old(platform, contents)
        with _draft(bundle) as draft:
            shutil.copyfile(layer, draft)
            with zipfile.ZipFile(draft, "a", zipfile.ZIP_DEFLATED) as archive:
                for path in _files(source):
                    _add(archive, path, Path("functions") / path.relative_to(source))
    return bundle


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


def _dependencies(platform: Platform, contents: Contents) -> Path:
    given = contents.lock.read_bytes() + "\0".join(contents.spared).encode()
    layer = (
        BUILD / f"dependencies-{contents.name}{platform.name}-{hashlib.sha256(given).hexdigest()[:16]}.zip"
    )
    if not layer.exists():
        layer.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="musubi-bundle-", dir=layer.parent) as scratch:
            _install(platform, contents.lock, Path(scratch))
            _pack(Path(scratch), layer, contents.spared)
    return layer


def _install(platform: Platform, lock: Path, into: Path) -> None:
    command = [
        sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(into), *platform.arguments,
        "--only-binary", ":all:", "--no-compile-bytecode", "--require-hashes", "-r", str(lock),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    if done.returncode:
        raise BundleError(f"The functions' dependencies could not be fetched: {done.stderr.strip()}")


def _pack(directory: Path, archive_path: Path, spared: tuple[str, ...]) -> None:
    with _draft(archive_path) as draft:  # noqa: SIM117 (the archive must be closed before its draft is moved)
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in _files(directory):
                name = path.relative_to(directory)
                if not any(fnmatch.fnmatch(name.as_posix(), pattern) for pattern in spared):
                    _add(archive, path, name)


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


def _files(directory: Path) -> Iterator[Path]:
    """Every file that belongs into a bundle, in a stable order."""
    for path in sorted(directory.rglob("*")):
        parts = path.relative_to(directory).parts
        if path.is_file() and "__pycache__" not in parts and parts[0] not in {"bin", ".lock"}:
            yield path
