"""Dead letters: what died of the same is told together, and filters mean the same whenever they are asked."""

import datetime as dt

import pytest

from functions.domain.claims import Allow, Decision, Elsewhere, Verdict
from functions.domain.dead_letters import (
    NO_ANSWER,
    UNKNOWN_CAUSE,
    FailureNote,
    Filters,
    Letter,
    Prediction,
    Seen,
    Subject,
    aged,
    counted,
    grouped,
    predicted,
)
from functions.domain.gate import Claim, Gate
from functions.domain.verdicts import Ended, Wait

NOW = dt.datetime(2026, 11, 25, 3, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
SUBJECT = Subject("intent", "c1", "U1", "path", "", "day7")
CLAIM = Claim("s", "path/1", "day7", "U1", "h", NOW, NOW, NOW + HOUR)


def letter(
    name: str = "m1", queue: str = "send", note: FailureNote | None = None, hours: int = 0, moved: bool = True
) -> Letter:
    return Letter(name, queue, "{}", NOW - hours * HOUR, moved=moved, note=note)


def note(text: str = "", kind: str = "Conflict", place: str = "functions/send/flow.py:99") -> FailureNote:
    return FailureNote("m1", kind, text, place)


@pytest.mark.parametrize(
    ("one", "cause"),
    [
        (
            letter(note=note("the gate for intent 6d757375-6269-5000-8000-6c696e650001 is contended")),
            "Conflict: the gate for intent … is contended (functions/send/flow.py:99)",
        ),
        (letter(note=note("3 of 10 messages were not enqueued")), "Conflict: … of … messages were not enqueued"),
        (letter(note=note("there is no playbook version 0123456789abcdef0")), "no playbook version …"),
        (letter(note=note("", "ClientError ThrottlingException PutItem", "")), "ClientError ThrottlingException PutItem"),
        (letter(), NO_ANSWER),
        (letter(moved=False), UNKNOWN_CAUSE),
        (Letter("m", "schedules", "{}", NOW, moved=False, refusal="ERROR_403"), "not delivered: ERROR_…"),
    ],
)  # fmt: skip
def test_a_cause_is_the_same_text_for_all_that_died_of_it(one: Letter, cause: str) -> None:
    assert cause in one.cause


def test_letters_are_told_by_queue_and_cause_the_most_first_the_oldest_first() -> None:
    seen = [
        Seen(letter("a", hours=1, note=note("lost race 1")), SUBJECT),
        Seen(letter("b"), SUBJECT),
        Seen(letter("c", hours=3, note=note("lost race 22")), SUBJECT),
        Seen(letter("d", "inbox", hours=2, note=note("lost race 1")), SUBJECT),
    ]
    groups = grouped(seen)
    assert [[one.letter.message_id for one in group.seen] for group in groups] == [["c", "a"], ["d"], ["b"]]
    assert (groups[0].oldest, groups[0].newest) == (NOW - 3 * HOUR, NOW - HOUR)


def test_a_letters_age_counts_from_its_last_failure_where_that_is_known() -> None:
    failed = FailureNote("m1", "Conflict", failed_at=NOW)
    assert (letter(hours=5).since, letter(hours=5, note=failed).since) == (NOW - 5 * HOUR, NOW)


def test_ages_are_bound_to_instants_so_that_a_resumed_replay_means_the_same_letters() -> None:
    filters = aged(Filters("send"), NOW, older_seconds=3600, newer_seconds=7200)
    assert (filters.before, filters.after) == (NOW - HOUR, NOW - 2 * HOUR)
    matching = [hours for hours in range(5) if filters.match(letter(hours=hours), SUBJECT)]
    assert matching == [1, 2]
    assert aged(Filters(), NOW, None, None) == Filters()


@pytest.mark.parametrize(
    ("decision", "claim", "told"),
    [
        (Allow(CLAIM), None, "push"),
        (Allow(CLAIM, resumed=True), CLAIM, "push_again"),
        (Wait(NOW, "quiet_hours"), None, "wait: quiet_hours"),
        (Ended("unknown", "key_expired"), CLAIM, "unknown: key_expired"),
        (Ended("suppressed", "no_consent"), None, "suppressed: no_consent"),
        (Elsewhere(), CLAIM, "elsewhere"),
    ],
)
def test_the_gates_verdict_is_what_is_foretold(decision: Verdict, claim: Claim | None, told: str) -> None:
    assert predicted(Decision(decision, Gate("c1")), claim).told == told


def test_what_had_ended_in_the_gate_before_is_no_new_end() -> None:
    closed = Claim("s", "path/1", "day7", "U1", "h", NOW, NOW, NOW + HOUR, "failed", "http_400")
    decision = Decision(Ended("failed", "http_400"), Gate("c1"))
    assert predicted(decision, closed) == Prediction("ended", "failed: http_400")


def test_predictions_are_counted_the_most_first() -> None:
    fates = [Prediction("push"), Prediction("unknown", "expired"), Prediction("unknown", "expired"), None]
    assert counted(Seen(letter(), SUBJECT, fate) for fate in fates) == {"unknown: expired": 2, "push": 1}
