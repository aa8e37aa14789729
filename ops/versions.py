"""Which playbook versions were put in force, and when: a list in the bucket, newest last."""

import msgspec

from functions.aws.objects import Objects
from functions.aws.stored import over
from functions.domain.instants import Instant

HISTORY = "playbooks/history.json"


class Version(msgspec.Struct, frozen=True, omit_defaults=True):
    """One time that a version was put in force, and the back-fill that this started; empty: none was needed.

    `by`: who did; `why`: the reason they gave (`musubi apply --why`), which the weekly review shows beside what changed.
    """

    version: str
    name: str
    at: Instant
    backfill: str = ""
    by: str = ""
    why: str = ""


_history = msgspec.json.Decoder(list[Version])


def history(objects: Objects) -> list[Version]:
    """All that were put in force, oldest first."""
    body = objects.read(HISTORY)
    return _history.decode(body) if body is not None else []


def keep(objects: Objects, versions: list[Version]) -> None:
    """Write the list anew."""
    objects.write(HISTORY, over(objects.read(HISTORY), _history, versions))


def before(versions: list[Version]) -> Version | None:
    """The newest entry of another version than the last; None where there never was another."""
    others = [entry for entry in versions if entry.version != versions[-1].version]
    return others[-1] if others else None
