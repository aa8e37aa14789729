"""`musubi export`: everything that is held of one person, as JSON."""

import json
from pathlib import Path

import click

from functions.domain.erasure import hashed
from ops.callers import caller_of
from ops.deployment import deployment_options, target_of
from ops.erasing.keeping import key_of
from ops.erasing.people import person_of
from ops.errors import UserError
from ops.exporting.gathering import export_of
from ops.stores import Stores
from ops.trail import leave_trail


@click.command()
@click.argument("identifier", metavar="CUSTOMER")
@click.option("--without", metavar="ID", multiple=True, help="An id that is somebody else's in truth.")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write to FILE, readable by its owner only.",
)
@deployment_options
def export(
    identifier: str, without: tuple[str, ...], output: Path | None, stack: str | None, state: Path
) -> None:
    """Print everything that is held of one person (a customer id or a LINE user id) as JSON.

    Under all their ids: merged and unlinked LINE users, too. That it was asked for is kept, with a hash of the id.
    """
    stores = Stores(target_of(stack, state))
    person = person_of(stores, identifier, "", without)
    if person is None:
        raise UserError(f"No customer or LINE user is known as {identifier!r}.")
    hashes = [hashed(key_of(stores), one) for one in person.identities]
    leave_trail(stores, "exports", "export", caller_of(stores.target), ids=hashes)
    text = json.dumps(export_of(stores, person), ensure_ascii=False, indent=2)
    if output is None:
        click.echo(text)
        return
    try:
        output.touch(mode=0o600)
        output.chmod(0o600)
        output.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{output} cannot be written to: {error.strerror}.") from None
    click.echo(f"{output} has everything.")
