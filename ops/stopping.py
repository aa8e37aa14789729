"""`musubi stop`, `musubi resume`, `musubi blocks`."""

import json
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from functions.aws.account import CACHE_SECONDS
from functions.domain.account import STOPS, UNTIL_LIFTED, Block
from functions.domain.breaker import WINDOW_MAX, days_until
from functions.domain.instants import Instant, format_instant, parse_instant
from functions.domain.playbook import Kind
from ops.callers import caller_of
from ops.deployment import FORMAT, deployment_options, target_of
from ops.errors import UserError
from ops.resuming import BroughtBack, Freed, bring_back
from ops.scopes import Named, must_exist, scope_options
from ops.stores import Stores
from ops.trail import leave_trail

HEEDED_AFTER_SECONDS = CACHE_SECONDS + 0.5
"""By then no worker holds what was lifted for true."""


@click.command()
@scope_options
@click.option("--why", metavar="TEXT", required=True, help="What others are to know of it.")
@click.option(
    "--until", metavar="INSTANT", help="When it ends by itself; it lasts until it is lifted unless given."
)
@deployment_options
def stop(
    *, scenario: str, campaign: str, segment: str, kinds: tuple[Kind, ...], why: str, until: str | None,
    stack: str | None, state: Path,
) -> None:  # fmt: skip
    """Send nothing more, or nothing of one scenario, campaign, segment or kind. What is due waits, and is not lost."""
    named, stores = Named(scenario, campaign, segment), Stores(target_of(stack, state))
    scope, now = named.scope, stores.now()
    end = _end(until, now)
    must_exist(stores, named)
    by = caller_of(stores.target)
    wanted = Block("stopped", end, scope, sorted(set(kinds)), by, why, now)
    leave_trail(stores, "blocks", "stop", by, why=why, block=_told(wanted))
    stores.account_state.block(wanted)
    written = next(block for block in stores.account_state.read().blocks if _name(block) == _name(wanted))
    known = "" if written == wanted else f" {_who(written)} stopped it before, and for longer."
    click.echo(
        f"Stopped: {_what(written)}, {_until(written)}.{known} Workers know within {CACHE_SECONDS:.0f} seconds."
    )


@click.command()
@scope_options
@click.option("--why", metavar="TEXT", default="", help="What others are to know of it.")
@click.option(
    "--reason", "reasons", multiple=True, type=click.Choice([*STOPS, "over_quota", "over_budget"]),
    help=f"Lift blocks of this reason; {' and '.join(STOPS)} unless given.",
)  # fmt: skip
@deployment_options
def resume(
    *, scenario: str, campaign: str, segment: str, kinds: tuple[Kind, ...], why: str, reasons: tuple[str, ...],
    stack: str | None, state: Path,
) -> None:  # fmt: skip
    """Lift what stops the account, or one scenario, campaign or segment, and bring back what waited for it."""
    named, stores = Named(scenario, campaign, segment), Stores(target_of(stack, state))
    freed = Freed(reasons or STOPS, named.scope, kinds)
    blocks = [block for block in _in_force(stores) if _is_meant(block, freed)]
    if not blocks:
        must_exist(stores, named)
    by = caller_of(stores.target)
    for block in blocks:
        leave_trail(stores, "blocks", "resume", by, why=why, block=_told(block))
        if block.reason == "breaker_open":
            # Before it is lifted, so that the very next block does not open it again.
            stores.reactions.forgive(block.scope, days_until(stores.now(), WINDOW_MAX), stores.now())
        if not stores.account_state.lift(block):
            raise UserError(
                f"{_what(block)} was stopped anew meanwhile; look at 'musubi blocks' and try again."
            )
        click.echo(f"Resumed: {_what(block)}, which {_who(block)} stopped ({block.reason}).")
    if blocks:
        time.sleep(HEEDED_AFTER_SECONDS)
    else:
        click.echo(f"Nothing stops {named.scope} for {' or '.join(freed.reasons)}.")
    _tell_brought_back(_brought_back(stores, freed))


@click.command()
@FORMAT
@deployment_options
def blocks(form: str, stack: str | None, state: Path) -> None:
    """List what is stopped: since when, by whom, why, and until when."""
    found = _in_force(Stores(target_of(stack, state)))
    if form == "json":
        click.echo(json.dumps([_told(block) for block in found], ensure_ascii=False))
        return
    if not found:
        click.echo("Nothing is stopped.")
        return
    table = Table("what", "reason", "since", "by", "why", "until")
    table.columns[0].no_wrap = True
    for block in found:
        since = format_instant(block.since) if block.since else "—"
        table.add_row(_what(block), block.reason, since, block.by or "—", block.why or "—", _until(block))
    Console().print(table)


def _end(until: str | None, now: Instant) -> Instant:
    if until is None:
        return UNTIL_LIFTED
    try:
        end = parse_instant(until)
    except ValueError as error:
        raise UserError(str(error)) from None
    if end <= now:
        raise UserError(f"{until} has passed; it is {format_instant(now)} now.")
    return end


def _in_force(stores: Stores) -> list[Block]:
    now = stores.now()
    found = (block for block in stores.account_state.read().blocks if block.until > now)
    return sorted(found, key=lambda block: (block.scope != "account", block.scope, block.reason))


def _is_meant(block: Block, freed: Freed) -> bool:
    if block.reason not in freed.reasons or block.scope != freed.scope:
        return False
    return not freed.kinds or set(block.kinds) == set(freed.kinds)


def _brought_back(stores: Stores, freed: Freed) -> BroughtBack:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}: {task.completed:,.0f} messages"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        bar = bars.add_task("Bringing back what waited", total=None)
        return bring_back(stores, freed, lambda count: bars.advance(bar, count))


def _tell_brought_back(back: BroughtBack) -> None:
    if back.left:
        raise UserError(f"{back.left:,} messages were not taken by the queue; run the same command again.")
    click.echo(f"{back.taken:,} messages that waited are back in the queue.")


def _name(block: Block) -> tuple[str, str, list[Kind]]:
    return block.reason, block.scope, block.kinds


def _what(block: Block) -> str:
    return " ".join([block.scope, *([f"({', '.join(block.kinds)})"] if block.kinds else [])])


def _who(block: Block) -> str:
    return block.by or "Musubi itself"


def _until(block: Block) -> str:
    return "until it is resumed" if block.is_open_ended else f"until {format_instant(block.until)}"


def _told(block: Block) -> dict[str, Any]:
    return {
        "scope": block.scope,
        "reason": block.reason,
        "kinds": block.kinds,
        "since": format_instant(block.since) if block.since else None,
        "by": block.by or None,
        "why": block.why or None,
        "until": None if block.is_open_ended else format_instant(block.until),
    }
