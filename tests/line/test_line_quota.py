"""LINE's monthly quota, asked of the sandbox."""

import pytest

from functions.domain.money import LineUsage
from functions.line.messaging import LineMessaging
from functions.line.quota import LineMonthlyQuota
from functions.ports.errors import Retryable
from ops.line_sandbox import SANDBOX_ACCESS_TOKEN, FaultRule, Friend, LineSandbox
from ops.line_sandbox.faults import FaultKind
from ops.line_sandbox.settings import Settings
from tests.line.test_messaging import ANNE, HELLO, KEY, Token


@pytest.fixture
def sandbox(running: LineSandbox) -> LineSandbox:
    running.world.reset()
    running.world.change(Settings())
    running.world.friends.register([Friend(user_id=ANNE)])
    return running


@pytest.fixture
def line(sandbox: LineSandbox) -> LineMonthlyQuota:
    return LineMonthlyQuota(sandbox.url, Token(SANDBOX_ACCESS_TOKEN))


def limit_to(sandbox: LineSandbox, limit: int | None) -> None:
    sandbox.world.change(Settings(monthly_limit=limit))


def test_the_limit_and_what_was_sent_are_told(sandbox: LineSandbox, line: LineMonthlyQuota) -> None:
    limit_to(sandbox, 200)
    LineMessaging(sandbox.url, Token(SANDBOX_ACCESS_TOKEN), 5.0).push(ANNE, HELLO, KEY)
    assert line.usage() == LineUsage(200, 1)


def test_an_account_without_a_limit_has_none(line: LineMonthlyQuota) -> None:
    assert line.usage() == LineUsage(None, 0)


@pytest.mark.parametrize("kind", ["error_500", "rate_429", "drop_before", "unauthorized_401"])
@pytest.mark.parametrize("endpoint", ["quota", "consumption"])
def test_where_line_does_not_tell_it_is_asked_once_and_another_time(
    sandbox: LineSandbox, line: LineMonthlyQuota, kind: FaultKind, endpoint: str
) -> None:
    sandbox.world.faults.replace([FaultRule(kind=kind, endpoint=endpoint, times=1)])
    with pytest.raises(Retryable, match="LINE tells no quota"):
        line.usage()
    assert line.usage() == LineUsage(None, 0)


def test_a_token_that_is_refused_is_read_again(sandbox: LineSandbox) -> None:
    token = Token("old", SANDBOX_ACCESS_TOKEN)
    line = LineMonthlyQuota(sandbox.url, token)
    with pytest.raises(Retryable):
        line.usage()
    assert line.usage() == LineUsage(None, 0)
    assert token.fetched == 2


def test_a_slow_line_is_not_waited_for(sandbox: LineSandbox) -> None:
    line = LineMonthlyQuota(sandbox.url, Token(SANDBOX_ACCESS_TOKEN), timeout_seconds=0.1)
    sandbox.world.faults.replace([FaultRule(kind="slow", endpoint="quota", times=1, seconds=1)])
    with pytest.raises(Retryable, match="LINE tells no quota: "):
        line.usage()
