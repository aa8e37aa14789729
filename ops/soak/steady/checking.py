"""What must hold at the end: every event that was taken in is stored once, in the table and in the lake; no membership
differs from a full recompute."""

from collections import Counter
from collections.abc import Collection, Iterable

import msgspec

from functions.aws.lake import S3Lake
from functions.aws.parallel_scans import scanned
from functions.domain.audits import AUDIT_PARTS
from functions.domain.facts import EVENTS, FRIENDSHIPS
from functions.measure.workspace import opened
from ops.auditing import audited
from ops.stores import Stores

TOLD = 3


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Of the events that were taken in: how many are kept, which are not, which more than once. Some of them by id."""

    taken_in: int
    kept: int
    lost: int
    twice: int
    some: list[str] = []

    @property
    def is_whole(self) -> bool:
        """Whether each is kept once."""
        return not (self.lost or self.twice)


def kept_of(taken_in: Collection[str], kept: Iterable[str]) -> Kept:
    """`taken_in`: ids of events, each once. `kept`: ids as they are kept; those of others do not count."""
    wanted = set(taken_in)
    found = Counter(one for one in kept if one in wanted)
    lost, twice = sorted(wanted - found.keys()), sorted(one for one, times in found.items() if times > 1)
    return Kept(
        taken_in=len(wanted),
        kept=found.total(),
        lost=len(lost),
        twice=len(twice),
        some=[*lost[:TOLD], *twice[:TOLD]],
    )


def in_table(stores: Stores) -> Iterable[str]:
    """The identity of each event in the events table, under whichever customer."""
    client, table = stores.target.client("dynamodb"), stores.settings.table_events
    for item in scanned(client, table, ProjectionExpression="sk", ConsistentRead=True):
        yield item["sk"]["S"]


def in_lake(stores: Stores) -> list[str]:
    """The identity of each event among the facts of all days that were measured: who comes and goes is told by itself."""
    with opened(S3Lake(stores.target.client("s3"), stores.settings.bucket)) as workspace:
        found = []
        for table, column in ((EVENTS, "event_id"), (FRIENDSHIPS, "event_id")):
            workspace.view(table, workspace.all_days(table))
            sql = f"SELECT {column} FROM {table.name}"  # noqa: S608 — our own tables
            found += [one for (one,) in workspace.connection.execute(sql).fetchall()]
    return found


def differences(stores: Stores) -> int:
    """How many customers' memberships differ from a full recompute, of all customers."""
    return sum(report.differences for report in audited(stores, range(AUDIT_PARTS)))
