"""`musubi rejects list`, `fix`, `replay`, `discard`."""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from functions.domain.instants import Instant, format_instant
from functions.domain.rejects import Group, Mend, Wanted, grouped, shape_of
from functions.playbook.quantities import seconds_of
from ops.callers import caller_of
from ops.deployment import FORMAT, deployment_options, target_of
from ops.dlq.shown import age
from ops.errors import UserError
from ops.rejects.mends import mend_from, mend_of
from ops.rejects.repair import Outcome, Repair
from ops.stores import Stores
from ops.trail import leave_trail

_Command = TypeVar("_Command", bound=Callable[..., Any])
_YES = click.option("--yes", is_flag=True, help="Do not ask.")
_DRY = click.option("--dry-run", is_flag=True, help="Only say what would become of them.")


def _with_options(command: _Command, options: list[Callable[[Any], Any]]) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command


def _filters(command: _Command) -> _Command:
    """The options that say which events are meant."""
    return _with_options(
        command,
        [
            click.option("--cause", metavar="TEXT", default="", help="Only where the cause holds this text."),
            click.option(
                "--code", metavar="CODE", default="", help="Only with this code, such as wrong_type."
            ),
            click.option("--name", metavar="EVENT", default="", help="Only events of this name."),
            click.option("--property", metavar="NAME", default="", help="Only with this property at fault."),
            click.option("--older", metavar="6h", help="Only what came so long ago, or longer."),
            click.option("--newer", metavar="6h", help="Only what came so long ago, or less."),
        ],
    )


def _mends(command: _Command) -> _Command:
    """The options that say what to mend."""
    return _with_options(
        command,
        [
            click.option("--mend", "file", type=click.Path(path_type=Path), help="The mend, as YAML."),
            click.option("--rename", metavar="NAME", default="", help="The event is NAME in truth."),
            click.option("--rename-property", metavar="OLD=NEW", multiple=True, help="Rename a property."),
            click.option("--map", "values", metavar="P:OLD=NEW", multiple=True, help="OLD in P becomes NEW."),
            click.option(
                "--convert", metavar="P=TYPE", multiple=True, help="Make P a string, number or boolean."
            ),
            click.option("--set", "sets", metavar="P=VALUE", multiple=True, help="Give P this value."),
            click.option("--drop", metavar="P", multiple=True, help="Leave the property P out."),
        ],
    )


@click.group()
def rejects() -> None:
    """Events that were not taken in: see why, mend them, and put them in again.

    \b
    musubi rejects list                                   what was rejected, of what cause
    musubi rejects fix --cause orderId --rename-property orderId=order_id
    musubi rejects replay                                 put in what is right by now
    musubi rejects discard --code too_old --why TEXT      give up what nobody will mend
    """


@rejects.command("list")
@_filters
@click.option("--payload", is_flag=True, help="Show the events whole: they may hold personal data.")
@FORMAT
@deployment_options
def list_rejects(*, payload: bool, form: str, stack: str | None, state: Path, **chosen: Any) -> None:
    """List the rejected events by cause: how many, how old, and of which shape. Nothing is changed."""
    stores = Stores(target_of(stack, state))
    groups = grouped(Repair(stores, _wanted(stores, chosen)).found())
    if form == "json":
        click.echo(json.dumps([_group(one, payload=payload) for one in groups], ensure_ascii=False))
        return
    if groups:
        Console().print(_table(groups, stores.now()))
    for one in groups if payload else []:
        click.echo(f"{one.cause}:")
        for member in one.members:
            click.echo(f"  {json.dumps(member.raw, ensure_ascii=False)}")
    click.echo(f"{sum(len(one.members) for one in groups):,} rejected events.")


def _table(groups: list[Group], now: Instant) -> Table:
    table = Table("events", "cause", "newest", "oldest", "what is wrong")
    for one in groups:
        newest, oldest = one.members[-1], one.members[0]
        ages = (age(newest.received_at, now), age(oldest.received_at, now))
        table.add_row(*map(Text, (f"{len(one.members):,}", one.cause, *ages, newest.message)))
    return table


def _group(one: Group, *, payload: bool) -> dict[str, Any]:
    newest = one.members[-1]
    return {
        "cause": one.cause,
        "code": newest.code,
        "name": newest.name or None,
        "property": newest.at_fault or None,
        "count": len(one.members),
        "oldest": format_instant(one.members[0].received_at),
        "newest": format_instant(newest.received_at),
        "message": newest.message,
        "example": one.example,
        **({"events": [member.raw for member in one.members]} if payload else {}),
    }


