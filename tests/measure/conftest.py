"""Where these tests' many small files lie."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")
FREE_MIN = 2 << 30


@pytest.fixture(scope="package", autouse=True)
def scratch_in_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A measured day makes and removes hundreds of directories, which a disk may take longer for than DuckDB takes for all
    the rest; where memory has room, they lie there."""
    tmp_path_factory.getbasetemp()  # what pytest keeps for a look at a failure stays on the disk
    before = tempfile.tempdir
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= FREE_MIN:
        tempfile.tempdir = str(MEMORY)
    yield
    tempfile.tempdir = before
