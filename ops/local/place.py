"""Where a run keeps its things, and the record that tells scripts how to reach it."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.bundle import ROOT
from ops.engine.errors import LocalError

PRIVATE = 0o700


@dataclass(frozen=True, slots=True)
class Place:
    """One run's files under `home` (the project's build/ unless a test says otherwise)."""

    home: Path = ROOT / "build"

    @property
    def record_path(self) -> Path:
        """The contract with scripts: endpoints, secrets, the virtual instant."""
        return self.home / "local.json"

    @property
    def run_dir(self) -> Path:
        """Everything the run's processes write. Gone when the run is."""
        return self.home.resolve() / "local"

    @property
    def clock_file(self) -> Path:
        """The virtual instant that the functions and the sandbox read."""
        return self.run_dir / "clock"

    @property
    def groups_path(self) -> Path:
        """The process groups that were started, kept apart from the record: they exist before it does."""
        return self.run_dir / "groups.json"

    def make(self) -> None:
        """The run's directory, for its owner alone."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.run_dir.mkdir(mode=PRIVATE)

    def groups(self) -> dict[str, int]:
        """Process groups by what runs in them; none where nothing was started."""
        try:
            found: dict[str, int] = json.loads(self.groups_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return found

    def remember_group(self, name: str, group: int) -> None:
        """Note a started process group, so that `down` finds it whatever happens next."""
        replace_text(self.groups_path, json.dumps(self.groups() | {name: group}))

    def read_record(self) -> dict[str, Any]:
        """The record. LocalError where nothing is up."""
        try:
            found: dict[str, Any] = json.loads(self.record_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise LocalError("Nothing is up on this machine: run `musubi local up` first.") from None
        return found

    def account_path(self, name: str) -> Path:
        """The record of one of several accounts, for whatever takes the whole run's."""
        return self.run_dir / f"account-{name}.json"

    def write_records(self, records: Mapping[str, Mapping[str, Any]]) -> None:
        """The accounts' records, and the run's: that of the first, with all of them beside it."""
        told = {name: {**record, "state": str(self.account_path(name))} for name, record in records.items()}
        for name, record in told.items():
            replace_text(self.account_path(name), json.dumps(record, indent=2, ensure_ascii=False) + "\n")
        self.write_record({**next(iter(records.values())), "accounts": told})

    def write_clock(self, text: str) -> None:
        """Write the virtual instant into every record."""
        record = self.read_record()
        if "accounts" in record:
            self.write_records({name: one | {"clock": text} for name, one in record["accounts"].items()})
        else:
            self.write_record(record | {"clock": text})

    def write_record(self, record: Mapping[str, Any]) -> None:
        """Replace the record in one step: a reader sees the old one or the new one. It holds secrets."""
        replace_text(self.record_path, json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def replace_text(path: Path, text: str) -> None:
    """Write the whole file beside `path`, readable by its owner alone, and move it into place."""
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
