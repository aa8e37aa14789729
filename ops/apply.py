"""`musubi apply`: put a playbook in force, arm its campaigns, and start the back-fill that it calls for."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from functions.aws.objects import IN_FORCE_SECONDS
from functions.domain.backfills import Backfill, ScanProgress, calls_for_backfill, new_segments
from functions.domain.campaigns import next_occurrence
from functions.domain.compiled import Compiled
from functions.domain.instants import Instant
from functions.domain.playbook import Playbook
from functions.playbook import PlaybookFault, PlaybookFaults, load_playbook
from functions.ports.errors import Rejected, Retryable
from functions.ports.messages import BackfillSegment
from ops.callers import caller_of
from ops.changes import Change, changes_between
from ops.errors import UserError
from ops.stores import Stores
from ops.target import Target
from ops.versions import Version, before, history, keep

SCAN_SEGMENTS = 4
START_AFTER_SECONDS = int(2 * IN_FORCE_SECONDS)
"""By then no worker holds the version before for the one in force."""


class FaultyPlaybook(UserError):
    """A playbook that cannot be put in force; `faults` holds each one, with its place and its mend."""

    def __init__(self, directory: Path, faults: Sequence[PlaybookFault]) -> None:
        self.faults = faults
        more = f" (and {len(faults) - 1} more; see 'musubi check {directory}')" if len(faults) > 1 else ""
        super().__init__(f"nothing was applied: {faults[0]}{more}")


class Applied(NamedTuple):
    """What came of it: what differs from the version before, the campaigns' schedules that were set, those that were
    removed, and the back-fill that runs (None: none was needed)."""

    playbook: Playbook
    changes: list[Change]
    scheduled: dict[str, Instant]
    unscheduled: list[str]
    backfill: Backfill | None


def apply_directory(
    target: Target, directory: Path, *, start_journeys: bool = False, why: str = ""
) -> Applied:
    """Put the playbook in `directory` in force, for the reason `why`; idempotent. FaultyPlaybook where it has faults."""
    try:
        playbook = load_playbook(directory)
    except PlaybookFaults as faults:
        raise FaultyPlaybook(directory, faults.faults) from None
    return apply_playbook(Stores(target), playbook, start_journeys=start_journeys, why=why)


def apply_previous(target: Target, *, start_journeys: bool = False, why: str = "") -> Applied:
    """Put the version before the one in force in force again. UserError where there is none, or none that this code
    can read."""
    stores = Stores(target)
    found = before(history(stores.objects))
    if found is None:
        raise UserError("No version was in force before this one; apply a folder.")
    try:
        playbook = stores.playbooks.version(found.version).playbook
    except Retryable as unread:
        raise UserError(str(unread)) from None
    return apply_playbook(stores, playbook, start_journeys=start_journeys, why=why)


def apply_playbook(stores: Stores, playbook: Playbook, *, start_journeys: bool, why: str = "") -> Applied:
    """Version, pointer, list, schedules, back-fill: in this order, so that the same command again does what a crash left."""
    by, versions = caller_of(stores.target), history(stores.objects)
    old = _compiled(stores, versions)
    stores.playbooks.apply(playbook)
    backfill = _backfill(stores, versions, old, Compiled(playbook), start_journeys=start_journeys)
    started = backfill.backfill_id if backfill else ""
    _keep(stores, versions, Version(playbook.version, playbook.name, stores.now(), started, by, why))
    scheduled, unscheduled = _arm_campaigns(stores, playbook)
    if backfill:
        _enqueue(stores, backfill)
    changes = changes_between(old.playbook if old else None, playbook)
    return Applied(playbook, changes, scheduled, unscheduled, backfill)


def _keep(stores: Stores, versions: list[Version], entry: Version) -> None:
    """Add the entry to the list; the same version once more only adds to its entry what that did not say yet."""
    last = versions[-1] if versions else None
    if last is None or last.version != entry.version:
        keep(stores.objects, [*versions, entry])
        return
    begun = bool(entry.backfill) and entry.backfill != last.backfill
    same = msgspec.structs.replace(
        entry if begun else last, by=last.by or entry.by, why=entry.why or last.why
    )
    if same != last:
        keep(stores.objects, [*versions[:-1], same])


def progress_of(stores: Stores, backfill: Backfill) -> list[ScanProgress]:
    """How far each scan segment of a back-fill has come."""
    segments = range(backfill.scan_segments)
    return [stores.backfills.progress(backfill.backfill_id, segment) for segment in segments]


def _compiled(stores: Stores, versions: list[Version]) -> Compiled | None:
    """What the customers were kept under so far: the last of the list, or what was in force before there was one."""
    try:
        return stores.playbooks.version(versions[-1].version) if versions else stores.playbooks.in_force()
    except (Retryable, Rejected):
        return None


def _backfill(
    stores: Stores, versions: list[Version], old: Compiled | None, new: Compiled, *, start_journeys: bool
) -> Backfill | None:
    """The back-fill that is to run: a new one, or what is left of the one that this version started before."""
    if old is not None and old.version == new.version:
        return _again(stores, versions, new, start_journeys=start_journeys)
    if old is None or not calls_for_backfill(old, new):
        return None
    return _begun(stores, new, new_segments(old, new) if start_journeys else [])


def _again(
    stores: Stores, versions: list[Version], new: Compiled, *, start_journeys: bool
) -> Backfill | None:
    """The same version once more: nothing, but what is unfinished, or was quiet and is to start journeys now."""
    known = stores.backfills.find(versions[-1].backfill) if versions and versions[-1].backfill else None
    earlier = before(versions) if versions else None
    if start_journeys and earlier is not None and not (known and known.starts):
        return _begun(stores, new, new_segments(stores.playbooks.version(earlier.version), new))
    if known and not all(part.done for part in progress_of(stores, known)):
        return known
    return None


def _begun(stores: Stores, new: Compiled, starts: list[str]) -> Backfill:
    at = stores.now()
    backfill = Backfill(f"{new.version}-{at:%Y%m%dT%H%M%S%f}", new.version, at, SCAN_SEGMENTS, starts)
    stores.backfills.begin(backfill)
    return backfill


def _enqueue(stores: Stores, backfill: Backfill) -> None:
    for segment, part in enumerate(progress_of(stores, backfill)):
        if not part.done:
            stores.evaluation.again(BackfillSegment(backfill.backfill_id, segment), START_AFTER_SECONDS)


def _arm_campaigns(stores: Stores, playbook: Playbook) -> tuple[dict[str, Instant], list[str]]:
    """One schedule for each campaign that is on, at its next hour; none for any other."""
    now, armed = stores.now(), dict[str, Instant]()
    for name, campaign in playbook.campaigns.items():
        occurrence = next_occurrence(campaign, playbook.zone, now)
        if occurrence is not None:
            stores.schedules.put(name, occurrence)
            armed[name] = occurrence
    gone = sorted(stores.schedules.campaigns() - armed.keys())
    for name in gone:
        stores.schedules.remove(name)
    return armed, gone
