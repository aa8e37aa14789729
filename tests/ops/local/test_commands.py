"""What the commands say to a person who made a mistake."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.bundle import ROOT
from ops.engine import synth
from ops.engine.errors import LocalError
from ops.local import commands
from ops.local.place import Place


def test_a_missing_node_is_one_line_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalError, match=r"needs Node 20 or newer .* no `node` on the PATH: install it"):
        synth.require_node()


def test_an_old_node_is_one_line_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v18.19.0\n")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(LocalError, match=r"needs Node 20 or newer .* `node` is v18\.19\.0"):
        synth.require_node()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["clock", "--advance", "7d"], "Nothing is up on this machine: run `musubi local up` first."),
        (["clock"], "Say either --advance SPAN or --to INSTANT."),
        (["up", "--at", "noon"], "An instant is written as 2026-11-22T10:00:00Z, not as 'noon'."),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_two(
    arguments: list[str], line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(commands, "Place", lambda: Place(tmp_path))
    monkeypatch.setattr(commands, "PLAYBOOK", ROOT)
    done = CliRunner().invoke(commands.local, arguments)
    assert done.exit_code == 2
    assert done.stderr.strip() == f"Error: {line}"


def test_down_where_nothing_is_up_is_no_mistake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(commands, "Place", lambda: Place(tmp_path))
    done = CliRunner().invoke(commands.local, ["down"])
    assert (done.exit_code, done.output) == (0, "Nothing was up.\n")
