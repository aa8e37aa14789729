"""`musubi models`: judge, fit and show the models that scores are made with."""

from pathlib import Path

import click

from ops.models.document import document


@click.group()
def models() -> None:
    """Models of customers: how good they are, fitted anew, and as they are."""


@models.command()
@click.option(
    "--write",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the page goes (docs/models.md); to standard output unless given.",
)
def judge(path: Path | None) -> None:
    """Fit the models on real purchases (CDNOW, Complete Journey) and hold them against later ones they have not seen."""
    text = document()
    if path is None:
        click.echo(text, nl=False)
    else:
        path.write_text(text, encoding="utf-8")
