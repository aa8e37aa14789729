"""`make stored`: record what the code of this checkout stores, as fixtures of its format (docs/operations.md, Changing what
is stored). A format that code may have been deployed with never changes but by fields that have a default."""

import json
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from functions.domain.stored import FORMAT
from functions.playbook import load_playbook
from tests.stored.kinds import schemas, shapes, whole
from tests.stored.names import names
from tests.stored.places import STEPS, places
from tests.stored.shapes import HOW, faults_between, recorded

FIXTURES = Path(__file__).parent / "fixtures"
EC = Path("playbooks/ec")


def values() -> dict[str, Any]:
    """A whole value of each kind, as this code writes it."""
    return {kind: msgspec.json.decode(msgspec.json.encode(whole(shape))) for kind, shape in shapes().items()}


def compiled() -> dict[str, Any]:
    """The shop's playbook, as this code compiles it."""
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(load_playbook(EC)))
    return told


def written() -> dict[str, Any]:
    """Rows and objects as this code's adapters write them."""
    with places() as at:
        for step in STEPS:
            step(at)
        return at.dump()


def record(folder: Path) -> None:
    """Write the five files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "values": values(),
        "schema": schemas(),
        "names": names(),
        "places": written(),
        "playbook": compiled(),
    }
    for name, told in files.items():
        text = json.dumps(told, ensure_ascii=False, indent=1, sort_keys=name == "schema")
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def main() -> int:
    """Record, unless that would change a format in a way that its other code does not bear."""
    folder = FIXTURES / str(FORMAT)
    faults = faults_between(recorded(FORMAT), schemas()) if folder.exists() else []
    if faults:
        click.echo("\n".join([f"format {FORMAT} was recorded otherwise:", *faults, HOW]), err=True)
        return 2
    record(folder)
    click.echo(f"recorded as format {FORMAT}: {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
