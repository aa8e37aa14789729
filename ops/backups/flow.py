"""A restore from its first look to its last: what it may not begin without, what it does, what it has to tell."""

from collections import Counter
from collections.abc import Callable

import msgspec

from functions.domain.instants import Instant, format_instant
from functions.domain.restoring import is_end
from functions.domain.sends import KEY_LIFE
from ops.backups.afterwards import drained, open_runs, runs_again, told_again, untold, without_erased
from ops.backups.keeping import OnRows
from ops.backups.known import Known, known_of
from ops.backups.lake import Since, facts_since
from ops.backups.restoring import PuttingBack
from ops.backups.sources import Source
from ops.backups.telling import Telling
from ops.erasing.flow import behind_of
from ops.errors import UserError
from ops.quota import recounted
from ops.stores import Stores

BEHIND_SECONDS_MAX = 60.0
Tell = Callable[[str], None]


class Foreseen(msgspec.Struct, frozen=True):
    """What would come back: rows of the backup by table (None: not known before), ends of messages and events that the lake
    has since, how many erased people stay out, what has to be told anew by its source, and campaign runs that go on."""

    source: str
    at: Instant
    rows: dict[str, int] | None
    sends_since: int
    events_since: int
    friends_lost: int
    erased_kept_out: int
    to_be_told_anew: dict[str, int]
    runs: list[str]


class Restored(msgspec.Struct, frozen=True):
    """What was done. `written` by what it is; `settled`: whether the inbox was empty at the end; `recounted`: the month's
    count before and after, where it could be counted."""

    source: str
    at: Instant
    written: dict[str, int]
    told_again: int
    to_be_told_anew: dict[str, int]
    friends_lost: int
    erased_kept_out: int
    runs: list[str]
    settled: bool
    recounted: tuple[int, int] | None


def must_be_stopped(stores: Stores) -> None:
    """UserError where anything could be sent while half of it is back. The stop itself may have gone with the tables."""
    if not stores.account_state.read().is_stopped(stores.now()):
        raise UserError(
            "Sending is not stopped: 'musubi stop --why \"restoring\"' first. (A stop of before the loss may have been lost "
            "with the gates.)"
        )


def must_be_recent(source: Source, now: Instant, *, late: bool) -> None:
    """UserError where LINE may have forgotten the keys of what was under way after the backup: then nobody can tell whether
    it arrived."""
    if now - source.at < KEY_LIFE or late:
        return
    hours = (now - source.at).total_seconds() / 3600
    raise UserError(
        f"{source.name} is {hours:.0f} hours old. LINE knows a message again for {KEY_LIFE.total_seconds() / 3600:.0f} hours: "
        "what it was sent since and had not answered at the loss could arrive twice. Take a newer backup (on AWS: --at, the "
        "last second before the loss), or say --late to take that risk."
    )


def must_be_read(stores: Stores) -> None:
    """UserError where the tables' streams are not read to their ends: what was said last is no fact yet."""
    behind = behind_of(stores)()
    if behind > BEHIND_SECONDS_MAX:
        raise UserError(
            f"The facts are {behind:.0f} seconds behind the tables: what was sent last is not in the lake yet. Wait until "
            "they are read (alarm FactsErrors, logs Facts), then try again."
        )


def foreseen(stores: Stores, source: Source) -> Foreseen:
    """Look at everything, change nothing."""
    since = facts_since(stores, source.wall)
    known = known_of(stores, source, since)
    ends = (send for sends in since.sends.values() for send in sends)
    missing = untold(known, since)
    happened = sum(map(len, since.happened.values()))
    return Foreseen(
        source=source.name,
        at=source.at,
        rows=source.counts(),
        sends_since=sum(map(is_end, ends)),
        events_since=happened - missing.total(),
        friends_lost=_lost(known, since),
        erased_kept_out=_kept_out(known),
        to_be_told_anew=dict(missing),
        runs=open_runs(stores, stores.now()),
    )


def _lost(known: Known, since: Since) -> int:
    return sum(map(known.is_lost, since.named))


def _kept_out(known: Known) -> int:
    return len(known.erased.customer_ids) if known.erased else 0


def restored(
    stores: Stores,
    source: Source,
    restore_id: str,
    *,
    over: bool,
    patience_seconds: float,
    on_rows: OnRows,
    tell: Tell,
) -> Restored:
    """Put everything back. Whoever calls has asked the three questions above."""
    tell("Reading what the lake has since")
    since = facts_since(stores, source.wall)
    tell("Looking who is in the backup")
    known = known_of(stores, source, since)
    put = PuttingBack(stores, source, Telling(stores, since, known), restore_id, stores.now(), over, on_rows)
    written = put.run()
    written["rows without the erased"] = without_erased(stores, known)
    tell("Telling again what happened since")
    events = told_again(put)
    settled = drained(stores, patience_seconds)
    tell("Letting campaign runs go on")
    runs = runs_again(stores, stores.now())
    tell("Counting the month anew")
    return Restored(
        source=source.name,
        at=source.at,
        written={name: count for name, count in written.items() if count},
        told_again=events,
        to_be_told_anew=dict(untold(known, since)),
        friends_lost=_lost(known, since),
        erased_kept_out=_kept_out(known),
        runs=runs,
        settled=settled,
        recounted=_recounted(stores),
    )


def _recounted(stores: Stores) -> tuple[int, int] | None:
    try:
        return recounted(stores)
    except UserError:
        return None


def told(done: Restored) -> list[str]:
    """What people are to know, a line each; what they have to do comes last."""
    written = Counter(done.written)
    lines = [
        f"Back as of {format_instant(done.at)} ({done.source}): "
        + ", ".join(f"{name} {count:,}" for name, count in sorted(written.items())),
        f"{done.told_again:,} events since were told again, {done.erased_kept_out:,} ids of erased people were left out.",
    ]
    if done.runs:
        lines.append(f"Campaign runs that go on: {', '.join(done.runs)}.")
    if done.friends_lost:
        lines.append(
            f"{done.friends_lost:,} friends first heard of since are known by nothing but a pseudonym: they are met again when "
            "they write."
        )
    for name, count in sorted(done.to_be_told_anew.items()):
        lines.append(f"To be told anew by its source, since {format_instant(done.at)}: {name} ({count:,}).")
    if done.recounted is None:
        lines.append("The month was not counted: 'musubi quota --recount' before you resume.")
    if not done.settled:
        lines.append(
            "The inbox is not empty yet: wait until it is ('musubi dlq list' where it stands still)."
        )
    lines.append("Nothing is sent yet. Next: 'musubi audit', 'musubi sends', then 'musubi resume'.")
    return lines
