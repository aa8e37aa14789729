"""The zip that Lambda runs."""

import zipfile
from pathlib import Path

from infra.bundle import build_bundle, local_platform


def package(directory: Path, body: str = "X = 1\n") -> Path:
    source = directory / "functions"
    (source / "__pycache__").mkdir(parents=True)
    (source / "__init__.py").write_text(body)
    (source / "__pycache__" / "stale.pyc").write_bytes(b"")
    return source


def test_the_same_sources_make_the_same_bytes(tmp_path: Path) -> None:
    """Else every deployment would change every function."""
    first = build_bundle(local_platform(), package(tmp_path / "one"))
    before = first.read_bytes()
    first.unlink()
    again = build_bundle(local_platform(), package(tmp_path / "two"))
    assert again == first
    assert again.read_bytes() == before


def test_another_source_makes_another_bundle(tmp_path: Path) -> None:
    one = build_bundle(local_platform(), package(tmp_path / "one"))
    other = build_bundle(local_platform(), package(tmp_path / "two", "X = 2\n"))
    assert one != other


def test_the_bundle_holds_functions_and_dependencies_and_no_bytecode(tmp_path: Path) -> None:
    with zipfile.ZipFile(build_bundle(local_platform(), package(tmp_path))) as archive:
        names = archive.namelist()
    assert "functions/__init__.py" in names
    assert any(name.startswith("msgspec/") for name in names)
    assert not [name for name in names if "__pycache__" in name]
