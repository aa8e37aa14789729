"""The assembly that several runs share."""

import threading
import time
from pathlib import Path

import pytest

from ops.engine import synth


def test_two_runs_that_begin_side_by_side_synthesize_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Path] = []

    def slowly(_functions: Path, assembly: Path) -> None:
        begun.append(assembly)
        time.sleep(0.2)
        assembly.mkdir()  # as the real one: whoever comes second finds it there
        (assembly / "manifest.json").touch()

    monkeypatch.setattr(synth, "ASSEMBLIES", tmp_path / "assembly")
    monkeypatch.setattr(synth, "synthesize", slowly)
    found: list[Path] = []
    runs = [threading.Thread(target=lambda: found.append(synth.local_assembly())) for _ in range(3)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(begun) == 1
    assert found == begun * 3
