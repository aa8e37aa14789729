"""A lake in a folder: for tests, benchmarks, and reports on files that somebody has copied."""

import hashlib
import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path


class FolderLake:
    """Objects as files under one folder, each written beside its place and then moved there."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def keys(self, prefix: str) -> list[str]:
        """The keys under a prefix, sorted. Only the folder that the prefix reaches into is walked."""
        folder = self._root / prefix.rpartition("/")[0]
        if not folder.is_dir():
            return []
        paths = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
        names = (path.relative_to(self._root).as_posix() for path in paths)
        return sorted(name for name in names if name.startswith(prefix))

    def fetch(self, key: str, path: Path) -> bool:
        """Copy an object into a local file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(self._root / key, path)
        except FileNotFoundError:
            path.unlink(missing_ok=True)
            return False
        return True

    def fetch_tagged(self, key: str, path: Path) -> str | None:
        """As `fetch`; the digest of what was copied."""
        return _digest(path) if self.fetch(key, path) else None

    def store(self, key: str, path: Path) -> None:
        """Write an object from a local file."""
        final = self._root / key
        final.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix=".draft-", dir=final.parent, delete=False) as draft:
            Path(draft.name).unlink()
        shutil.copyfile(path, draft.name)
        Path(draft.name).replace(final)

    def store_over(self, key: str, path: Path, tag: str | None) -> bool:
        """Write where the object is still as it was read. One writer at a time: a folder has no conditions."""
        final = self._root / key
        if (_digest(final) if final.exists() else None) != tag:
            return False
        self.store(key, path)
        return True

    def remove(self, keys: Collection[str]) -> None:
        """Take objects away."""
        for key in keys:
            (self._root / key).unlink(missing_ok=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