@rejects.command()
@_filters
@_mends
@click.option("--payload", is_flag=True, help="Show one event before and after: it may hold personal data.")
@_DRY
@_YES
@deployment_options
def fix(
    *, file: Path | None, payload: bool, dry_run: bool, yes: bool, stack: str | None, state: Path, **chosen: Any
) -> None:  # fmt: skip
    """Mend the rejected events of one cause, where they are kept. 'musubi rejects replay' puts them in.

    It shows first what would become of them, and asks. The YAML of --mend has the keys rename, rename_property, values,
    convert, set and drop; they are applied in this order.
    """
    mend = mend_of(file) if file else mend_from(chosen)
    if mend == Mend():
        raise UserError("Say what to mend: --mend FILE, or options such as --rename-property OLD=NEW.")
    stores = Stores(target_of(stack, state))
    repair = Repair(stores, _wanted(stores, chosen))
    causes = [one.cause for one in grouped(repair.found())]
    if len(causes) > 1:
        raise UserError(
            f"A mend is for one cause, and these are {len(causes)}: {'; '.join(causes[:5])}. Narrow it."
        )
    if not causes:
        click.echo("Nothing like that was rejected.")
        return
    for word, raw in zip(("is:     ", "becomes:"), repair.example(mend) or (), strict=False):
        click.echo(f"{word} {json.dumps(raw if payload else shape_of(raw), ensure_ascii=False)}")
    click.echo(_told(repair.fix(mend, dry=True), "would be right"))
    if dry_run or not _agreed("Mend them?", yes=yes):
        click.echo("Nothing was changed.")
        return
    leave_trail(stores, "rejects", "fix", caller_of(stores.target), cause=causes[0], mend=mend)
    click.echo(_told(repair.fix(mend, dry=False), "are right now") + " 'musubi rejects replay' puts them in.")


@rejects.command()
@_filters
@click.option(
    "--live", is_flag=True, help="Let journeys start where an event is fresh enough for its scenario."
)
@_DRY
@_YES
@FORMAT
@deployment_options
def replay(
    *, live: bool, dry_run: bool, yes: bool, form: str, stack: str | None, state: Path, **chosen: Any
) -> None:  # fmt: skip
    """Check rejected events again, by the dictionary in force, and put what is right into the inbox.

    They are folded, and start no journey unless --live says so. Each keeps its own event id, so that a repeat changes
    nothing: interrupted, say it again.
    """
    stores = Stores(target_of(stack, state))
    repair = Repair(stores, _wanted(stores, chosen))
    outcome, done = repair.replay(dry=True, history=not live), False
    if form != "json":
        click.echo(_told(outcome, "would be put in"))
    if outcome.good and not dry_run and _agreed(f"Put {outcome.good:,} events in?", yes=yes):
        by = caller_of(stores.target)
        leave_trail(stores, "rejects", "replay", by, filters=repair.wanted, live=live, events=outcome.good)
        outcome, done = repair.replay(dry=False, history=not live), True
    if form == "json":
        put = {"put_in" if done else "would_put_in": outcome.good}
        told = {"looked_at": outcome.meant, **put, "still_rejected": outcome.wrong}
        click.echo(json.dumps({**told, "overtaken": outcome.overtaken}, ensure_ascii=False))
    else:
        click.echo(_told(outcome, "were put in") if done else "Nothing was put in.")


@rejects.command()
@_filters
@click.option("--why", metavar="TEXT", required=True, help="Why they may go; kept in the audit.")
@_DRY
@_YES
@deployment_options
def discard(*, why: str, dry_run: bool, yes: bool, stack: str | None, state: Path, **chosen: Any) -> None:
    """Give up rejected events that nobody will mend: they are taken out, and cannot be brought back.

    At least one filter says which. Who gave up how many of which cause, and why, is kept; the events are not.
    """
    if not any(chosen.values()):
        raise UserError("Say which: --code too_old, --cause TEXT, --older 30d, or another filter.")
    stores = Stores(target_of(stack, state))
    repair = Repair(stores, _wanted(stores, chosen))
    causes = {one.cause: len(one.members) for one in grouped(repair.found())}
    if not causes:
        click.echo("Nothing like that was rejected.")
        return
    for cause, count in causes.items():
        click.echo(f"{count:,} {cause}")
    if dry_run or not _agreed(f"Give up {sum(causes.values()):,} events for good?", yes=yes):
        click.echo("Nothing was changed.")
        return
    leave_trail(stores, "rejects", "discard", caller_of(stores.target), causes=causes, why=why)
    click.echo(f"{repair.discard():,} events were given up.")


def _agreed(question: str, *, yes: bool) -> bool:
    return yes or bool(click.confirm(question, abort=True, err=True))


def _told(outcome: Outcome, good: str) -> str:
    told = [
        f"{outcome.good:,} {good}",
        *(f"{count:,} stay: {cause}" for cause, count in outcome.wrong.items()),
    ]
    if outcome.overtaken:
        told.append(f"{outcome.overtaken:,} were changed by somebody else meanwhile: say it again")
    return f"Of {outcome.meant:,} events: {'; '.join(told)}."


def _wanted(stores: Stores, chosen: Mapping[str, Any]) -> Wanted:
    now = stores.now()
    named = {name: chosen[name] for name in ("cause", "code", "name", "property")}
    since, until = _ago("--newer", chosen["newer"], now), _ago("--older", chosen["older"], now)
    return Wanted(**named, since=since, until=until)


def _ago(option: str, text: str | None, now: Instant) -> Instant | None:
    try:
        return None if text is None else now - dt.timedelta(seconds=seconds_of(text))
    except ValueError as error:
        raise UserError(f"{option}: {error}.") from None
