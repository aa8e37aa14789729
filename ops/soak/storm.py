"""The storm itself: link customers, let LINE fail and workers die, send, and count what came of it."""

import datetime as dt
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import urllib3

from functions.domain.accounts import Accounts
from functions.domain.dead_letters import Filters
from functions.domain.events import Event
from functions.domain.instants import Instant, format_instant
from infra.bundle import ROOT
from ops.accounts import accounts
from ops.apply import apply_directory
from ops.dlq.opened import replay_of
from ops.errors import UserError
from ops.importing import import_events
from ops.line_sandbox import SandboxClient
from ops.line_sandbox.faults import FaultRule
from ops.local.clock import LocalClock
from ops.local.place import Place
from ops.local.queues import WorkQueues
from ops.local.up import Wishes, bring_up
from ops.soak.beside import every
from ops.soak.killer import Killer
from ops.stores import Stores
from ops.target import Target

PLAYBOOK = ROOT / "ops" / "soak" / "playbook"
START = dt.datetime(2026, 11, 2, 2, 0, tzinfo=dt.UTC)
"""A Monday, 11:00 in Tokyo: purchases at once, the campaigns an hour later."""
CAMPAIGN_AT = START + dt.timedelta(hours=1)
HOURS_MAX = 20
"""All of it ends while the retry keys, which are 23 hours good, still hold."""
CAMPAIGN_SHARE = 0.3
"""Of all messages, those of one campaign. There are two: one names its recipient, the other goes by multicast."""
FAULTS = [
    FaultRule(kind="accept_then_drop", share=0.2, seed=20261125),
    FaultRule(kind="error_500", share=0.1),
    FaultRule(kind="rate_429", share=0.1),
]
DEVIATIONS_MAX = 4
"""How far from what was asked for a share may be, in standard deviations of as many independent draws as there were calls."""
KILLS = 80
CALLS_A_MESSAGE = 1.6
CALLS_BETWEEN_MIN = 30
"""A kill costs seconds: two of processor until another worker has imported, one in which the engine starts no batch, and
twelve until the batch comes back. So it is the calls that are counted, not the seconds, and a large storm spreads its kills."""
EVENTS_A_REQUEST = 100
SHOWN_EVERY_SECONDS = 0.5
STATUS_ACCEPTED = 202
ENDPOINTS = ("push", "multicast")

Show = Callable[[str, int, int], None]
"""What is done, how many of how many."""


