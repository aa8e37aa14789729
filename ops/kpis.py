"""`musubi kpis`: what each KPI means, from its definition."""

from pathlib import Path

import click
import msgspec

from functions.measure.kpis import KPI_TREE, KPIS
from ops.kpi_page import page


@click.command()
@click.option(
    "--format", "form", type=click.Choice(["markdown", "json"]), default="markdown", show_default=True
)
@click.option(
    "--write", "path", type=click.Path(path_type=Path, dir_okay=False), help="Write a file instead."
)
def kpis(form: str, path: Path | None) -> None:
    """What each KPI means, is counted in and is computed by; and which KPIs move which.

    JSON: {"kpis": [{"id", "name", "name_en", "unit", "group", "sql", "meaning", "meaning_en", "scopes", "divides"}],
    "tree": {id: [id]}}.
    """
    text = page() if form == "markdown" else _json()
    if path is None:
        click.echo(text)
        return
    path.write_text(f"{text}\n", encoding="utf-8")
    click.echo(f"{len(KPIS)} KPIs are in {path}.")


def _json() -> str:
    told = {"kpis": list(KPIS.values()), "tree": KPI_TREE}
    return msgspec.json.format(msgspec.json.encode(told, order="sorted"), indent=2).decode()
