"""tick: which sources have let their files wait, so that somebody hears of it before people do."""

from collections.abc import Callable
from dataclasses import dataclass

from functions.domain.instants import Instant
from functions.domain.watermarks import reports_of
from functions.ports.account import AccountState, Measures
from functions.ports.errors import MusubiError
from functions.ports.playbooks import Playbooks

SOURCES_HELD = "SourcesHeld"


@dataclass(frozen=True, slots=True)
class WatchSources:
    """The ports of this part. What rests on a source is held by the gate itself; this only tells of it."""

    playbooks: Playbooks
    account_state: AccountState
    measures: Measures
    now: Callable[[], Instant]

    def watch(self) -> None:
        """Count the sources that send files and are not fresh: late, short, stale or never loaded.

        Where that cannot be read now, the next minute tells: no timer waits for it.
        """
        try:
            playbook = self.playbooks.in_force().playbook
            expected = {name: source for name, source in playbook.sources.items() if source.expect}
            if not expected:
                return
            account = self.account_state.read()
        except MusubiError:
            return
        reports = reports_of(expected, account.heard, account.loads, self.now(), playbook.zone)
        held = sum(report.state != "fresh" for report in reports.values())
        if held:
            self.measures.count(SOURCES_HELD, held)