def unshown(_what: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a storm came to. `faults` by kind, of `calls` to LINE, `multicasts` of which told many; `wall_seconds` by
    phase."""

    sends: int
    accounts: Accounts
    accepted: int
    delivered: int
    copies: int
    calls: int
    multicasts: int
    faults: dict[str, int]
    workers_killed: int
    dead_letters_put_back: int
    virtual_hours: float
    wall_seconds: dict[str, float]
    sandbox_errors: list[str] = []

    @property
    def amiss(self) -> list[str]:
        """What is not as it must be: one line each."""
        return [
            *_wrong("messages accepted", self.accepted, self.sends),
            *_wrong("messages delivered", self.delivered, self.sends),
            *_wrong("second copies", self.copies, 0),
            *_wrong("messages recorded as sent", self.accounts.sent, self.sends),
            *_wrong("messages unknown", self.accounts.unknown, 0),
            *([] if self.accounts.is_closed else ["the accounts do not close"]),
            *([] if self.workers_killed else ["no worker was killed"]),
            *([] if self.multicasts else ["nobody was told by multicast"]),
            *chain.from_iterable(
                _share_off(rule, self.faults.get(rule.kind, 0), self.calls) for rule in FAULTS
            ),
            *(["the sandbox itself failed: see its log"] if self.sandbox_errors else []),
        ]


def _share_off(rule: FaultRule, struck: int, calls: int) -> list[str]:
    """One line where a kind of fault struck much more or less often than was asked for (binomial distribution)."""
    share = rule.share or 0
    if abs(struck - calls * share) <= DEVIATIONS_MAX * math.sqrt(calls * share * (1 - share)):
        return []
    return [f"{rule.kind}: {struck} of {calls} calls, wanted {share:.0%}"]


def _wrong(what: str, found: int, wanted: int) -> list[str]:
    return [] if found == wanted else [f"{what}: {found:,}, wanted {wanted:,}"]


@dataclass(frozen=True)
class Stage:
    """Everything that a storm works on, and how long each phase of it took."""

    clock: LocalClock
    stores: Stores
    queues: WorkQueues
    line: SandboxClient
    record: dict[str, Any]
    show: Show
    http: urllib3.PoolManager = field(default_factory=urllib3.PoolManager)
    wall_seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time what is done within it."""
        began = time.monotonic()
        yield
        self.wall_seconds[name] = round(self.wall_seconds.get(name, 0) + time.monotonic() - began, 1)


def stage_of(place: Place, target: Target, show: Show = unshown) -> Stage:
    """The stage on a deployment that is up at `place`, with the storm's playbook in force."""
    record = place.read_record()
    return Stage(
        LocalClock(place, target),
        Stores(target),
        WorkQueues(target),
        SandboxClient(record["line_url"]),
        record,
        show,
    )


def wishes_of(place: Place) -> Wishes:
    """The deployment that a storm needs: LINE knows its friends, and three workers send."""
    return Wishes(place=place, at=START, playbook=PLAYBOOK, accept_any_user=False, send_concurrency=3)


def run(place: Place, sends: int, say: Callable[[str], None], show: Show = unshown) -> Outcome:
    """Bring everything up and let the storm pass. The caller takes it down."""
    began = time.monotonic()
    target = bring_up(wishes_of(place), after_deploy=apply_playbook, say=say)
    stage = stage_of(place, target, show)
    stage.wall_seconds["deploy"] = round(time.monotonic() - began, 1)
    return storm(stage, sends)


def apply_playbook(target: Target, playbook: Path) -> None:
    """What `musubi apply` does."""
    apply_directory(target, playbook)


def storm(stage: Stage, sends: int) -> Outcome:
    """`sends` messages, of two campaigns and of journeys, while LINE fails and workers die."""
    people = [f"person-{number}" for number in range(round(sends * CAMPAIGN_SHARE))]
    buyers = people[: sends // 2 - len(people)]
    wanted = 2 * (len(people) + len(buyers))
    with stage.phase("link customers"):
        link(stage, people)
    stage.line.faults(FAULTS)
    put_back_letters = 0
    run_dir, port = Path(stage.record["run_dir"]), urlsplit(stage.record["line_url"]).port or 0
    with (
        Killer(run_dir, "send", port, lambda: _calls(stage), _calls_between(wanted)).at_work() as killer,
        every(SHOWN_EVERY_SECONDS, lambda: _show_accepted(stage, wanted)),
    ):
        with stage.phase("journeys"):
            buy(stage, buyers)
            stage.clock.settle()
        with stage.phase("campaigns"):
            stage.clock.advance_to(CAMPAIGN_AT)
        with stage.phase("retries"):
            put_back_letters += _until_closed(stage)
    return _outcome(stage, wanted, killer.killed, put_back_letters)


def _calls_between(wanted: int) -> int:
    """How many calls there are between two kills, on average."""
    return max(CALLS_BETWEEN_MIN, round(wanted * CALLS_A_MESSAGE / KILLS))


def _show_accepted(stage: Stage, wanted: int) -> None:
    stage.show("Messages that LINE has accepted", stage.line.report(with_users=False).accepted, wanted)


def _until_closed(stage: Stage) -> int:
    """Hour by hour, until every message has its end on record; how many dead letters went back on the way."""
    back = 0
    for _ in range(HOURS_MAX):
        if any(stage.queues.dead().values()):
            back += put_back(stage.stores)
        stage.clock.settle()
        if not any(stage.queues.dead().values()) and accounts(stage.stores).is_closed:
            break
        stage.clock.advance_to(stage.clock.now + dt.timedelta(hours=1))
    return back


def put_back(stores: Stores) -> int:
    """Every dead letter to where it died, as `musubi dlq replay` does; how many."""
    flow = replay_of(stores)
    return flow.run(flow.begin(Filters(), "the storm"), lambda: math.inf).tally.put_back


def _outcome(stage: Stage, wanted: int, killed: int, back: int) -> Outcome:
    report = stage.line.report(with_users=False)
    return Outcome(
        sends=wanted,
        accounts=accounts(stage.stores),
        accepted=report.accepted,
        delivered=report.delivered,
        copies=report.duplicates,
        calls=_calls(stage),
        multicasts=sum(report.answers.get("multicast", {}).values()),
        faults=report.faults,
        workers_killed=killed,
        dead_letters_put_back=back,
        virtual_hours=(stage.clock.now - START).total_seconds() / 3600,
        wall_seconds=stage.wall_seconds,
        sandbox_errors=report.sandbox_errors,
    )


def _calls(stage: Stage) -> int:
    """How many calls that send something LINE has had so far."""
    answers = stage.line.report(with_users=False).answers
    return sum(sum(answers.get(endpoint, {}).values()) for endpoint in ENDPOINTS)


def user_of(person: str) -> str:
    """A well-formed LINE user id."""
    return f"U{int(person.rpartition('-')[2]):032x}"


def link(stage: Stage, people: Sequence[str]) -> None:
    """Friends of the account whom the CRM knows, with consent and a name each; no journey starts."""
    stage.line.register_friends(map(user_of, people))
    import_events(stage.stores, [event for person in people for event in _history(person)])
    while left := stage.queues.counts()["Inbox"]:
        stage.show("Customers linked", max(0, len(people) - left), len(people))
        time.sleep(0.5)
    stage.clock.settle()
    stage.show("Customers linked", len(people), len(people))


def _history(person: str) -> list[Event]:
    told = {"line_user_id": user_of(person), "method": "crm_import", "consent": ["marketing"]}
    return [
        _crm(person, "line_linked", START - dt.timedelta(hours=2), told),
        _crm(person, "profile_updated", START - dt.timedelta(hours=1), {"family_name": person}),
    ]


def _crm(person: str, name: str, at: Instant, properties: dict[str, Any]) -> Event:
    return Event(f"{name}-{person}", person, name, at, source="crm", properties=properties)


def buy(stage: Stage, buyers: Sequence[str]) -> None:
    """Everyone buys once, just now: a thank-you at once, and word of the shipment half an hour later."""
    for start in range(0, len(buyers), EVENTS_A_REQUEST):
        _post(
            stage, [_purchase(buyer, stage.clock.now) for buyer in buyers[start : start + EVENTS_A_REQUEST]]
        )


def _purchase(buyer: str, at: Instant) -> dict[str, Any]:
    return {
        "event_id": f"purchase-{buyer}",
        "customer_id": buyer,
        "name": "purchase",
        "occurred_at": format_instant(at),
        "source": "shop",
        "properties": {"order_id": f"order-{buyer}", "amount": 4800},
    }


def _post(stage: Stage, events: list[dict[str, Any]]) -> None:
    answer = stage.http.request(
        "POST",
        stage.record["ingest_url"],
        json={"events": events},
        headers={"authorization": f"Bearer {stage.record['ingest_key']}"},
    )
    if answer.status != STATUS_ACCEPTED or answer.json()["rejected"]:
        raise UserError(f"the CRM's events were not taken in: {answer.status} {answer.data.decode()[:300]}")
