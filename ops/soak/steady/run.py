"""The run itself: customers are linked, half an hour goes by, what waits is let through, and everything is counted."""

import datetime as dt
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec

from functions.aws.scans import S3Audits
from functions.domain.audits import part_of
from functions.domain.instants import MINUTE, Instant, format_instant
from infra.bundle import ROOT
from ops.accounts import accounts
from ops.engine.errors import LocalError, StalledError
from ops.local.facts import WaitingFacts
from ops.local.place import Place
from ops.local.queues import WorkQueues
from ops.local.up import Wishes, bring_up
from ops.soak.beside import every
from ops.soak.steady.acting import Actors, customer_of
from ops.soak.steady.checking import differences, in_lake, in_table, kept_of
from ops.soak.steady.crowd import requests_of
from ops.soak.steady.moving import Mover, MovingTime
from ops.soak.steady.outcome import Outcome, grown_of, memory_of
from ops.soak.steady.pacing import Generator, Offered
from ops.soak.steady.sampling import Lag, Sample, Sampler
from ops.soak.storm import START, Show, Stage, apply_playbook, link, stage_of
from ops.target import Target

PLAYBOOK = ROOT / "ops" / "soak" / "steady" / "playbook"
MINUTES_PER_SECOND = 4.0
"""Virtual minutes that pass in a second: a day in six minutes, five days and nights in half an hour."""
STALL_SECONDS = 300.0
"""A batch whose worker died comes again after three minutes, as on AWS."""
GATHER_SECONDS = 5.0
"""AWS gathers what becomes a fact for two minutes: for less, so that a virtual night does not end without it."""
STREAM_ROWS = 250
"""Some 1.5 MB of customers before and after. Lambda hands over 6 MB at most (Invoke's payload); this engine knows no such limit, and
would hand over the two thousand of infra/facts.py whatever they weigh, which grows as rows do."""
SAMPLE_SECONDS = 10.0
LAG_SECONDS = 0.25
DRAIN_STEP, DRAIN_TICK = dt.timedelta(minutes=30), dt.timedelta(minutes=5)
FACTS_HOUR = 18
"""In UTC: before the day is measured, at 19:00, all of it is a fact."""
MIDNIGHT_HOUR, END_AFTER = 15, dt.timedelta(hours=11)
"""In UTC: the day is over in Tokyo, and eleven hours later it was measured, and nothing waits for the morning any more."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What to run."""

    minutes: float = 30.0
    events_per_second: float = 50.0
    customers: int = 4_000

    @property
    def sample_seconds(self) -> float:
        """At least sixty samples, but not more than one a second."""
        return max(1.0, min(SAMPLE_SECONDS, self.minutes))


Say = Callable[[str], None]
Watched = Callable[[Sample], None]


def run(place: Place, wanted: Wanted, say: Say, watched: Watched, show: Show) -> Outcome:
    """Bring everything up and let the time pass. The caller takes it down."""
    began = time.monotonic()
    wishes = Wishes(
        place=place,
        at=START,
        playbook=PLAYBOOK,
        accept_any_user=False,
        short_waits=False,
        gather_seconds=GATHER_SECONDS,
    )
    target = bring_up(wishes, after_deploy=apply_playbook, say=say)
    _hand_over_less(target)
    stage = stage_of(place, target, show)
    stage.wall_seconds["deploy"] = round(time.monotonic() - began, 1)
    with stage.phase("link customers"):
        link(stage, [customer_of(number) for number in range(wanted.customers)])
    return Steady(place, stage, wanted, watched).run(say)


def _hand_over_less(target: Target) -> None:
    lambda_ = target.client("lambda")
    found = lambda_.list_event_source_mappings(FunctionName=target.output("FunctionFacts"))
    for mapping in found["EventSourceMappings"]:
        lambda_.update_event_source_mapping(UUID=mapping["UUID"], BatchSize=STREAM_ROWS)


