"""The zip that Lambda runs."""

import fnmatch
import re
import subprocess
import sysconfig
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from infra import bundle
from infra.bundle import AWS, ENGINE_PYTHON, build_bundle, local_platform
from infra.bytecode import version_of
from infra.contents import CORE, FILES, MEASURE, ROOT, Contents, package_of

FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))
EVERY = pytest.mark.parametrize("contents", [CORE, FILES, MEASURE], ids=["core", "files", "measure"])


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


def test_the_same_release_makes_the_same_bytes_on_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that a package brings names the interpreter of whoever installed it."""
    found = re.search(
        r"^jmespath==.*?(?=^\S)", CORE.lock.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert found
    lock = tmp_path / "lock.txt"
    lock.write_text(found.group(), encoding="utf-8")
    made = []
    for machine in ("one", "two"):
        monkeypatch.setattr(bundle, "BUILD", tmp_path / machine)
        (tmp_path / machine).mkdir()
        environment = tmp_path / machine / "environment"
        environment.symlink_to(ROOT / ".engine")
        there = replace(local_platform(), arguments=("--python", str(environment / "bin" / "python")))
        made.append(build_bundle(there, package(tmp_path / machine / "source"), replace(CORE, lock=lock)))
    one, two = made
    assert one.name == two.name
    assert one.read_bytes() == two.read_bytes()


def test_of_two_that_need_the_same_bundle_at_once_one_packs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed: list[Path] = []

    def slowly(_directory: Path, archive: Path, _spared: tuple[str, ...], _python: Path | None) -> None:
        packed.append(archive)
        time.sleep(0.1)

    monkeypatch.setattr(bundle, "BUILD", tmp_path / "bundle")
    monkeypatch.setattr(bundle, "_install", lambda *_: None)
    monkeypatch.setattr(bundle, "_pack", slowly)
    source, made = package(tmp_path), []
    builders = [
        threading.Thread(target=lambda: made.append(build_bundle(local_platform(), source))) for _ in range(3)
    ]
    for one in builders:
        one.start()
    for one in builders:
        one.join()
    assert len(packed) == 2  # the dependencies, and functions/ with them
    assert len(made) == 3
    assert len(set(made)) == 1


def test_another_source_makes_another_bundle(tmp_path: Path) -> None:
    one = build_bundle(local_platform(), package(tmp_path / "one"))
    other = build_bundle(local_platform(), package(tmp_path / "two", "X = 2\n"))
    assert one != other


def test_the_bundle_holds_functions_and_dependencies_and_nothing_compiled_elsewhere(tmp_path: Path) -> None:
    with zipfile.ZipFile(build_bundle(local_platform(), package(tmp_path))) as archive:
        names = archive.namelist()
    assert "functions/__init__.py" in names
    assert any(name.startswith("msgspec/") for name in names)
    assert not [name for name in names if "stale" in name]
    assert len(names) == len(set(names))


def test_every_module_of_the_core_is_compiled_for_the_interpreter_that_runs_it(tmp_path: Path) -> None:
    """Lambda's code directory cannot be written to: what is not compiled here, each cold start compiles anew."""
    with zipfile.ZipFile(build_bundle(local_platform(), package(tmp_path))) as archive:
        names = set(archive.namelist())
        body = archive.read(_compiled("functions/__init__.py"))
    modules = {name for name in names if name.endswith(".py")}
    assert not [name for name in modules if _compiled(name) not in names]
    assert body[4:8] == (1).to_bytes(4, "little"), "it would be held against its source at each start"
    assert not [name for name in names if name.endswith(".pyc") and _source(name) not in modules]


def test_without_an_interpreter_of_its_version_a_bundle_goes_uncompiled(tmp_path: Path) -> None:
    with zipfile.ZipFile(build_bundle(replace(AWS, version="3.99"), package(tmp_path))) as archive:
        names = archive.namelist()
    assert "functions/__init__.py" in names
    assert not [name for name in names if name.endswith(".pyc")]


def test_the_bundle_that_measures_goes_uncompiled(tmp_path: Path) -> None:
    """Nobody waits for it, and Lambda takes no more than 250 MB."""
    with zipfile.ZipFile(build_bundle(local_platform(), package(tmp_path), MEASURE)) as archive:
        assert not [name for name in archive.namelist() if name.endswith(".pyc")]


@EVERY
def test_every_package_of_a_bundle_has_its_reason(tmp_path: Path, contents: Contents) -> None:
    """A new one, or one that goes, is written down in infra/contents.py, where docs/performance.md takes it from."""
    with zipfile.ZipFile(build_bundle(local_platform(), package(tmp_path), contents)) as archive:
        there = {package_of(name) for name in archive.namelist()} - {"dist-info"}
    assert there == set(contents.packages)


def test_nothing_is_spared_that_is_not_there() -> None:
    """A pattern that meets nothing is of another version of its package, and what it was for may be back."""
    installed = Path(sysconfig.get_path("purelib"))
    names = [path.relative_to(installed).as_posix() for path in installed.rglob("*") if path.is_file()]
    spared = {one for contents in (CORE, FILES, MEASURE) for one in contents.spared}
    assert sorted(one for one in spared if not fnmatch.filter(names, one)) == []


@pytest.mark.parametrize(
    ("contents", "functions"),
    [(CORE, [one for one in FUNCTIONS if one not in ("load", "measure")]), (FILES, ["load"]), (MEASURE, ["measure"])],
    ids=["core", "files", "measure"],
)  # fmt: skip
def test_every_function_imports_from_its_bundle_alone(
    contents: Contents, functions: list[str], tmp_path: Path
) -> None:
    """boto3 and its own come with Lambda, everything else is in the bundle."""
    with zipfile.ZipFile(build_bundle(local_platform(), ROOT / "functions", contents)) as archive:
        archive.extractall(tmp_path / "bundle")
    modules = ", ".join(f"functions.{one}.handler, functions.{one}.wiring" for one in functions)
    done = subprocess.run(
        [ENGINE_PYTHON, "-B", "-P", "-c", f"import {modules}"],
        env={"PYTHONPATH": str(tmp_path / "bundle")}, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def _compiled(name: str) -> str:
    folder, _, file = name.rpartition("/")
    major, minor = version_of(ENGINE_PYTHON)[0].split(".")
    return f"{folder}/__pycache__/{file.removesuffix('.py')}.cpython-{major}{minor}.pyc".lstrip("/")


def _source(name: str) -> str:
    folder, _, file = name.rpartition("__pycache__/")
    return f"{folder}{file.partition('.cpython-')[0]}.py"


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


@pytest.mark.parametrize(("contents", "megabytes_max"), [(CORE, 14), (FILES, 100), (MEASURE, 205)])
def test_bundles_stay_far_below_what_lambda_takes(
    tmp_path: Path, contents: object, megabytes_max: int
) -> None:
    """250 MB unpacked; the core is unpacked by every cold start."""
    with zipfile.ZipFile(build_bundle(AWS, package(tmp_path), contents)) as archive:  # type: ignore[arg-type]
        size = sum(entry.file_size for entry in archive.infolist())
    assert size < megabytes_max * 1024 * 1024
