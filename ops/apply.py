"""`musubi apply`: check a playbook and put it in force."""

from collections.abc import Sequence
from pathlib import Path

from functions.domain.campaigns import next_occurrence
from functions.domain.playbook import Playbook
from functions.playbook import PlaybookFault, PlaybookFaults, load_playbook
from ops.errors import UserError
from ops.stores import Stores
from ops.target import Target


class FaultyPlaybook(UserError):
    """A playbook that cannot be put in force; `faults` holds each one, with its place and its mend."""

    def __init__(self, directory: Path, faults: Sequence[PlaybookFault]) -> None:
        self.faults = faults
        more = f" (and {len(faults) - 1} more; see 'musubi check {directory}')" if len(faults) > 1 else ""
        super().__init__(f"nothing was applied: {faults[0]}{more}")


def apply_directory(target: Target, directory: Path) -> Playbook:
    """Put the playbook in `directory` in force and arm its campaigns; idempotent. FaultyPlaybook where it has faults."""
    try:
        playbook = load_playbook(directory)
    except PlaybookFaults as faults:
        raise FaultyPlaybook(directory, faults.faults) from None
    stores = Stores(target)
    stores.playbooks.apply(playbook)
    _arm_campaigns(stores, playbook)
    return playbook


def _arm_campaigns(stores: Stores, playbook: Playbook) -> None:
    """One schedule for each campaign that is on, at its next hour; none for any other."""
    now, armed = stores.now(), set()
    for name, campaign in playbook.campaigns.items():
        occurrence = next_occurrence(campaign, playbook.zone, now)
        if occurrence is not None:
            stores.schedules.put(name, occurrence)
            armed.add(name)
    for name in stores.schedules.campaigns() - armed:
        stores.schedules.remove(name)
