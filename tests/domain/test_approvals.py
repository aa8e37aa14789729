"""Approval: which runs wait, for what, and until when."""

import datetime as dt

import msgspec
import pytest

from functions.domain.approvals import (
    CLOCKS_APART_MAX,
    Answer,
    Approval,
    Decision,
    FrozenList,
    RunHash,
    answer_of,
    needs_approval,
)
from functions.domain.campaigns import Chunk, Recipient, Run, intent_of, run_expires_at
from functions.domain.compiled import Compiled
from functions.domain.instants import Instant
from tests.domain.strategies import HOUR, NOON, SECOND
from tests.domain.verdicts import suppressed, verdict
from tests.fakes.playbooks import MESSAGES, campaign, playbook

BOOK = msgspec.structs.replace(playbook(campaigns={"winter": campaign("news", once=NOON)}), approval_above=2)
RUN = Run("winter", NOON, BOOK.version, NOON, 1)
ONE, TWO = Recipient("c1", "U1", {"name": "花"}), Recipient("c2", "U2", {})
LIST = FrozenList(3, "a" * 64)


def hashed(*chunks: Chunk, run: Run = RUN, **changes: object) -> FrozenList:
    whole = RunHash(run, Compiled(msgspec.structs.replace(BOOK, **changes)))
    for chunk in chunks:
        whole.add(chunk)
    return whole.frozen


def test_a_run_above_the_size_needs_approval() -> None:
    assert [needs_approval(Compiled(BOOK), size) for size in (2, 3)] == [False, True]
    without = Compiled(msgspec.structs.replace(BOOK, approval_above=None))
    assert not needs_approval(without, 1_000_000)
    assert needs_approval(Compiled(msgspec.structs.replace(BOOK, approval_above=0)), 1)


def test_the_hash_is_the_same_for_the_same_and_tells_how_many() -> None:
    pages = [Chunk([ONE], "k"), Chunk([TWO])]
    assert hashed(*pages) == hashed(*pages)
    assert hashed(*pages).targeted == 2
    again = msgspec.json.decode(msgspec.json.encode(pages[0]), type=Chunk)
    assert hashed(again, pages[1]) == hashed(*pages)


def test_whatever_changes_what_is_said_to_whom_changes_the_hash() -> None:
    other_text = {
        **MESSAGES,
        "news": msgspec.structs.replace(MESSAGES["news"], content=[{"type": "text", "text": "!"}]),
    }
    other_kind = {**MESSAGES, "news": msgspec.structs.replace(MESSAGES["news"], kind="support")}
    found = [
        hashed(Chunk([ONE, TWO])),
        hashed(Chunk([TWO, ONE])),
        hashed(Chunk([ONE])),
        hashed(Chunk([ONE]), Chunk([TWO])),
        hashed(Chunk([ONE, msgspec.structs.replace(TWO, values={"name": "x"})])),
        hashed(Chunk([ONE, msgspec.structs.replace(TWO, line_user_id="U3")])),
        hashed(Chunk([ONE, TWO]), messages=other_text),
        hashed(Chunk([ONE, TWO]), messages=other_kind),
        hashed(Chunk([ONE, TWO]), campaigns={"winter": campaign("news", once=NOON, expires_seconds=60)}),
        hashed(Chunk([ONE, TWO]), run=Run("winter", NOON + HOUR, BOOK.version, NOON, 1)),
    ]
    assert len({one.hash for one in found}) == len(found)


EXPIRES = run_expires_at(RUN, Compiled(BOOK))


@pytest.mark.parametrize(
    ("decision", "hash_", "now", "answer"),
    [
        (None, "", NOON, "wait"),
        (None, "", EXPIRES - SECOND, "wait"),
        (None, "", EXPIRES + SECOND, "wait"),
        (None, "", EXPIRES + CLOCKS_APART_MAX, "go"),
        ("approved", LIST.hash, NOON, "go"),
        ("approved", "b" * 64, NOON, "wait"),
        ("rejected", LIST.hash, NOON, "rejected"),
        ("rejected", "b" * 64, NOON, "rejected"),
        ("rejected", LIST.hash, EXPIRES, "rejected"),
    ],
)
def test_what_becomes_of_a_run(decision: Decision | None, hash_: str, now: Instant, answer: Answer) -> None:
    word = Approval(decision, hash_, "hana", NOON) if decision else None
    assert answer_of(RUN, Compiled(BOOK), LIST, word, now) == answer


def test_a_small_run_goes_whatever_anybody_said() -> None:
    small = msgspec.structs.replace(LIST, targeted=2)
    assert answer_of(RUN, Compiled(BOOK), small, None, NOON) == "go"


def test_a_message_that_was_called_off_is_stopped() -> None:
    intent = intent_of(ONE, RUN, Compiled(BOOK), "main", called_off=True)
    assert verdict(intent) == suppressed("stopped")
    assert intent.send_id == intent_of(ONE, RUN, Compiled(BOOK), "main").send_id
    assert intent.expires_at == EXPIRES == NOON + dt.timedelta(days=2)
