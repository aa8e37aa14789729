"""Where rows come back from: a backup in the bucket, or the tables as they were at an instant (point-in-time recovery).

Recovery makes tables of their own, named after the instant, which go when they were read. What follows is the same.
"""

import datetime as dt
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import ClientError

from functions.aws.parallel_scans import scanned
from functions.domain.instants import Instant, format_instant
from ops.backups.keeping import TABLES, Manifest, Row, rows_of, table_name
from ops.errors import UserError
from ops.stores import Stores

POLL_SECONDS = 10.0
READY_SECONDS_MAX = 6 * 3_600.0
"""AWS restores most tables within an hour, whatever their size; larger than that nobody waits for in a terminal."""


class Source(Protocol):
    """Tables as they were: `at` by the deployment's clock, `wall` by the machine's."""

    @property
    def at(self) -> Instant:
        """As of when, by the deployment's clock."""
        ...

    @property
    def wall(self) -> float:
        """As of when, by the machine's."""
        ...

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def rows(self, table: str) -> Iterator[Row]:
        """Every row of a table; any number of times."""
        ...

    def counts(self) -> dict[str, int] | None:
        """How many rows each table has, where that is known."""
        ...

    def close(self) -> None:
        """Let go of what was made to read it."""
        ...


@dataclass(frozen=True, slots=True)
class KeptSource:
    """A backup in the bucket."""

    stores: Stores
    manifest: Manifest
    at: Instant
    wall: float

    @property
    def name(self) -> str:
        """Its id."""
        return self.manifest.backup_id

    def rows(self, table: str) -> Iterator[Row]:
        """Every row of a table."""
        return rows_of(self.stores, self.manifest, table)

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        return self.manifest.rows

    def close(self) -> None:
        """It stays."""


def kept_source(stores: Stores, manifest: Manifest) -> KeptSource:
    """A backup, to be read."""
    return KeptSource(stores, manifest, manifest.at, manifest.wall)


@dataclass(slots=True)
class PointInTime:
    """The tables as AWS has them of an instant. Made by `point_in_time`; `prepare` before rows are read."""

    stores: Stores
    instant: dt.datetime
    at: Instant
    wall: float

    @property
    def name(self) -> str:
        """The instant."""
        return format_instant(self.instant)

    def prepare(self) -> None:
        """Have all six made, side by side, and wait until they can be read. Said again, it goes on with those of before."""
        for table in TABLES:
            self._begin(table)
        deadline = time.monotonic() + READY_SECONDS_MAX
        for table in TABLES:
            while self._status(table) != "ACTIVE":
                if time.monotonic() > deadline:
                    raise UserError(
                        f"{self._made(table)} is not ready yet; give the same command again later."
                    )
                time.sleep(POLL_SECONDS)

    def rows(self, table: str) -> Iterator[Row]:
        """Every row of a table."""
        return scanned(self._client, self._made(table), ConsistentRead=True)

    def counts(self) -> None:
        """Nobody knows before they are read."""
        return

    def close(self) -> None:
        """Take the tables away again."""
        for table in TABLES:
            try:
                self._client.delete_table(TableName=self._made(table))
            except self._client.exceptions.ResourceNotFoundException:
                continue

    @property
    def _client(self) -> Any:
        return self.stores.target.client("dynamodb")

    def _made(self, table: str) -> str:
        return f"{table_name(self.stores, table)}-at-{self.instant:%Y%m%dT%H%M%SZ}"

    def _begin(self, table: str) -> None:
        try:
            self._client.restore_table_to_point_in_time(
                SourceTableName=table_name(self.stores, table),
                TargetTableName=self._made(table),
                RestoreDateTime=self.instant,
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in ("TableAlreadyExistsException", "ResourceInUseException"):
                return
            if code == "InvalidRestoreTimeException":
                raise UserError(f"AWS cannot restore {table} to {self.name}: {error}") from None
            raise

    def _status(self, table: str) -> str:
        return str(self._client.describe_table(TableName=self._made(table))["Table"]["TableStatus"])


def point_in_time(stores: Stores, instant: dt.datetime) -> PointInTime:
    """The tables as of an instant that all of them can be restored to. UserError where it lies outside."""
    for table in TABLES:
        first, last = window_of(stores, table)
        if first and instant < first:
            raise UserError(
                f"{table} can be restored from {format_instant(first)} on; {format_instant(instant)} lies before that."
            )
        if last and instant > last:
            raise UserError(
                f"{table} can be restored up to {format_instant(last)} by now (AWS is five minutes behind); wait, or say "
                "an earlier instant."
            )
    # The engine's clock is its own: of the instant only the distance from now means anything there.
    at = instant if stores.target.engine_url is None else stores.now()
    return PointInTime(stores, instant, at, instant.timestamp())


def window_of(stores: Stores, table: str) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Between which instants AWS can restore a table, as far as it says. UserError where recovery is off."""
    client = stores.target.client("dynamodb")
    told = client.describe_continuous_backups(TableName=table_name(stores, table))
    recovery = told["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        raise UserError(f"Point-in-time recovery of {table} is not on; deploy the stack as it is.")
    return recovery.get("EarliestRestorableDateTime"), recovery.get("LatestRestorableDateTime")
