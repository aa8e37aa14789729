"""`musubi check DIR`: whether a playbook is sound, and everything that is wrong with it."""

from collections.abc import Mapping
from pathlib import Path

import click

from functions.domain.playbook import Playbook
from functions.playbook import CheckResult, check_playbook


def sound_playbook(directory: Path) -> Playbook:
    """The playbook of a folder. Where it has faults they go to standard error, one a line, and the command ends with 2."""
    return _sound(check_playbook(directory))


def _sound(result: CheckResult) -> Playbook:
    if result.playbook is None:
        for fault in result.faults:
            click.echo(str(fault), err=True)
        raise click.exceptions.Exit(2)
    return result.playbook


def _summary(directory: Path, playbook: Playbook) -> str:
    counts: dict[str, Mapping[str, object]] = {
        "events": playbook.events,
        "segments": playbook.segments,
        "scenarios": playbook.scenarios,
        "campaigns": playbook.campaigns,
        "messages": playbook.messages,
    }
    parts = ", ".join(
        f"{len(items)} {name if len(items) != 1 else name[:-1]}" for name, items in counts.items()
    )
    return f"{directory} is sound: {parts}; version {playbook.version}"


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
def check(directory: Path) -> None:
    """Validate the playbook in DIR: the warnings, then every fault as file:line, on standard error. Faults end with 2."""
    result = check_playbook(directory)
    for warning in result.warnings:
        click.echo(f"{warning.file}:{warning.line}: warning: {warning.message}", err=True)
    click.echo(_summary(directory, _sound(result)))
