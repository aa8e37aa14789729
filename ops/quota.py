"""`musubi quota`: what is left of the month and of campaigns' budgets; and counting the month anew from the send log."""

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from functions.domain.gate import Claim, may_have_arrived
from functions.domain.instants import Instant, format_instant
from functions.domain.money import (
    TIERS,
    Count,
    Limit,
    month_counter,
    month_limit,
    month_of,
    run_counter,
    run_limit,
    tier_limit,
    yen_of,
)
from functions.domain.playbook import Playbook
from functions.domain.sends import SendRecord
from ops.callers import caller_of
from ops.deployment import FORMAT, deployment_options, target_of
from ops.errors import UserError
from ops.stores import Stores
from ops.trail import leave_trail

QUIET_FOR = dt.timedelta(minutes=15)
"""No worker lives longer than that, so that what was reserved before is claimed, returned or leaked."""


class RunBudget(msgspec.Struct, frozen=True):
    """One campaign run with a budget of its own: what it may cost, what it has cost, and the messages that are left."""

    run: str
    yen_max: int
    yen: float
    messages: int
    left: int


class Quota(msgspec.Struct, frozen=True):
    """The month so far. `used`: our own count; `line_used`, `line_limit`: LINE's word at `told_at` (None: none yet).

    `taken`: both put together; `limit`: the tightest, None without any; `left` by tier.
    """

    month: str
    limit: Limit | None
    used: int
    taken: int
    line_used: int | None
    line_limit: int | None
    told_at: Instant | None
    yen: float
    left: dict[str, int | None]
    campaigns: list[RunBudget]


@click.command()
@click.option("--recount", is_flag=True, help="Set our own count to what the send log and the gates say.")
@FORMAT
@deployment_options
def quota(form: str, stack: str | None, state: Path, *, recount: bool) -> None:
    """Show what is left of this month's messages and yen, and of the budgets of campaigns."""
    stores = Stores(target_of(stack, state))
    if recount:
        before, after = recounted(stores)
        click.echo(f"Our own count of {month_of(stores.now())} was {before:,} and is {after:,}.", err=True)
    found = quota_of(stores)
    if form == "json":
        click.echo(json.dumps(as_json(found), ensure_ascii=False))
    else:
        _show(found, Console())


def quota_of(stores: Stores) -> Quota:
    """The month as the sender sees it."""
    now, playbook = stores.now(), stores.playbooks.in_force().playbook
    count, price = stores.allowances.count(month_counter(now)), playbook.price
    limit = month_limit(price, count.line_limit)
    within = {tier: tier_limit(limit, tier, price.reserve_percent) for tier in TIERS}
    return Quota(
        month=month_of(now),
        limit=limit,
        used=count.used,
        taken=count.taken,
        line_used=count.line_total if count.told_at else None,
        line_limit=count.line_limit,
        told_at=count.told_at,
        yen=float(yen_of(count.taken, price)),
        left={tier: _left(one, count) for tier, one in within.items()},
        campaigns=list(_budgets(stores, playbook)),
    )


def _left(limit: Limit | None, count: Count) -> int | None:
    return None if limit is None else max(0, limit.messages - count.taken)


def _budgets(stores: Stores, playbook: Playbook) -> Iterator[RunBudget]:
    """Every run of the campaigns that have a budget in the playbook in force, oldest first."""
    for name, campaign in sorted(playbook.campaigns.items()):
        if campaign.yen_max is None:
            continue
        for run in _runs_of(stores, name):
            limit, used = run_limit(run, playbook), stores.allowances.count(run_counter(run)).used
            if limit is not None:
                yen = round(used * playbook.price.yen_each, 2)
                yield RunBudget(run, campaign.yen_max, yen, used, max(0, limit.messages - used))


def _runs_of(stores: Stores, campaign: str) -> Iterator[str]:
    """The runs that were begun, as the accounts call them, oldest first."""
    pages = stores.target.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=stores.settings.bucket, Prefix=f"runs/{campaign}/", Delimiter="/"):
        for begun in page.get("CommonPrefixes", []):
            yield f"{campaign}@{begun['Prefix'].split('/')[2]}"


def recounted(stores: Stores) -> tuple[int, int]:
    """Set our own count of this month right: what it was, and what it is.

    UserError where messages were reserved within the last quarter of an hour: a worker may hold units that neither the
    gates nor the log show yet.
    """
    now = stores.now()
    counter = month_counter(now)
    seen = stores.allowances.count(counter)
    if seen.reserved_at is not None and now - seen.reserved_at < QUIET_FOR:
        again = format_instant(seen.reserved_at + QUIET_FOR)
        raise UserError(
            f"Messages were reserved at {format_instant(seen.reserved_at)}, so workers may hold some yet: stop sending, "
            f"and count again after {again}."
        )
    used = len(messages_of(month_of(now), stores.allowances.claims(), stores.sends.all()))
    leave_trail(
        stores,
        "recount",
        "recount",
        caller_of(stores.target),
        month=month_of(now),
        before=seen.used,
        after=used,
    )
    if not stores.allowances.correct(counter, seen, used):
        raise UserError("Messages were reserved while they were counted: stop sending, and count again.")
    return seen.used, used


def messages_of(month: str, claims: Iterable[Claim], records: Iterable[SendRecord]) -> set[str]:
    """The send ids that count in a month: accepted, maybe accepted, or claimed and not ended yet."""
    claimed = {
        claim.send_id for claim in claims if may_have_arrived(claim) and month_of(claim.key_at) == month
    }
    ended = {record.send_id: record for record in records if month_of(record.at) == month}
    went = {send_id for send_id, record in ended.items() if record.status in ("sent", "unknown")}
    return claimed | went


def as_json(found: Quota) -> dict[str, Any]:
    """For `--format json`."""
    return msgspec.to_builtins(found)  # type: ignore[no-any-return]


def _show(found: Quota, console: Console) -> None:
    table = Table("", "messages", title=f"Messages of {found.month}", title_justify="left")
    table.columns[1].justify = "right"
    bound = f"{found.limit.messages:,} ({found.limit.reason})" if found.limit else "none"
    told = f" at {format_instant(found.told_at)}" if found.told_at else ""
    rows = [
        ("limit", bound),
        ("our own count", f"{found.used:,}"),
        (f"LINE's count{told}", "not known yet" if found.line_used is None else f"{found.line_used:,}"),
        ("LINE's limit", "none" if found.line_limit is None else f"{found.line_limit:,}"),
        ("together", f"{found.taken:,} (¥{found.yen:,.0f})"),
        *((f"left for {_TIERS[tier]}", "no limit" if left is None else f"{left:,}") for tier, left in found.left.items()),
    ]  # fmt: skip
    for name, value in rows:
        table.add_row(name, value)
    console.print(table)
    if found.campaigns:
        console.print(_budget_table(found.campaigns))


def _budget_table(campaigns: list[RunBudget]) -> Table:
    table = Table(
        "run", "yen_max", "yen", "messages", "left", title="Budgets of campaigns", title_justify="left"
    )
    for one in campaigns:
        table.add_row(one.run, f"{one.yen_max:,}", f"{one.yen:,.0f}", f"{one.messages:,}", f"{one.left:,}")
    return table


_TIERS = {
    "prompt": "support and notifications",
    "scenario": "promotions of scenarios",
    "campaign": "promotions of campaigns",
}
