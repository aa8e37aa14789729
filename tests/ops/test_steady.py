"""The steady soak's own tools: the generator's pace, what counts as flat, and what counts as amiss."""

import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from functions.domain.accounts import Accounts
from functions.domain.events import Fault, check_event
from functions.domain.instants import parse_instant
from functions.playbook import load_playbook
from ops.errors import UserError
from ops.soak.steady.__main__ import _given, _wanted
from ops.soak.steady.checking import Kept, kept_of
from ops.soak.steady.crowd import Deeds, requests_of
from ops.soak.steady.flatness import trend_of
from ops.soak.steady.outcome import Outcome, grown_of, memory_of
from ops.soak.steady.pacing import Generator, Offered, Post, Request
from ops.soak.steady.picture import page_of
from ops.soak.steady.processes import processes_of
from ops.soak.steady.report import DOCS, written
from ops.soak.steady.run import PLAYBOOK, Wanted, _end_of
from ops.soak.steady.sampling import Lag, Sample

RATE = 50.0


class Hands:
    """A clock that moves when somebody sleeps, or is held up."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class AtOnce(Executor):
    """Does what it is given before it returns."""

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        fn(*arguments, **named)
        return Future()


# --- what is asked, and when


def test_the_crowd_keeps_the_rate_in_every_minute() -> None:
    by_minute = [0, 0, 0]
    for request in takewhile(lambda one: one.due_seconds < 180, requests_of(RATE, 100)):
        by_minute[int(request.due_seconds // 60)] += request.events
    assert all(abs(events - RATE * 60) < 25 for events in by_minute), by_minute


def test_requests_come_in_the_order_in_which_they_are_due_and_the_same_each_time() -> None:
    first, again = (list(islice(requests_of(RATE, 100), 2_000)) for _ in range(2))
    assert first == again
    assert [one.due_seconds for one in first] == sorted(one.due_seconds for one in first)


def test_four_of_five_events_come_from_the_crm_ten_to_twenty_at_once() -> None:
    some = list(takewhile(lambda one: one.due_seconds < 120, requests_of(RATE, 100)))
    crm = [one.events for one in some if one.act == "crm"]
    assert 0.79 < sum(crm) / sum(one.events for one in some) < 0.81
    assert (min(crm), max(crm)) == (10, 20)
    assert {one.act for one in some} == {"crm", "chat", "follow", "block"}


def test_no_event_of_the_crm_has_anothers_id_and_each_is_in_the_dictionary() -> None:
    playbook, ids = load_playbook(PLAYBOOK), list[str]()
    now = parse_instant("2026-11-02T02:00:00Z")
    for request in islice(requests_of(RATE, 100), 800):
        for deed in request.deeds if request.act == "crm" else ():
            ids.append(deed.id)
            raw = {"event_id": deed.id, "customer_id": f"person-{deed.who}", "name": deed.name,
                   "occurred_at": "2026-11-02T02:00:00Z", "source": "shop", "properties": deed.properties}  # fmt: skip
            found = check_event(raw, playbook.events, now, {})
            assert not isinstance(found, Fault), found
    assert len(set(ids)) == len(ids) > 1000


def test_who_comes_back_blocked_the_account_before() -> None:
    friends = set[int]()
    for request in islice(requests_of(RATE, 100), 500):
        [deed, *_] = request.deeds
        if request.act == "follow":
            assert deed.who not in friends
            friends.add(deed.who)
        elif request.act == "block":
            friends.remove(deed.who)


# --- the pace


def _requests(seconds: float, rate: float = RATE) -> list[Deeds]:
    some = requests_of(rate, 10)
    return list(takewhile(lambda one: one.due_seconds < seconds, some))


def _run(post: Post, seconds: float, hands: Hands, sleep: Callable[[float], object] | None = None) -> Offered:
    generator = Generator(post, RATE, seconds, hands, sleep or hands.sleep, AtOnce)
    return generator.run(requests_of(RATE, 10))


def test_a_generator_offers_what_was_asked_for() -> None:
    offered = _run(lambda _request: "", 120, Hands())
    assert offered.amiss == []
    assert offered.late_requests == 0
    assert len(offered.held_shares) == 2
    assert offered.events == sum(one.events for one in _requests(120))


def test_no_request_waits_for_the_answer_to_another() -> None:
    """An open loop: none of these eight is answered until all of them are on their way."""
    together = threading.Barrier(8)

    def answered_late(_request: Request) -> str:
        together.wait(timeout=10)
        return ""

    eight = islice(requests_of(400, 10), 8)
    offered = Generator(answered_late, 400, 60).run(eight)
    assert (offered.requests, offered.refused) == (8, 0)


def test_requests_that_begin_late_go_out_are_counted_and_break_the_minutes_rate() -> None:
    """The machine stands still for ten seconds before the first minute is over."""
    hands, stuck = Hands(), threading.Event()

    def held_up(seconds: float) -> None:
        hands.now += seconds
        if hands.now > 155 and not stuck.is_set():
            stuck.set()
            hands.now += 10

    offered = _run(lambda _request: "", 120, hands, held_up)
    assert offered.late_requests > 10
    assert offered.latest_seconds == pytest.approx(10, abs=0.5)
    assert offered.events == sum(one.events for one in _requests(120))  # later, but all of them
    assert offered.held_shares[0] < 0.95
    assert "in minute 1 " in offered.amiss[0]
    assert "--events-per-second" in offered.amiss[0]


def test_what_is_refused_or_fails_does_not_count_as_taken_in() -> None:
    def post(request: Request) -> str:
        if 30 < request.due_seconds < 33:
            raise TimeoutError("nobody answers")
        return "503 busy" if 33 < request.due_seconds < 35 else ""

    offered = _run(post, 60, Hands())
    assert offered.refused > 10
    assert any("were refused" in line and "nobody answers" in line for line in offered.amiss)
    assert any("minute 1" in line for line in offered.amiss)


def test_a_rest_of_a_minute_is_held_to_its_own_share() -> None:
    offered = _run(lambda _request: "", 90, Hands())
    assert len(offered.held_shares) == 2
    assert all(0.98 < share < 1.02 for share in offered.held_shares)


# --- flat, or not


def _points(values: Sequence[float]) -> list[tuple[float, float]]:
    """Every ten seconds."""
    return [(number * 10.0, value) for number, value in enumerate(values)]


def _worker(minutes: float, leak: float = 0.0, seed: int = 1) -> list[tuple[float, float]]:
    """Samples of a worker of 65 MB, six a minute, that takes up 6 MB more as it warms up: noise of 0.3 MB, now and then
    a bump of 4 MB, and a leak of so many MB a minute."""
    dice = random.Random(seed)
    values = []
    for number in range(int(minutes * 6)):
        noise = dice.gauss(0, 0.3) + (4 if dice.random() < 0.05 else 0)
        values.append(65 + 6 * (1 - 0.5 ** (number / 6)) + leak * number / 6 + noise)
    return _points(values)


def test_noise_and_a_warm_up_are_flat() -> None:
    assert all(trend_of(_worker(30, seed=seed)).is_flat for seed in range(50))


def test_half_a_megabyte_a_minute_is_not_flat() -> None:
    assert not any(trend_of(_worker(30, leak=0.5, seed=seed)).is_flat for seed in range(50))


def test_the_smallest_leak_that_is_noticed_is_the_one_that_is_told() -> None:
    least = trend_of(_worker(30)).smallest_leak
    assert 0.15 < least < 0.25
    assert not trend_of(_points([65 + 1.1 * least * n / 6 for n in range(180)])).is_flat
    assert trend_of(_points([65 + 0.9 * least * n / 6 for n in range(180)])).is_flat


def test_a_worker_that_shrinks_is_flat_and_one_that_was_seen_for_two_minutes_is_not_judged() -> None:
    assert trend_of(_points([90.0] * 10 + [60.0] * 10)).is_flat
    short = trend_of(_points([60.0, 70.0, 90.0] * 4))
    assert not short.is_judged
    assert trend_of([(1.0, 60.0)]).last == 60.0


# --- the outcome

SENT = Accounts(targeted=900, sent=800, suppressed={"capped": 100}, failed=0, unknown=0, pending=0)
WHOLE = Kept(taken_in=1500, kept=1500, lost=0, twice=0)


def _sample(number: int, decide: float = 65.0, inbox: int = 10) -> Sample:
    return Sample(
        at_seconds=number * 100.0,
        virtual="2026-11-02T02:00:00Z",
        events=number * 500,
        late_requests=0,
        lag_seconds=0.4,
        memory_mb={"decide": decide, "engine": 300.0 + number, "sandbox": 41.0},
        workers={"decide": 3, "engine": 1, "sandbox": 1},
        queues={"Inbox": inbox, "Send": 0},
        dead={"Inbox": 0},
    )


SAMPLES = [_sample(number) for number in range(18)]
GOOD = Outcome(
    minutes=30.0,
    virtual_hours=24.0,
    offered=Offered(
        events_per_second=50,
        seconds=180,
        requests=500,
        events=9000,
        late_requests=0,
        latest_seconds=0.1,
        by_minute=[3000, 3000, 3000],
        refused=0,
        refusals=[],
    ),
    samples=SAMPLES,
    memory=memory_of(SAMPLES),
    grown=grown_of(SAMPLES),
    cpu_ms={"decide": 5.9},
    started={"decide": 3},
    lag_seconds_most=1.5,
    accounts=SENT,
    in_table=WHOLE,
    in_lake=WHOLE,
    accepted=800,
    copies=0,
    dead={"Inbox": 0},
    audits=1,
    differences=0,
)
LEAK = [_sample(number, decide=65 + number / 2) for number in range(18)]
GROWING = [_sample(number, inbox=number * 50) for number in range(18)]


def test_a_run_in_which_all_holds_is_not_amiss() -> None:
    assert GOOD.amiss == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"memory": memory_of(LEAK)}, "memory of decide grows"),
        ({"samples": GROWING}, "the inbox's backlog grows"),
        ({"in_table": kept_of(["a", "b"], ["a"])}, "events table: 1 events lost, 0 kept twice (such as b)"),
        ({"in_lake": kept_of(["a", "b"], ["a", "b", "b"])}, "lake: 0 events lost, 1 kept twice (such as b)"),
        ({"dead": {"Inbox": 1}}, "1 dead letters of inbox"),
        ({"copies": 1}, "second copies that LINE delivered: 1"),
        (
            {"accounts": msgspec.structs.replace(SENT, sent=799, pending=1)},
            "the accounts do not close: 1 pending",
        ),
        ({"accounts": msgspec.structs.replace(SENT, sent=799, unknown=1)}, "messages unknown: 1"),
        ({"accounts": Accounts(0, 0, {}, 0, 0, 0)}, "no message was meant for anybody"),
        ({"differences": 2}, "memberships of 2 customers differ"),
        ({"failures": ["time stood still"]}, "time stood still"),
        (
            {"offered": msgspec.structs.replace(GOOD.offered, by_minute=[3000, 2900, 3000])},
            "in 1 of 3 minutes: in minute 2 96.7% of 50 events/s were taken in",
        ),
    ],
)
def test_whatever_does_not_hold_is_said(changes: dict[str, object], said: str) -> None:
    assert [said in line for line in msgspec.structs.replace(GOOD, **changes).amiss] == [True]


def test_what_keeps_data_is_told_of_by_the_event_and_is_not_held_to_be_flat() -> None:
    assert set(GOOD.memory) == {"decide"}
    assert GOOD.grown == {"engine": round((1 << 20) / 500), "sandbox": 0}


def test_events_of_others_do_not_count() -> None:
    assert kept_of(["a"], ["a", "b", "b"]) == Kept(taken_in=1, kept=1, lost=0, twice=0)


def test_the_page_shows_each_series_and_says_what_is_amiss() -> None:
    page = page_of(GOOD)
    assert "All is as it must be." in page
    for name in ("rate", "inbox", "lag", "decide 65", "engine 317"):
        assert f"{name} " in page or f"{name}<" in page, name
    assert "1 dead letters" in page_of(msgspec.structs.replace(GOOD, dead={"Inbox": 1}))


def test_the_figures_stand_in_the_page_beside_their_baselines() -> None:
    page = written(DOCS.read_text(encoding="utf-8"), GOOD)
    assert (
        "| memory of `decide` in the last third | 65.0 MB | in the second third 65.0 MB; 65.0 at most | ≤ 67.0 MB |"
        in page
    )
    assert "| events in the lake | 1,500 | taken in: 1,500 | 1,500, each once |" in page
    assert written(page, GOOD) == page
    with pytest.raises(ValueError, match="no place"):
        written("", GOOD)


# --- the tools


def test_an_event_is_followed_until_it_is_stored() -> None:
    stored, hands = set[tuple[str, str]](), Hands()
    lag = Lag(lambda whose, event: (whose, event) in stored, hands)
    lag.follow("c1", "e1")
    hands.now += 2
    lag.look()
    lag.follow("c2", "e2")  # passed over: the first is followed still
    stored.add(("c1", "e1"))
    hands.now += 1
    lag.look()
    assert (lag.seconds(), lag.most) == (3, 3)
    hands.now += 5
    lag.look()
    assert lag.most == 3


def test_only_the_runs_own_processes_are_seen(tmp_path: Path) -> None:
    proc, run_dir = tmp_path, Path("/runs/one")
    for number, command in enumerate(
        (
            "python\0/runs/one/tmp/Musubi-DecideFunction1A/worker",
            "python\0serve.py\0/runs/one",
            "python\0/runs/two/serve.py",
        )
    ):
        (entry := proc / str(number + 1)).mkdir()
        (entry / "cmdline").write_text(command)
        (entry / "status").write_text("Name:\tpython\nVmRSS:\t  66560 kB\n")
        (entry / "stat").write_text(f"{number} (py (x) 3) S {' '.join(['1'] * 10)} 200 100 0 0\n")
    held = {one.name: one for one in processes_of(run_dir, proc)}
    assert set(held) == {"decide", "engine"}
    assert (held["decide"].resident_mb, held["decide"].cpu_seconds) == (65.0, 3.0)


def test_the_playbook_is_sound_and_holds_no_message_for_longer_than_a_night() -> None:
    playbook = load_playbook(PLAYBOOK)
    assert [cap.hold_seconds_max for cap in playbook.caps] == [0]
    assert playbook.quiet_hours is not None
    assert playbook.holdout is not None
    assert len(playbook.campaigns) == 4


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-11-07T02:00:00Z", "2026-11-08T02:00:00Z"),
        ("2026-11-07T14:59:00Z", "2026-11-08T02:00:00Z"),
        ("2026-11-07T16:00:00Z", "2026-11-09T02:00:00Z"),
    ],
)
def test_the_end_is_the_late_morning_after_the_last_day_was_measured(now: str, end: str) -> None:
    assert _end_of(parse_instant(now)) == parse_instant(end)


def test_a_short_run_has_a_sample_a_second_and_a_long_one_every_ten() -> None:
    assert [Wanted(minutes=minutes).sample_seconds for minutes in (0.3, 5, 30)] == [1, 5, 10]


def test_what_cannot_be_run_is_told_in_one_line() -> None:
    assert _wanted(_given(["--minutes", "0.3"])) == Wanted(minutes=0.3)
    with pytest.raises(UserError, match="more than nothing"):
        _wanted(_given(["--minutes", "0"]))
