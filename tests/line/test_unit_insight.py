"""LINE's figures of a unit through the real adapter, as the sandbox tells them."""

import datetime as dt
from collections.abc import Iterator

import pytest

from functions.domain.insight import Figures
from functions.line.insight import LineUnitInsight
from functions.line.messaging import LineMessaging
from functions.ports.errors import AccountRefused, RateLimited, Rejected, Retryable
from ops.line_sandbox import FaultRule, Friend, LineSandbox, SandboxClient
from tests.line.test_rate import Token

USERS = [f"U{number:032x}" for number in range(1, 41)]
HELLO = [{"type": "text", "text": "こんにちは"}]
NOW = dt.datetime(2026, 11, 26, 3, 0, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 26)
KEY = "123e4567-e89b-12d3-a456-426614174000"


@pytest.fixture
def sandbox() -> Iterator[LineSandbox]:
    with LineSandbox(clock=lambda: NOW) as running:
        running.world.friends.register([Friend(user_id=user) for user in USERS])
        yield running


class Wrong(Token):
    """A token that is no longer good."""

    def __call__(self) -> str:
        return "wrong"


def insight(sandbox: LineSandbox) -> LineUnitInsight:
    return LineUnitInsight(sandbox.url, Token(), 2.0)


def test_what_was_sent_under_a_unit_is_told_of_it_and_few_people_are_not(sandbox: LineSandbox) -> None:
    line = LineMessaging(sandbox.url, Token(), 5.0)
    line.multicast(USERS, HELLO, KEY, "m202611_a")
    line.push(USERS[0], HELLO, KEY.replace("1", "2"), "m202611_b")
    with SandboxClient(sandbox.url) as client:
        client.opened("m202611_a", 30, **{"https://shop.example/": 19})
        client.opened("m202611_b", 30)
    told = insight(sandbox)
    assert told.figures("m202611_a", TODAY, TODAY) == Figures(30, None)
    assert told.figures("m202611_b", TODAY, TODAY) == Figures(None, None)
    assert told.figures("m202611_a", TODAY - dt.timedelta(days=2), TODAY - dt.timedelta(days=1)) == Figures()
    assert told.figures("m202611_never", TODAY, TODAY) == Figures()


def test_the_61st_call_of_an_hour_is_too_many(sandbox: LineSandbox) -> None:
    told = insight(sandbox)
    for _ in range(60):
        told.figures("u", TODAY, TODAY)
    with pytest.raises(RateLimited):
        told.figures("u", TODAY, TODAY)


def test_more_than_thirty_days_are_refused(sandbox: LineSandbox) -> None:
    told = insight(sandbox)
    assert told.figures("u", TODAY - dt.timedelta(days=29), TODAY) == Figures()
    with pytest.raises(Rejected):
        told.figures("u", TODAY - dt.timedelta(days=30), TODAY)
    with pytest.raises(Rejected):
        told.figures("u", TODAY, TODAY - dt.timedelta(days=1))


def test_no_answer_a_wrong_token_and_an_error_are_what_they_mean(sandbox: LineSandbox) -> None:
    with pytest.raises(AccountRefused):
        LineUnitInsight(sandbox.url, Wrong()).figures("u", TODAY, TODAY)
    sandbox.world.faults.replace([FaultRule(kind="error_500", endpoint="insight/aggregation")])
    with pytest.raises(Retryable):
        insight(sandbox).figures("u", TODAY, TODAY)
    with pytest.raises(Retryable):
        LineUnitInsight("http://127.0.0.1:9", Token()).figures("u", TODAY, TODAY)


def test_a_push_and_a_multicast_bear_their_unit_and_none_bears_none(sandbox: LineSandbox) -> None:
    line = LineMessaging(sandbox.url, Token(), 5.0)
    line.multicast(USERS[:2], HELLO, KEY, "m202611_a")
    line.push(USERS[2], HELLO, KEY.replace("1", "2"), "m202611_b")
    line.push(USERS[3], HELLO, KEY.replace("1", "3"))
    assert [one.unit for one in sandbox.world.ledger.all()] == ["m202611_a", "m202611_a", "m202611_b", ""]
