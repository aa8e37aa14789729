"""Back-fill: what a new playbook changes about customers whom nothing else would touch."""

import msgspec

from functions.domain.compiled import Compiled, Versions
from functions.domain.customers import Customer
from functions.domain.instants import Instant
from functions.domain.memberships import is_outdated, recomputed
from functions.domain.progress import in_force


class Backfill(msgspec.Struct, frozen=True, omit_defaults=True):
    """A scan over all customers, under one playbook version. `starts`: hashes of segments whose members' journeys start."""

    backfill_id: str
    playbook: str
    asked_at: Instant
    scan_segments: int
    starts: list[str] = []


class ScanProgress(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far one scan segment has come: where the next page starts, how many customers were looked at and refreshed."""

    next_key: str = ""
    looked: int = 0
    refreshed: int = 0
    done: bool = False
    superseded: bool = False


def calls_for_backfill(before: Compiled, after: Compiled) -> bool:
    """Whether customers may be other than they are kept: new segments, another dictionary, journeys to migrate."""
    migrates = any(
        scenario.migrate is not None and scenario != before.playbook.scenarios.get(name)
        for name, scenario in after.playbook.scenarios.items()
    )
    return bool(new_segments(before, after)) or before.dictionary_hash != after.dictionary_hash or migrates


def new_segments(before: Compiled, after: Compiled) -> list[str]:
    """The hashes of the segments that are new or changed, sorted."""
    return sorted(after.tracked.keys() - before.tracked.keys())


def needs_refresh(
    customer: Customer, current: Compiled, versions: Versions, starts: list[str], now: Instant
) -> bool:
    """Whether a refresh would change the customer: memberships, due instant, dictionary, or a journey's version."""
    if customer.merged_into:
        return False
    expected = recomputed(customer, current, now)
    if expected.members != expected.kept or expected.is_late or set(starts) & set(expected.members):
        return True
    zone = customer.profile.zone
    return is_outdated(customer, current) or any(
        in_force(journey, current, versions, zone, now) is not journey for journey in customer.journeys
    )
