"""Every command is somebody's, the runbook says whose, and what AWS refuses is told in one line."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from botocore.exceptions import ClientError

from infra.rights import NEEDS, command_of
from infra.roles import OFFLINE, ROLES, roles_of
from ops.cli import main, musubi
from ops.refused import refusal_of

GOES_WITHOUT = "-"


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[str]:
    if not isinstance(command, click.Group):
        yield " ".join(path)
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from commands(found, (*path, name))


def test_every_command_says_what_it_needs_and_so_whose_it_is() -> None:
    """A new command fails here until infra/rights.py tells what it asks AWS for, and infra/roles.py whose it is."""
    known = {command.partition(" --")[0] for command in NEEDS}
    assert set(commands(musubi)) == known


def test_the_runbook_says_who_may_do_what() -> None:
    text = Path("docs/operations.md").read_text(encoding="utf-8")
    section = text.split("\n## Who may do what\n")[1].split("\n## ")[0]
    rows = [
        re.split(r"\s*\|\s*", line.strip("| ")) for line in section.splitlines() if line.startswith("| `")
    ]
    told = {
        command: {role for role, mark in zip(ROLES, marks, strict=True) if mark != GOES_WITHOUT}
        for names, *marks in rows
        for command in re.findall(r"`([^`]+)`", names)
    }
    assert told == {command: set(roles_of(command)) for command in NEEDS if command not in OFFLINE}


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("rejects list --code x", "rejects list"),
        ("quota", "quota"),
        ("quota --format json --recount", "quota --recount"),
        ("explain c1 --all", "explain --all"),
        ("links source create till", "links source create"),
        ("links", None),
        ("nothing such", None),
    ],
)
def test_a_line_is_known_for_its_command(line: str, command: str | None) -> None:
    assert command_of(line.split()) == command


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "User: arn:… is not authorized"}}, "UpdateItem")


def test_what_aws_refuses_is_told_with_whose_it_is() -> None:
    told = refusal_of(refused("AccessDeniedException"), ["stop", "--why", "x"])
    assert told == (
        "AWS refused UpdateItem: 'musubi stop' is for the role operator or administrator "
        "(docs/operations.md, Who may do what)."
    )


def test_a_refusal_behind_another_error_is_told_too() -> None:
    behind = RuntimeError("could not be read")
    behind.__cause__ = refused("403")
    assert "'musubi erase' is for the role administrator" in str(refusal_of(behind, ["erase", "c1"]))


def test_nothing_else_is_taken_for_a_refusal() -> None:
    assert refusal_of(refused("ThrottlingException"), ["stop"]) is None
    assert refusal_of(KeyError("x"), ["stop"]) is None


def test_a_refused_command_ends_with_one_line_and_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_arguments: object) -> None:
        raise refused("AccessDenied")

    monkeypatch.setattr("ops.stopping.target_of", refuse)
    with pytest.raises(SystemExit) as ended:
        main(["blocks"])
    out, err = capsys.readouterr()
    assert (ended.value.code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(
        "musubi: AWS refused UpdateItem: 'musubi blocks' is for the role marketer or operator"
    )
