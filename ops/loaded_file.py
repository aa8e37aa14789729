"""A file of this machine, as the loading flow reads one."""

from pathlib import Path


class LocalFile:
    """Read by ranges; opened anew for each, so that nothing is left open."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = path.stat().st_size

    @property
    def size(self) -> int:
        """In bytes."""
        return self._size

    def read(self, start: int, length: int) -> bytes:
        """So many bytes from there on; fewer at the end."""
        with self._path.open("rb") as file:
            file.seek(start)
            return file.read(length)
