"""`musubi apply`: check a playbook and put it in force."""

from pathlib import Path

from functions.domain.campaigns import next_occurrence
from functions.domain.playbook import Playbook
from functions.playbook import load_playbook
from ops.stores import Stores
from ops.target import Target


def apply_directory(target: Target, directory: Path) -> Playbook:
    """Put the playbook in `directory` in force and arm its campaigns. PlaybookFaults where it has any; idempotent."""
    playbook = load_playbook(directory)
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