class Steady:
    """One run on a deployment that is up and has customers."""

    def __init__(self, place: Place, stage: Stage, wanted: Wanted, watched: Watched) -> None:
        self._stage, self._wanted, self._watched = stage, wanted, watched
        self._target = stage.stores.target
        self._moving = MovingTime(place, self._target)
        self._lag = Lag(stage.stores.events.has)
        self._sampler = Sampler(Path(stage.record["run_dir"]), stage.stores)
        self._actors = Actors(stage.record, lambda: format_instant(self._moving.now), self._lag.follow)
        self._generator = Generator(self._actors.post, wanted.events_per_second, wanted.minutes * 60)
        self._failures: list[str] = []
        self._spent: dict[str, float] = {}
        self._engine_ended = False

    def run(self, say: Say) -> Outcome:
        """The load, then what waits, then the count."""
        self._warm()
        with self._stage.phase("load"):
            offered = self._load()
        with self._stage.phase("drain"):
            say("Letting through what is in the queues, and what waits for the morning")
            self._drain(_end_of(self._moving.now))
        say("Counting")
        with self._stage.phase("count"):
            return self._outcome(offered)

    def _warm(self) -> None:
        """One call to each door, and a minute: no cold start is to be what the first requests meet."""
        self._actors.knock()
        self._moving.move_to(self._moving.now + MINUTE)

    def _load(self) -> Offered:
        mover = Mover(self._moving, MINUTES_PER_SECOND)
        requests = requests_of(self._wanted.events_per_second, self._wanted.customers)
        with ExitStack() as beside:
            for deed, seconds in ((self._look, self._wanted.sample_seconds), (self._lag.look, LAG_SECONDS)):
                beside.enter_context(every(seconds, self._guarded(deed)))
            beside.enter_context(mover.at_work())
            offered = self._generator.run(requests, lambda: self._engine_ended)
        self._look()
        if self._engine_ended:
            raise LocalError(
                "the embedded engine ended before the load did, or somebody took it down: begin anew"
            )
        self._spent = self._sampler.cpu_seconds()
        if mover.error:
            self._failures.append(f"time stood still: {mover.error}")
        return offered

    def _guarded(self, deed: Callable[[], None]) -> Callable[[], None]:
        """The deed, and whatever goes wrong with it among the failures, once."""

        def done() -> None:
            try:
                deed()
            except Exception as error:  # noqa: BLE001 — a thread's own end would be seen by nobody
                line = f"the watch failed: {type(error).__name__}: {error}"
                if line not in self._failures:
                    self._failures.append(line)

        return done

    def _look(self) -> None:
        self._engine_ended = not any(one.name == "engine" for one in self._sampler.processes())
        if self._engine_ended:
            return
        generator = self._generator
        virtual = format_instant(self._moving.now)
        at, lag = generator.elapsed, self._lag.seconds()
        self._watched(self._sampler.look(at, generator.taken, generator.late, virtual, lag))

    def _drain(self, until: Instant) -> None:
        """Half an hour of virtual time after the other, and each time until nothing is left to do."""
        queues, facts = WorkQueues(self._target, STALL_SECONDS), WaitingFacts(self._target)
        try:
            queues.settle()
            while self._moving.now < until:
                self._moving.move_to(min(self._moving.now + DRAIN_STEP, until), DRAIN_TICK)
                queues.settle()
                if self._moving.now.hour == FACTS_HOUR:
                    facts.settle()
            facts.settle()
        except StalledError as error:
            self._failures.append(str(error))

    def _audited(self) -> int:
        """Customers that differ, of each night's audit and of all of them now."""
        audits, total = S3Audits(self._stage.stores.objects), differences(self._stage.stores)
        for night in self._moving.nights:
            report = audits.report(f"{night:%Y-%m-%d}", part_of(night))
            if report is None or not report.done:
                self._failures.append(f"the audit of {night:%Y-%m-%d} did not come to its end")
            else:
                total += report.differences
        return total

    def _outcome(self, offered: Offered) -> Outcome:
        stores, samples, wanted = self._stage.stores, self._sampler.samples, self._wanted
        report, differ = self._stage.line.report(with_users=False), self._audited()
        failures = self._failures + (
            ["the sandbox itself failed: see its log"] if report.sandbox_errors else []
        )
        return Outcome(
            minutes=wanted.minutes,
            virtual_hours=round((self._moving.now - START).total_seconds() / 3600, 1),
            offered=offered,
            samples=samples,
            memory=memory_of(samples),
            grown=grown_of(samples),
            cpu_ms={
                name: round(1000 * seconds / max(offered.events, 1), 2)
                for name, seconds in self._spent.items()
            },
            started=self._sampler.started(),
            lag_seconds_most=round(self._lag.most, 2),
            accounts=accounts(stores),
            in_table=kept_of(self._actors.taken_in, in_table(stores)),
            in_lake=kept_of(self._actors.taken_in, in_lake(stores)),
            accepted=report.accepted,
            copies=report.duplicates,
            dead=self._sampler.dead(),
            audits=len(self._moving.nights),
            differences=differ,
            failures=failures,
            wall_seconds=self._stage.wall_seconds,
        )


def _end_of(now: Instant) -> Instant:
    """The late morning after the day, in Tokyo, that it is now."""
    midnight = now.astimezone(dt.UTC).replace(hour=MIDNIGHT_HOUR, minute=0, second=0, microsecond=0)
    return (midnight if midnight > now else midnight + dt.timedelta(days=1)) + END_AFTER
