"""A lake in a folder, and the attributes that a dropped file sets."""

import datetime as dt
import json
import shutil
from pathlib import Path

from functions.domain.events import BUILT_IN, Event, check_event
from functions.domain.loads import Drop, drop_of
from functions.domain.rows import EventObject
from tests.measure.lake_of_rows import Row

NOW = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)


class Folder:
    """A lake in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def keys(self, prefix: str) -> list[str]:
        found = sorted(
            path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file()
        )
        return [key for key in found if key.startswith(prefix)]

    def fetch(self, key: str, path: Path) -> bool:
        if not (self.root / key).exists():
            return False
        shutil.copyfile(self.root / key, path)
        return True

    def store(self, key: str, path: Path) -> None:
        (self.root / key).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, self.root / key)


def attributes_in(path: Path) -> dict[str, Row]:
    """By customer, as the loader reads them."""
    drop = drop_of(path.as_posix().partition("/lake/")[2])
    assert isinstance(drop, Drop)
    assert drop.kind == "events"
    found: dict[str, Row] = {}
    for number, line in enumerate(path.read_text().splitlines()):
        raw = EventObject(drop.source)(json.loads(line), str(number))
        event = check_event(raw, BUILT_IN, NOW)
        assert isinstance(event, Event), event
        found[event.customer_id] = {**event.properties, "at": event.occurred_at}
    return found
