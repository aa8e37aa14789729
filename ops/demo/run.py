"""The demo run: bring everything up, import history, live through the weeks, close the accounts, take it all down."""

import datetime as dt
import json
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
import urllib3
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from functions.domain.accounts import Accounts
from functions.domain.events import Event
from functions.domain.instants import format_instant
from ops.accounts import accounts
from ops.apply import apply_directory
from ops.demo.purchases import COUNTER, purchases_until
from ops.demo.story import Happening, Story, tell
from ops.errors import UserError
from ops.importing import import_events
from ops.line_sandbox import SandboxClient
from ops.line_sandbox.world import Report
from ops.local.clock import LocalClock
from ops.local.down import bring_down
from ops.local.place import Place
from ops.local.up import PLAYBOOK, Wishes, bring_up
from ops.stores import Stores

START = dt.datetime(2017, 7, 2, 15, tzinfo=dt.UTC)  # a Monday's midnight in Tokyo
DAYS = 35
HOURS_A_SLOT = 4
EVENTS_A_REQUEST = 100
STATUS_ACCEPTED = 202
STATUS_FOUND = 302
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Safari Line/15.9.0"
REDELIVERED_EVERY = 5
"""Every so many webhooks come twice, and so many slots' CRM events: duplicates are the rule, not the exception."""


@dataclass(frozen=True)
class Stage:
    """Everything that the demo works on."""

    place: Place
    record: dict[str, Any]
    clock: LocalClock
    stores: Stores
    sandbox: SandboxClient
    http: urllib3.PoolManager


class Outcome(msgspec.Struct, frozen=True):
    """What a run came to: the accounts, and what the sandbox counted."""

    story: Story
    accounts: Accounts
    line: Report
    wall_seconds: float


def progress() -> Progress:
    """The progress bars of the demo."""
    return Progress(
        TextColumn("{task.description:<34}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )


def play(stage: Stage, bars: Progress, started: float, days: int = DAYS) -> Outcome:
    """Run the whole story on a deployment that is up."""
    story = tell(purchases_until(START + dt.timedelta(days=days), COUNTER), START, days)
    stage.sandbox.register_friends(story.friends)
    _import_history(stage, story, bars)
    _live(stage, story, bars)
    _settle_the_rest(stage, bars)
    return Outcome(story, accounts(stage.stores), stage.sandbox.report(), time.monotonic() - started)


def _import_history(stage: Stage, story: Story, bars: Progress) -> None:
    customers = len({event.customer_id for event in story.history})
    bar = bars.add_task(
        "Importing history (customers)", total=customers, note=f"{len(story.history):,} events"
    )
    import_events(stage.stores, story.history, lambda count: bars.advance(bar, count))
    stage.clock.settle()


def _live(stage: Stage, story: Story, bars: Progress) -> None:
    """Slot by slot: first the clock moves and runs what is due, then what happened meanwhile comes in."""
    hours = int((story.end - story.start).total_seconds() // 3600)
    bar = bars.add_task("Living through virtual time (hours)", total=hours, note="")
    for number, (end, happenings) in enumerate(_slots(story)):
        stage.clock.advance_to(end)
        _happen(stage, happenings, twice=number % REDELIVERED_EVERY == 0)
        stage.clock.settle()
        bars.update(bar, advance=HOURS_A_SLOT, note=f"{end:%Y-%m-%d}")


def _slots(story: Story) -> Iterator[tuple[dt.datetime, list[Happening]]]:
    width = dt.timedelta(hours=HOURS_A_SLOT)

    def slot(item: Happening) -> int:
        return max(0, (item.at - story.start) // width)

    by_slot = {number: list(items) for number, items in groupby(story.live, key=slot)}
    for number in range((story.end - story.start) // width):
        yield story.start + (number + 1) * width, by_slot.get(number, [])


def _happen(stage: Stage, happenings: Iterable[Happening], *, twice: bool) -> None:
    told = []
    for item in happenings:
        if item.event is not None:
            told.append(item.event)
        elif item.kind == "tap":
            _tap(stage, item.line_user_id)
        else:
            _act(stage.sandbox, item)
    for start in range(0, len(told), EVENTS_A_REQUEST):
        _post(stage, told[start : start + EVENTS_A_REQUEST])
        if twice:
            _post(stage, told[start : start + EVENTS_A_REQUEST])


def _act(sandbox: SandboxClient, item: Happening) -> None:
    at = format_instant(item.at)
    match item.kind:
        case "follow":
            result = sandbox.follow(item.line_user_id, at=at)
        case "block":
            result = sandbox.block(item.line_user_id, at=at)
        case "unblock":
            result = sandbox.unblock(item.line_user_id, at=at)
        case _:
            result = sandbox.message(item.line_user_id, "こんにちは", at=at)
    if int(item.line_user_id[-1], 16) % REDELIVERED_EVERY == 0:
        sandbox.send_events(result.events, redeliveries=1)


def _tap(stage: Stage, user: str) -> None:
    """Open the first link of the last message that has one, on a phone; nothing where none has come yet."""
    link = re.compile(rf'"({re.escape(stage.record["click_url"])}/[^"]+)"')
    shown = (json.dumps(one.messages) for one in stage.sandbox.deliveries(user) if one.delivered)
    if links := [found[1] for one in shown if (found := link.search(one))]:
        answer = stage.http.request("GET", links[-1], headers={"user-agent": PHONE}, redirect=False)
        if answer.status != STATUS_FOUND:
            raise UserError(f"A link of a message led nowhere: {answer.status}.")


def _post(stage: Stage, events: list[Event]) -> None:
    answer = stage.http.request(
        "POST",
        stage.record["ingest_url"],
        body=msgspec.json.encode({"events": events}),
        headers={"authorization": f"Bearer {stage.record['ingest_key']}", "content-type": "application/json"},
    )
    if answer.status != STATUS_ACCEPTED or answer.json()["rejected"]:
        raise UserError(f"The CRM's events were not taken in: {answer.status} {answer.data.decode()[:300]}")


def _settle_the_rest(stage: Stage, bars: Progress) -> None:
    """What is held runs on until everything has ended; no message may stay held for longer than its eight days."""
    bar = bars.add_task("Waiting for what is still held (days)", total=8, note="")
    for _ in range(8):
        if accounts(stage.stores).is_closed:
            break
        stage.clock.advance_to(stage.clock.now + dt.timedelta(days=1))
        bars.advance(bar)
    bars.update(bar, total=1, completed=1, note="the accounts close")


def run(place: Place, say: Any) -> tuple[Outcome, Stage]:
    """Bring up, play, and leave it up for the report. The caller takes it down."""
    started = time.monotonic()
    wishes = Wishes(place=place, at=START, playbook=PLAYBOOK, accept_any_user=False)
    target = bring_up(wishes, after_deploy=_applied, say=say)
    record = place.read_record()
    stage = Stage(
        place,
        record,
        LocalClock(place, target),
        Stores(target),
        SandboxClient(record["line_url"]),
        urllib3.PoolManager(),
    )
    with progress() as bars:
        return play(stage, bars, started), stage


def _applied(target: Any, playbook: Path) -> None:
    apply_directory(target, playbook, why="はじめの版。基本の5本から始める")


def taken_down(place: Place) -> None:
    """Stop everything that the run started."""
    bring_down(place)
