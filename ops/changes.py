"""What one playbook has that another has not."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from functions.domain.playbook import Playbook

_PARTS = ("events", "segments", "scenarios", "campaigns", "messages", "experiments")


class Change(NamedTuple):
    """The names of one part of the playbook that came, that say something else now, and that went; sorted."""

    part: str
    added: list[str]
    changed: list[str]
    removed: list[str]


def changes_between(old: Playbook | None, new: Playbook) -> list[Change]:
    """The parts that differ, in the order of a playbook folder. None: there was no playbook."""
    parts = [(part, getattr(old, part) if old else {}, getattr(new, part)) for part in _PARTS]
    parts.append(("settings", _settings(old) if old else {}, _settings(new)))
    changes = (_change(part, before, after) for part, before, after in parts)
    return [change for change in changes if change.added or change.changed or change.removed]


def _settings(playbook: Playbook) -> dict[str, Any]:
    """What playbook.yaml says, by the name of what it rules: caps, quiet hours, consent, prices."""
    names = (name for name in Playbook.__struct_fields__ if name not in (*_PARTS, "version"))
    return {name: getattr(playbook, name) for name in names}


def _change(part: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Change:
    changed = sorted(name for name in old.keys() & new.keys() if old[name] != new[name])
    return Change(part, sorted(new.keys() - old.keys()), changed, sorted(old.keys() - new.keys()))
