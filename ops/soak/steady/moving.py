"""Virtual time that goes on while work comes in, as EventBridge Scheduler's does: nothing waits until the queues are empty."""

import datetime as dt
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from functions.domain.instants import MINUTE, minute_of
from ops.engine.errors import LocalError
from ops.local.due import Occurrence, Schedules
from ops.local.instants import text_of
from ops.local.place import Place, replace_text
from ops.soak.beside import beside
from ops.target import Target

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

STEP_SECONDS = 1.0
RELOAD = dt.timedelta(minutes=30)
"""So often, in virtual time, the group of schedules is read anew: a campaign that has run sets its next instant there."""
TICK_TRIES_MAX = 5
AUDIT_HOUR = 18
"""In UTC, as infra/schedules.py has it."""


class _Schedules(Schedules):
    """All that is due is due, whatever the facts' streams have read so far: under load they are never at their ends."""

    def first(self, until: dt.datetime) -> Occurrence | None:
        """The occurrence that is due first, where it is by `until`."""
        return self._pending[0] if self._pending and self._pending[0].at <= until else None


class MovingTime:
    """Minute by minute: the schedules that are due put their messages, then the minute's tick runs. `nights`: the instants
    at which an audit was asked for."""

    def __init__(self, place: Place, target: Target) -> None:
        self._place = place
        self._sqs = target.client("sqs")
        self._lambda: LambdaClient = target.client("lambda")
        self._tick, self._evaluate = target.output("FunctionTick"), target.output("QueueEvaluateUrl")
        self.now = dt.datetime.fromisoformat(place.clock_file.read_text(encoding="ascii").strip())
        self._schedules = _Schedules(target, _fired(place), self.now)
        self._reload_at = self.now + RELOAD
        self._audit_at = _next(self.now, AUDIT_HOUR)
        self.nights: list[dt.datetime] = []

    def move_to(self, instant: dt.datetime, every: dt.timedelta = MINUTE) -> None:
        """Run what is due up to `instant`, then stand there. `every`: from tick to tick; each looks at the five minutes
        before its own, too. LocalError where a tick fails."""
        minute = minute_of(self.now) + every
        while minute <= instant:
            self._stand_at(minute)
            self._fire(minute)
            self._tick_at(minute)
            minute += every
        self._stand_at(instant)

    def _fire(self, minute: dt.datetime) -> None:
        if minute >= self._reload_at:
            self._schedules.reload()
            self._reload_at = minute + RELOAD
        while due := self._schedules.first(minute):
            self._schedules.fire(due)
        if minute >= self._audit_at:
            self._audit_at += dt.timedelta(days=1)
            self._sqs.send_message(
                QueueUrl=self._evaluate, MessageBody=json.dumps({"audit_at": text_of(minute)})
            )
            self.nights.append(minute)

    def _tick_at(self, minute: dt.datetime) -> None:
        """As Scheduler does, a tick that fails is tried again; it would go on for a day."""
        payload, told = json.dumps({"scheduled_at": text_of(minute)}), ""
        for _ in range(TICK_TRIES_MAX):
            answer: Any = self._lambda.invoke(FunctionName=self._tick, Payload=payload)
            if "FunctionError" not in answer:
                return
            told = answer["Payload"].read().decode(errors="replace")[:500]
        raise LocalError(f"The tick of {text_of(minute)} failed {TICK_TRIES_MAX} times: {told}")

    def _stand_at(self, instant: dt.datetime) -> None:
        replace_text(self._place.clock_file, text_of(instant))
        self.now = instant


def _next(now: dt.datetime, hour: int) -> dt.datetime:
    """The first instant after `now` at which it is this hour in UTC."""
    today = now.astimezone(dt.UTC).replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today > now else today + dt.timedelta(days=1)


def _fired(place: Place) -> Path:
    return place.run_dir / "fired.json"


class Mover:
    """Moves time on by so many virtual minutes a second of ours. `error`: why it ended before it was asked to.
    `behind_seconds`: the longest that it took over one step."""

    def __init__(self, moving: MovingTime, minutes_per_second: float) -> None:
        self._moving, self._speed = moving, minutes_per_second
        self.error: Exception | None = None
        self.behind_seconds = 0.0

    @contextmanager
    def at_work(self) -> Iterator[Self]:
        """Time moves on while the block runs."""
        with beside(self._move):
            yield self

    def _move(self, stopping: threading.Event) -> None:
        start, began = self._moving.now, time.monotonic()
        while not stopping.wait(STEP_SECONDS):
            elapsed = time.monotonic() - began
            try:
                self._moving.move_to(start + dt.timedelta(minutes=int(elapsed * self._speed)))
            except Exception as error:  # noqa: BLE001 — it is told at the end, and the load goes on meanwhile
                self.error = error
                return
            self.behind_seconds = max(self.behind_seconds, time.monotonic() - began - elapsed)
