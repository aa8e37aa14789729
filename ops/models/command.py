"""`musubi models`: judge, fit and show the models that scores are made with."""

import datetime as dt
import tempfile
from pathlib import Path

import click
import msgspec

from functions.measure.folder_lake import FolderLake
from functions.measure.models.fitted import PREFIX, Fitted, decoded, encoded, newest_key
from functions.measure.tables import CUSTOMERS
from functions.measure.views import WorkspaceViews
from functions.measure.workspace import opened
from functions.ports.facts import Lake
from ops.deployment import FORMAT, deployment_options, target_of
from ops.errors import UserError
from ops.models.fit import CUSTOMERS_MIN, fitted_on
from ops.reports.deployed import lake_of
from ops.stores import Stores

ZONE = "Asia/Tokyo"
_FROM = click.option(
    "--from",
    "folder",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="A copy of the lake, instead.",
)


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
    # Here, for it reads data sets that only a developer's machine has.
    from ops.models.document import document  # noqa: PLC0415

    text = document()
    if path is None:
        click.echo(text, nl=False)
    else:
        path.write_text(text, encoding="utf-8")


@models.command()
@click.option("--zone", default=None, help=f"With --from: the account's time zone; {ZONE} unless given.")
@_FROM
@deployment_options
def fit(*, zone: str | None, folder: Path | None, stack: str | None, state: Path) -> None:
    """Fit the models on the newest measured day. Scores use them from the next measuring on; older ones are kept."""
    lake, own_zone = _lake(folder, stack, state)
    with opened(lake) as workspace:
        measured = workspace.all_days(CUSTOMERS)
        if not measured:
            raise UserError("No day is measured yet; measure one, then fit.")
        fitted = fitted_on(WorkspaceViews(workspace), measured[-1], zone or own_zone)
        path = workspace.scratch / "fitted.json"
        path.write_bytes(encoded(fitted))
        lake.store(fitted.key, path)
    click.echo(_told(fitted))


@models.command()
@FORMAT
@_FROM
@deployment_options
def show(*, form: str, folder: Path | None, stack: str | None, state: Path) -> None:
    """Show the models that scores are made with."""
    lake, _ = _lake(folder, stack, state)
    key = newest_key(lake.keys(PREFIX), dt.date.max)
    if key is None:
        raise UserError("No model is fitted yet; see 'musubi models fit'.")
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "fitted.json"
        lake.fetch(key, path)
        fitted = decoded(path.read_bytes())
    if form == "json":
        click.echo(msgspec.json.format(encoded(fitted), indent=2).decode())
    else:
        click.echo(_told(fitted))


def _lake(folder: Path | None, stack: str | None, state: Path) -> tuple[Lake, str]:
    """The lake that is meant, and the account's zone."""
    if folder is not None:
        return FolderLake(folder), ZONE
    target = target_of(stack, state)
    return lake_of(target), Stores(target).playbooks.in_force().playbook.zone


def _told(fitted: Fitted) -> str:
    head = f"Model {fitted.version}, fitted on {fitted.customers:,} customers up to {fitted.day}."
    if fitted.bgnbd is None:
        return f"{head} Fewer than {CUSTOMERS_MIN}, or nobody who ordered twice: scores are ranks alone."
    one = fitted.bgnbd
    lines = [head, f"  BG/NBD: r {one.r:.3f}, alpha {one.alpha:.3f}, a {one.a:.3f}, b {one.b:.3f} (weeks)"]
    if fitted.returning is not None:
        ever = 1.0
        for hazard in fitted.returning.hazards:
            ever *= 1 - hazard
        lines.append(f"  A second order within two years: {1 - ever:.0%}")
    lines.append(
        f"  Everybody's habits count as {fitted.interval_weight:.1f} intervals and {fitted.hour_weight:.0f} touches"
    )
    return "\n".join(lines)
