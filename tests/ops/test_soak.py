"""The storm's own tools: what counts as amiss, and whom the killer may kill."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from functions.domain.accounts import Accounts
from functions.playbook import load_playbook
from ops.errors import UserError
from ops.local.place import Place
from ops.soak.alone import alone
from ops.soak.killer import speaks_to
from ops.soak.storm import FAULTS, PLAYBOOK, Outcome

SENT = Accounts(targeted=1000, sent=1000, suppressed={}, failed=0, unknown=0, pending=0)
GOOD = Outcome(
    sends=1000,
    accounts=SENT,
    accepted=1000,
    delivered=1000,
    copies=0,
    calls=1600,
    multicasts=7,
    faults={"accept_then_drop": 320, "error_500": 160, "rate_429": 160},
    workers_killed=9,
    dead_letters_put_back=3,
    virtual_hours=3.0,
    wall_seconds={"campaign": 60.0},
)


def test_a_storm_in_which_all_holds_is_not_amiss() -> None:
    assert GOOD.amiss == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"accepted": 999}, "messages accepted: 999"),
        ({"delivered": 999}, "messages delivered: 999"),
        ({"copies": 1}, "second copies: 1"),
        ({"accounts": msgspec.structs.replace(SENT, sent=999, unknown=1)}, "messages unknown: 1"),
        ({"accounts": msgspec.structs.replace(SENT, sent=999, pending=1)}, "the accounts do not close"),
        ({"workers_killed": 0}, "no worker was killed"),
        (
            {"faults": {"accept_then_drop": 20, "error_500": 160, "rate_429": 160}},
            "accept_then_drop: 20 of 1600",
        ),
        ({"sandbox_errors": ["Traceback"]}, "the sandbox itself failed"),
    ],
)
def test_whatever_does_not_hold_is_said(changes: dict[str, object], said: str) -> None:
    assert any(said in line for line in msgspec.structs.replace(GOOD, **changes).amiss)


def test_the_faults_are_those_that_the_storm_promises() -> None:
    assert {rule.kind: rule.share for rule in FAULTS} == {
        "accept_then_drop": 0.2,
        "error_500": 0.1,
        "rate_429": 0.1,
    }


def test_the_storms_playbook_is_sound_and_holds_nothing_back() -> None:
    playbook = load_playbook(PLAYBOOK)
    assert (playbook.caps, playbook.quiet_hours, playbook.holdout) == ([], None, None)
    assert {message.kind for message in playbook.messages.values()} == {
        "support",
        "notification",
        "promotion",
    }


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Something that listens on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_the_killer_sees_who_speaks_to_line(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    speak = f"import socket; s = socket.create_connection(('127.0.0.1', {port})); print('on', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", speak], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as speaker:
        assert speaker.stdout is not None
        speaker.stdout.readline()
        assert speaks_to(speaker.pid, port)
        assert not speaks_to(speaker.pid, port + 1)
        speaker.communicate(b"\n")
    assert not speaks_to(speaker.pid, port)


def test_a_soak_takes_down_what_it_brought_up_and_leaves_what_was_up_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    downs, place = list[Place](), Place(tmp_path)
    monkeypatch.setattr("ops.soak.alone.bring_down", downs.append)
    monkeypatch.setattr("ops.soak.alone.is_up", lambda _place: True)
    with pytest.raises(UserError, match="up already"), alone(place):
        raise AssertionError("it must not begin")
    assert downs == []
    monkeypatch.setattr("ops.soak.alone.is_up", lambda _place: False)
    with pytest.raises(KeyboardInterrupt), alone(place):
        raise KeyboardInterrupt
    assert downs == [place]
