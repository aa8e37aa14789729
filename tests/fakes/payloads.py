"""The real payloads under events/."""

import json
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).parents[2] / "events"


def payload(name: str) -> Any:
    """The JSON of a file, such as webhook/follow."""
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def webhook_events(*names: str) -> list[Any]:
    """The events of some webhook files, one after the other."""
    return [event for name in names for event in payload(f"webhook/{name}")["events"]]
