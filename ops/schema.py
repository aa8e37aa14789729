"""`musubi schema`: the JSON Schemas of a playbook's files, for editors."""

from pathlib import Path

import click

from functions.playbook.schemas import SCHEMAS, schema_file
from ops.errors import UserError


@click.command()
@click.argument("name", required=False, type=click.Choice(SCHEMAS), metavar="[NAME]")
@click.option(
    "--write",
    "directory",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Write every schema into DIR.",
)
def schema(name: str | None, directory: Path | None) -> None:
    """Print the JSON Schema of one kind of file, or write all of them, so that editors complete and explain.

    The kinds: playbook, events, segments, experiments, scenario, campaign, message, survey. A file says which it is in its
    first line:
    # yaml-language-server: $schema=../../schema/message.schema.json
    """
    if (name is None) == (directory is None):
        raise UserError(f"Name one schema ({', '.join(SCHEMAS)}), or say where to --write all of them.")
    if directory is None:
        click.echo(schema_file(name or ""), nl=False)
        return
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for one in SCHEMAS:
            (directory / f"{one}.schema.json").write_text(schema_file(one), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{directory} cannot be written to: {error.strerror}.") from None
    click.echo(f"{len(SCHEMAS)} schemas are in {directory}.")
