"""The stage that tells of what is off: each finding is kept in the lake once, and rung for once."""

import logging
from dataclasses import dataclass
from pathlib import Path

import msgspec

from functions.domain.alerts import Alert, Noted, decode_noted, feed_key
from functions.measure.alerts import Looked, look
from functions.measure.flow import Measured
from functions.measure.views import WorkspaceViews
from functions.ports.account import Bell
from functions.ports.facts import Lake

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Watch:
    """The stage. None for `bell`: findings are kept, and nobody is rung for."""

    bell: Bell | None = None

    def __call__(self, measured: Measured) -> None:
        """Look at the day, keep what is found, and ring for what nobody was told of yet.

        An alert is noted before it is rung for, and marked afterwards: after a crash in between it is rung for again,
        for a second ring does less harm than none.
        """
        found = look(
            Looked(WorkspaceViews(measured.workspace), measured.day, measured.playbook, measured.now)
        )
        note = measured.workspace.scratch / "alert"
        new = [one for one in found if _is_untold(measured.lake, one, note)]
        if not new:
            return
        logger.info("%d alerts of %s", len(new), measured.day)
        if self.bell is not None:
            self.bell.ring(new)
        for one in new:
            _keep(measured.lake, Noted(one, told=True), note)


def _is_untold(lake: Lake, alert: Alert, note: Path) -> bool:
    """Note an alert where there is none of it; whether nobody was told of it yet."""
    note.write_bytes(msgspec.json.encode(Noted(alert)))
    # Only if there is no such object: another run may be noting the same alert.
    if lake.store_over(feed_key(alert), note, None):
        return True
    return lake.fetch(feed_key(alert), note) and not decode_noted(note.read_bytes()).told


def _keep(lake: Lake, noted: Noted, note: Path) -> None:
    note.write_bytes(msgspec.json.encode(noted))
    lake.store(feed_key(noted.alert), note)
