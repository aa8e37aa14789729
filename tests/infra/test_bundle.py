"""The zip that Lambda runs."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from infra.bundle import AWS, CORE, ENGINE_PYTHON, FILES, MEASURE, build_bundle, local_platform


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


def test_what_is_spared_of_the_bundle_for_files_is_not_missed(tmp_path: Path) -> None:
    """Its libraries need one another: one that is spared too much is found only by reading a file."""
    with zipfile.ZipFile(build_bundle(local_platform(), package(tmp_path), FILES)) as archive:
        archive.extractall(tmp_path / "bundle")
    read = "import io, pyarrow as pa, pyarrow.parquet as pq; f = io.BytesIO(); pq.write_table(pa.table({'a': ['x']}), f, compression='zstd'); print(pq.ParquetFile(pa.PythonFile(f, 'r')).read().to_pylist())"
    done = subprocess.run(
        [ENGINE_PYTHON, "-c", read],
        env={"PYTHONPATH": str(tmp_path / "bundle")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "[{'a': 'x'}]", done.stderr


def test_what_is_spared_of_the_bundle_that_measures_is_not_missed(tmp_path: Path) -> None:
    with zipfile.ZipFile(build_bundle(local_platform(), package(tmp_path), MEASURE)) as archive:
        archive.extractall(tmp_path / "bundle")
    use = (
        "import duckdb; from scipy import optimize, special, stats; "
        "path = r'%s'; "
        'duckdb.sql("COPY (SELECT 1 AS a) TO \'" + path + "\' (FORMAT parquet, COMPRESSION zstd)"); '
        'print(duckdb.sql("SELECT a FROM read_parquet(\'" + path + "\')").fetchall(), '
        "round(stats.norm.cdf(0), 1), round(float(optimize.minimize(lambda x: x[0] ** 2, [1.0]).fun), 3), special.gamma(3))"
    ) % (tmp_path / "one.parquet")
    done = subprocess.run(
        [ENGINE_PYTHON, "-c", use],
        env={"PYTHONPATH": str(tmp_path / "bundle")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "[(1,)] 0.5 0.0 2.0", done.stderr


@pytest.mark.parametrize(("contents", "megabytes_max"), [(CORE, 45), (FILES, 120), (MEASURE, 225)])
def test_bundles_stay_far_below_what_lambda_takes(
    tmp_path: Path, contents: object, megabytes_max: int
) -> None:
    """250 MB unpacked; the core is unpacked by every cold start."""
    with zipfile.ZipFile(build_bundle(AWS, package(tmp_path), contents)) as archive:  # type: ignore[arg-type]
        size = sum(entry.file_size for entry in archive.infolist())
    assert size < megabytes_max * 1024 * 1024
