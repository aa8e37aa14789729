"""Faults on demand: what each looks like, whether the send was accepted, and that a seed replays."""

import pytest

from ops.line_sandbox.answers import Answer
from ops.line_sandbox.direct import DirectLine, text
from ops.line_sandbox.faults import FaultKind, FaultRule
from ops.line_sandbox.friends import Friend
from ops.line_sandbox.sandbox import LineSandbox

ANNE, BEN = "U" + "1" * 32, "U" + "2" * 32
KEY = "123e4567-e89b-12d3-a456-426614174000"
HELLO = text("Hello")


@pytest.fixture
def line() -> DirectLine:
    sandbox = LineSandbox()
    sandbox.world.friends.register([Friend(user_id=ANNE), Friend(user_id=BEN)])
    return DirectLine(sandbox)


def arm(line: DirectLine, *rules: FaultRule) -> None:
    line.sandbox.world.faults.replace(rules)


def accepted(line: DirectLine) -> int:
    return line.sandbox.world.report().requests_accepted


def looks(answer: Answer) -> str | int:
    return "dropped" if answer.dropped else answer.status


@pytest.mark.parametrize(
    ("kind", "status", "message"),
    [
        ("error_500", 500, "Internal server error"),
        ("rate_429", 429, "The API rate limit has been exceeded. Try again later."),
        ("monthly_429", 429, "You have reached your monthly limit."),
        ("user_429", 429, "Too many messages have been sent to the same user."),
        ("unauthorized_401", 401, None),
        ("forbidden_403", 403, "Access to this API is not available for your account"),
        ("bad_request_400", 400, "The request body has 1 error(s)"),
    ],
)
def test_a_refusing_fault_answers_and_accepts_nothing(
    line: DirectLine, kind: FaultKind, status: int, message: str | None
) -> None:
    arm(line, FaultRule(kind=kind, times=1))
    answer = line.push(ANNE, HELLO, key=KEY)
    assert answer.status == status
    assert message in (None, answer.body["message"])
    assert "x-line-request-id" in answer.headers
    assert accepted(line) == 0
    assert line.push(ANNE, HELLO, key=KEY).status == 200


def test_a_drop_before_loses_the_request(line: DirectLine) -> None:
    arm(line, FaultRule(kind="drop_before", times=1))
    assert looks(line.push(ANNE, HELLO, key=KEY)) == "dropped"
    assert line.push(ANNE, HELLO, key=KEY).status == 200


@pytest.mark.parametrize(("kind", "look"), [("accept_then_drop", "dropped"), ("accept_then_500", 500)])
def test_an_accepting_fault_takes_the_send_and_hides_it(
    line: DirectLine, kind: FaultKind, look: object
) -> None:
    arm(line, FaultRule(kind=kind, times=1))
    assert looks(line.push(ANNE, HELLO, key=KEY)) == look
    assert accepted(line) == 1
    retry = line.push(ANNE, HELLO, key=KEY)
    assert (retry.status, len(retry.body["sentMessages"])) == (409, 1)
    assert line.sandbox.world.report().duplicates == 0


def test_an_accepting_fault_leaves_a_refused_request_alone(line: DirectLine) -> None:
    arm(line, FaultRule(kind="accept_then_500", times=1))
    assert line.push(ANNE, text("")).status == 400
    assert line.sandbox.world.faults.injected() == {}


def test_slow_waits_before_the_send_and_accept_then_slow_after_it() -> None:
    waits: list[tuple[float, int]] = []
    sandbox = LineSandbox()
    sandbox.world.friends.register([Friend(user_id=ANNE)])
    sandbox._api._endpoints._pause = lambda seconds: waits.append((seconds, sandbox.world.ledger.requests))
    line = DirectLine(sandbox)
    arm(
        line,
        FaultRule(kind="slow", seconds=2, times=1),
        FaultRule(kind="accept_then_slow", seconds=3, times=1),
    )
    assert line.push(ANNE, HELLO).status == 200
    assert waits == [(2, 0), (3, 1)]


def test_a_rule_strikes_its_endpoint_alone(line: DirectLine) -> None:
    arm(line, FaultRule(kind="error_500", endpoint="multicast"))
    assert line.push(ANNE, HELLO).status == 200
    assert line.multicast([ANNE], HELLO).status == 500


def test_a_rule_for_all_strikes_every_endpoint(line: DirectLine) -> None:
    arm(line, FaultRule(kind="error_500"))
    assert line.call("GET", "/v2/bot/message/quota").status == 500
    assert line.call("GET", f"/v2/bot/profile/{ANNE}").status == 500


