"""`musubi cost`."""

import json
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Column, Table

from infra.bundle import ROOT
from ops.bench import kept, prices
from ops.check import sound_playbook
from ops.cost.bill import YEN_A_DOLLAR, Cost, Month, as_json, cost_of
from ops.deployment import FORMAT
from ops.errors import UserError

PLAYBOOK = ROOT / "playbooks" / "ec"
DAYS_A_MONTH = 30
SHOWN_CENTS = 0.005


@click.command()
@click.option("--friends", type=click.IntRange(min=1), help="Customers and friends that are kept.")
@click.option("--events", type=click.IntRange(min=0), help="Events a month  [default: 8 a friend]")
@click.option("--messages", type=click.IntRange(min=0), help="Messages a month  [default: 4 a friend]")
@click.option(
    "--plan",
    "forecast",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Friends and messages as `musubi plan DIR --format json` forecast them.",
)
@click.option(
    "--playbook",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=PLAYBOOK,
    help="Whose `price` says what LINE asks  [default: playbooks/ec]",
)
@click.option("--yen-a-dollar", type=click.FloatRange(min=1), default=YEN_A_DOLLAR, show_default=True)
@FORMAT
def cost(
    friends: int | None, events: int | None, messages: int | None, forecast: Path | None, playbook: Path,
    yen_a_dollar: float, form: str,
) -> None:  # fmt: skip
    """What a month costs: AWS's services one by one, and LINE's own fee, with what dominates."""
    if forecast:
        foreseen = _foreseen(forecast)
        friends = foreseen.friends if friends is None else friends
        messages = foreseen.messages if messages is None else messages
    if friends is None:
        raise UserError("Say how many: --friends N, or --plan FILE of a forecast.")
    found = cost_of(
        Month.usual(friends, events, messages),
        kept.read(),
        sound_playbook(playbook).price,
        yen_a_dollar,
    )
    if form == "json":
        click.echo(json.dumps(as_json(found), ensure_ascii=False))
    else:
        _show(found, Console())


class _Day(msgspec.Struct):
    sent: dict[str, int]


class _Forecast(msgspec.Struct):
    customers: int
    days: list[_Day]


def _foreseen(path: Path) -> Month:
    """A forecast's people, and its messages for a month of thirty days."""
    try:
        read = msgspec.json.decode(path.read_bytes(), type=_Forecast)
    except msgspec.DecodeError as error:
        raise UserError(f"{path} is no forecast of `musubi plan --format json`: {error}") from None
    if not read.days or not read.customers:
        raise UserError(f"{path} foresees no day of anybody.")
    sent = sum(sum(day.sent.values()) for day in read.days)
    return Month.usual(read.customers, messages=round(sent * DAYS_A_MONTH / len(read.days)))


def _show(found: Cost, console: Console) -> None:
    month = found.month
    title = f"A month of {month.friends:,} friends, {month.events:,} events, {month.messages:,} messages"
    table = Table(
        "AWS",
        Column("$", justify="right"),
        Column("share", justify="right"),
        "of",
        title=title,
        title_justify="left",
    )
    for one in found.lines:
        shown = f"{one.usd:,.2f}" if one.usd >= SHOWN_CENTS else "0.00"
        table.add_row(one.service, shown, f"{one.usd / found.usd:.0%}", one.of)
    table.add_section()
    table.add_row("all", f"{found.usd:,.2f}", "", f"${found.usd / month.friends:.6f} a friend")
    console.print(table)
    console.print(sentence(found))
    console.print(f"Prices: {prices.REGION_NAME}, {prices.AS_OF}, {prices.SOURCE}.", style="dim")


def sentence(found: Cost) -> str:
    """What dominates, in words."""
    share = found.dominant.usd / found.usd
    aws = f"Of AWS's part, {found.dominant.service} is most ({share:.0%})."
    if found.line_yen is None:
        return f"{aws} LINE's fee is not in it: the playbook names no price."
    part = found.line_usd / (found.line_usd + found.usd)
    fee = f"LINE's own fee: ¥{found.line_yen:,.0f}, {part:.1%} of everything at ¥{found.yen_a_dollar:g} a dollar."
    return f"{fee} {aws}"
