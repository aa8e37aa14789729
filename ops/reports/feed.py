"""The alerts that were raised, as the lake keeps them: the console's feed."""

import datetime as dt
import tempfile
from pathlib import Path

from functions.domain.alerts import FEED, Alert, Noted, decode_noted
from functions.ports.facts import Lake


def alerts_in(lake: Lake, since: dt.date | None = None) -> list[Alert]:
    """Every alert of the day `since` and of days after, oldest first; by default all that are kept."""
    return [one.alert for one in noted_in(lake, since)]


def noted_in(lake: Lake, since: dt.date | None = None) -> list[Noted]:
    """The same, with whether each has been told."""
    with tempfile.TemporaryDirectory(prefix="musubi-alerts-") as scratch:
        path = Path(scratch) / "alert"
        found = []
        for key in lake.keys(FEED):
            if (
                since is not None
                and (day := key.removeprefix(FEED)[4:14]) < since.isoformat()
                and day[:2] == "20"
            ):
                continue
            if lake.fetch(key, path):
                found.append(decode_noted(path.read_bytes()))
    return sorted(found, key=lambda one: (one.alert.day, one.alert.alert_id))