def test_a_rule_for_a_user_strikes_only_requests_that_name_it(line: DirectLine) -> None:
    arm(line, FaultRule(kind="user_429", user=ANNE))
    assert line.push(BEN, HELLO).status == 200
    assert line.push(ANNE, HELLO).status == 429
    assert line.multicast([BEN, ANNE], HELLO).status == 429
    assert line.call("GET", f"/v2/bot/profile/{ANNE}").status == 429
    assert line.call("POST", "/v2/bot/message/push", b"not json").status == 400


def test_a_rule_strikes_only_so_many_times(line: DirectLine) -> None:
    arm(line, FaultRule(kind="error_500", times=2))
    assert [line.push(ANNE, text(str(number))).status for number in range(3)] == [500, 500, 200]
    assert line.sandbox.world.faults.injected() == {"error_500": 2}


def test_the_first_rule_that_strikes_wins(line: DirectLine) -> None:
    arm(line, FaultRule(kind="rate_429", times=1), FaultRule(kind="error_500", times=1))
    assert [line.push(ANNE, text(str(number))).status for number in range(3)] == [429, 500, 200]


def test_a_seed_replays_the_same_run(line: DirectLine) -> None:
    runs = []
    for seed in (7, 7, 8):
        arm(line, FaultRule(kind="error_500", probability=0.5, seed=seed))
        runs.append([line.push(ANNE, text(str(number))).status for number in range(40)])
    assert runs[0] == runs[1] != runs[2]
    assert 5 < runs[0].count(500) < 35


def test_a_probability_of_nothing_never_strikes(line: DirectLine) -> None:
    arm(line, FaultRule(kind="error_500", probability=0))
    assert {line.push(ANNE, text(str(number))).status for number in range(50)} == {200}


def test_new_rules_replace_the_old(line: DirectLine) -> None:
    arm(line, FaultRule(kind="error_500"))
    arm(line)
    assert line.push(ANNE, HELLO).status == 200


def test_a_fault_does_not_go_before_the_access_token(line: DirectLine) -> None:
    arm(line, FaultRule(kind="error_500"))
    assert DirectLine(line.sandbox, "another").push(ANNE, HELLO).status == 401


def test_shares_strike_so_many_of_all_requests_and_no_request_twice(line: DirectLine) -> None:
    """20 % accepted and dropped, 10 % of 500 and 10 % of 429: of all requests, not of what the rules before leave."""
    arm(
        line,
        FaultRule(kind="accept_then_drop", share=0.2, seed=3),
        FaultRule(kind="error_500", share=0.1),
        FaultRule(kind="rate_429", share=0.1),
    )
    looked = [looks(line.push(ANNE, text(str(number)))) for number in range(2000)]
    counts = {look: looked.count(look) for look in ("dropped", 500, 429, 200)}
    assert line.sandbox.world.faults.injected() == {
        "accept_then_drop": counts["dropped"],
        "error_500": counts[500],
        "rate_429": counts[429],
    }
    assert accepted(line) == counts["dropped"] + counts[200]
    for look, share in (("dropped", 0.2), (500, 0.1), (429, 0.1), (200, 0.6)):
        assert abs(counts[look] / 2000 - share) < 0.03, counts


def test_a_share_of_lost_answers_loses_the_409_too(line: DirectLine) -> None:
    arm(line, FaultRule(kind="accept_then_drop", share=1.0))
    assert [looks(line.push(ANNE, HELLO, key=KEY)) for _ in range(3)] == ["dropped"] * 3
    assert accepted(line) == 1
    arm(line)
    assert line.push(ANNE, HELLO, key=KEY).status == 409


def test_a_share_of_lost_answers_leaves_a_refused_request_alone(line: DirectLine) -> None:
    arm(line, FaultRule(kind="accept_then_500", share=1.0))
    assert line.push(ANNE, text("")).status == 400
    assert line.sandbox.world.faults.injected() == {}


def test_a_share_of_slow_requests_waits_and_strikes_its_endpoint_alone() -> None:
    waits: list[float] = []
    sandbox = LineSandbox()
    sandbox.world.friends.register([Friend(user_id=ANNE)])
    sandbox._api._endpoints._pause = waits.append
    line = DirectLine(sandbox)
    arm(line, FaultRule(kind="slow", endpoint="push", seconds=2, share=1.0, times=1))
    assert line.multicast([ANNE], HELLO).status == 200
    assert waits == []
    assert [line.push(ANNE, text(str(number))).status for number in range(2)] == [200, 200]
    assert waits == [2]
