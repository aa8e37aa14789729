"""The command as a person meets it: help for everything, one line and exit code 2 for a mistake."""

from pathlib import Path

import pytest

from ops.cli import main

COMMANDS = [
    "accounts", "cost", "doctor", "init", "apply", "approvals", "approve", "audit", "blocks", "check", "context", "customer", "dlq", "evaluate", "explain", "import", "local", "plan", "resume", "schema",
    "sends", "stop", "versions",
]  # fmt: skip


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert all(command in out for command in COMMANDS)


def test_however_it_was_started_it_is_called_musubi(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """click would say `python -m ops.cli`, or whatever ran it."""
    monkeypatch.setattr("sys.argv", ["/somewhere/else.py"])
    code, _, err = run(capsys, "check")
    assert (code, err.count("(see 'musubi check --help')")) == (2, 1)


@pytest.mark.parametrize(
    "command",
    [
        *COMMANDS,
        "context set",
        "context list",
        "context remove",
        "context import",
        "dlq list",
        "dlq replay",
        "dlq replays",
        "local up",
        "local clock",
        "local down",
    ],
)
def test_every_command_takes_help(capsys: pytest.CaptureFixture[str], command: str) -> None:
    code, out, _ = run(capsys, *command.split(), "--help")
    assert code == 0
    assert "Usage:" in out


def test_aws_without_a_region_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    code, _, err = run(capsys, "sends", "--stack", "Musubi")
    assert code == 2
    assert err.startswith(
        "musubi: AWS cannot be asked about Musubi: You must specify a region. Set the region"
    )
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nope"], "No such command 'nope'"),
        (["check"], "Missing argument"),
        (["check", "no/such/folder"], "no such directory"),
        (["apply", "playbooks/ec", "--local", "no/such.json"], "musubi local up"),
        (["sends", "--local", "no/such.json"], "musubi local up"),
        (["customer", "c1", "--local", "no/such.json"], "musubi local up"),
        (["explain", "c1", "--local", "no/such.json"], "musubi local up"),
        (["explain"], "--all"),
        (["explain", "c1", "--all"], "--all"),
        (["plan", "playbooks/ec", "--local", "no/such.json"], "musubi local up"),
        (["plan", "playbooks/ec", "--linked"], "--events"),
        (["plan", "playbooks/ec", "--events", "no/such.csv"], "no/such.csv"),
        (["import", "no/such.csv", "--local", "no/such.json"], "musubi local up"),
        (["context", "set", "Weather", "rain", "--local", "no/such.json"], "musubi local up"),
        (["dlq", "list", "--local", "no/such.json"], "musubi local up"),
        (["dlq", "replay", "--limit", "0"], "--limit"),
        (["schema"], "--write"),
        (["schema", "messages"], "message"),
        (["schema", "--write", "pyproject.toml"], "pyproject.toml"),
        (["local", "clock"], "--advance"),
        (["local", "up", "--playbook", "no/such/folder"], "no/such/folder"),
        (
            ["evaluate", "playbooks/ec", "--events", "no/such.csv", "--at", "2026-11-01T00:00:00Z"],
            "no/such.csv",
        ),
    ],
)
def test_a_mistake_gets_one_clear_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert told in err
    assert len(err.strip().splitlines()) == 1


def test_apply_without_a_playbook_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    state = tmp_path / "local.json"
    state.write_text('{"engine_url": "http://127.0.0.1:9", "stack_outputs": {}, "stack_parameters": {}}')
    code, _, err = run(capsys, "apply", str(tmp_path / "empty"), "--local", str(state))
    assert code == 2
    assert "nothing was applied" in err
