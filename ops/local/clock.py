"""Virtual time: moved forward one due instant at a time, the queues emptied after each."""

import datetime as dt
import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from ops.engine.errors import LocalError
from ops.local.due import Occurrence, Schedules, TimerRow, Timers
from ops.local.instants import text_of
from ops.local.place import Place, replace_text
from ops.local.queues import STALL_SECONDS, WorkQueues
from ops.target import Target, local_target

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

# functions/tick reads the bucket of its minute and of the five before.
LOOK_BACK = dt.timedelta(minutes=5)
# A tick that leaves a due row where it was has failed; once may be a lost race, thrice is not.
TICKS_A_ROW_MAX = 3


@dataclass(frozen=True, slots=True)
class Step:
    """Where the clock has come to, and how many due instants it has run since it set out."""

    now: dt.datetime
    steps: int


OnProgress = Callable[[Step], None]


class _Account:
    """One deployment that the clock moves: what falls due there, and what runs it."""

    def __init__(self, target: Target, fired_path: Path, stall_seconds: float, *, nightly: bool) -> None:
        self._target = target
        self._fired_path = fired_path
        self._nightly = nightly
        self._lambda: LambdaClient = target.client("lambda")
        self._tick_function = target.output("FunctionTick")
        self._queues = WorkQueues(target, stall_seconds)

    def look(self, now: dt.datetime) -> None:
        """See afresh what is due: whatever came since the clock last moved."""
        self.timers = Timers(self._target)
        self.schedules = Schedules(self._target, self._fired_path, now, nightly=self._nightly)

    def settle(self) -> None:
        self._queues.settle()

    def first(self, until: dt.datetime) -> TimerRow | Occurrence | None:
        row = self.timers.first()
        # What is due after the next timer row is not asked for: it may yet come to something else.
        return _first(row, self.schedules.first(min(until, row.due) if row else until), until)

    def tick(self, scheduled_at: dt.datetime) -> None:
        payload = json.dumps({"scheduled_at": text_of(scheduled_at)})
        answer = self._lambda.invoke(FunctionName=self._tick_function, Payload=payload)
        if "FunctionError" in answer:
            raise LocalError(f"The tick failed: {answer['Payload'].read().decode(errors='replace')[:500]}")


class LocalClock:
    """The virtual clock of the run that is up at `place`, of one deployment where `target` is given, or of all in it.

    `nightly` False: nights pass unmeasured, each a second or two sooner; facts wait until somebody measures.
    """

    def __init__(
        self,
        place: Place,
        target: Target | None = None,
        stall_seconds: float = STALL_SECONDS,
        *,
        nightly: bool = True,
    ) -> None:
        self._place = place
        self._accounts = [
            _Account(one, place.run_dir / fired, stall_seconds, nightly=nightly)
            for fired, one in ([("fired.json", target)] if target else _targets(place))
        ]

    @property
    def now(self) -> dt.datetime:
        """The present virtual instant."""
        return dt.datetime.fromisoformat(self._place.clock_file.read_text(encoding="ascii").strip())

    def settle(self) -> None:
        """Wait until the queues are idle; time stands still. StalledError where they never are."""
        for account in self._accounts:
            account.settle()

    def advance_to(self, instant: dt.datetime, on_progress: OnProgress | None = None) -> Step:
        """Run everything due up to and including `instant` in order, then stand at `instant`.

        `on_progress` is called after each step. LocalError for an instant that has passed, where a tick fails,
        and where somebody else is moving this clock; StalledError where the queues do not empty.
        """
        with _alone(self._place.run_dir / "clock.lock"), _reachable():
            return self._advance_to(instant, on_progress)

    def _advance_to(self, instant: dt.datetime, on_progress: OnProgress | None) -> Step:
        if instant < self.now:
            raise LocalError(f"Time does not run backwards: it is {text_of(self.now)} already.")
        self.settle()
        for account in self._accounts:
            account.look(self.now)
        steps, last, tries = 0, None, 0
        while found := self._next(instant):
            last, tries = found, (tries + 1 if found == last else 1)
            if tries > TICKS_A_ROW_MAX:
                raise LocalError(
                    f"The tick leaves the due row {found[1]} in its bucket: see the engine's log."
                )
            self._fire(*found)
            steps += 1
            if on_progress:
                on_progress(Step(self.now, steps))
        self._stand_at(instant)
        return Step(instant, steps)

    def _next(self, until: dt.datetime) -> tuple[_Account, TimerRow | Occurrence] | None:
        """What is due first, and whose: no account's due work waits for another's later."""
        due = [(account, one) for account in self._accounts if (one := account.first(until))]
        return min(due, key=lambda pair: _instant_of(pair[1]), default=None)

    def _fire(self, account: _Account, due: TimerRow | Occurrence) -> None:
        """Stand at the due instant, or stay where it has passed, and run what is due there."""
        if isinstance(due, Occurrence):
            self._stand_at(max(self.now, due.at))
            account.schedules.fire(due)
            account.settle()
            account.schedules.reload()
        else:
            now = max(self.now, due.due)
            self._stand_at(now)
            account.tick(now if now - LOOK_BACK <= due.minute <= now else due.minute)
            account.settle()

    def _stand_at(self, instant: dt.datetime) -> None:
        """Write the instant where the functions read it, then where scripts do."""
        text = text_of(instant)
        replace_text(self._place.clock_file, text)
        self._place.write_clock(text)


def _targets(place: Place) -> Iterator[tuple[str, Target]]:
    """Every deployment of the run, with the name of the file that notes which of its schedules have fired."""
    accounts = place.read_record().get("accounts")
    if accounts is None:
        yield "fired.json", local_target(place.record_path)
        return
    for name in accounts:
        yield f"fired-{name}.json", local_target(place.account_path(name))


def _instant_of(due: TimerRow | Occurrence) -> dt.datetime:
    return due.at if isinstance(due, Occurrence) else due.due


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One mover at a time: two would each run what is due at instants of their own. LocalError for the second."""
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalError("Somebody else is moving this clock: wait until they have arrived.") from None
        yield


@contextmanager
def _reachable() -> Iterator[None]:
    """LocalError where the engine stops answering on the way."""
    try:
        yield
    except (EndpointConnectionError, ConnectionClosedError) as error:
        mend = "run `musubi local down`, then `musubi local up`"
        raise LocalError(f"The embedded engine no longer answers: {mend}.") from error


def _first(
    row: TimerRow | None, occurrence: Occurrence | None, until: dt.datetime
) -> TimerRow | Occurrence | None:
    """The earlier of the two, the timer where they are even; None where neither is due by `until`."""
    if row and row.due <= until and (occurrence is None or row.due <= occurrence.at):
        return row
    return occurrence if occurrence and occurrence.at <= until else None
