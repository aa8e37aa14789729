"""What LINE says of the channel, asked of the sandbox."""

from collections.abc import Iterator

import pytest

from functions.line.bot import Bot, LineBot, WebhookEndpoint
from functions.ports.errors import AccountRefused, Retryable
from ops.line_sandbox import FaultRule, LineSandbox
from ops.line_sandbox.settings import Settings
from tests.line.test_rate import Token
from tests.line.test_unit_insight import Wrong

HOOK = "https://api.example/webhook"


@pytest.fixture
def sandbox() -> Iterator[LineSandbox]:
    with LineSandbox(settings=Settings(webhook_url=HOOK)) as running:
        yield running


def test_a_token_says_whose_it_is_and_where_webhooks_go(sandbox: LineSandbox) -> None:
    told = LineBot(sandbox.url, Token())
    assert told.info() == Bot("LINE sandbox", "@sandbox")
    assert told.webhook() == WebhookEndpoint(HOOK, is_active=True)


def test_a_webhook_that_is_switched_off_or_was_never_set_is_told_apart(sandbox: LineSandbox) -> None:
    told = LineBot(sandbox.url, Token())
    sandbox.world.change(Settings(webhook_url=HOOK, webhook_active=False))
    assert told.webhook() == WebhookEndpoint(HOOK, is_active=False)
    sandbox.world.change(Settings())
    assert told.webhook() is None


def test_a_token_that_line_refuses_is_said_so(sandbox: LineSandbox) -> None:
    for ask in (LineBot(sandbox.url, Wrong()).info, LineBot(sandbox.url, Wrong()).webhook):
        with pytest.raises(AccountRefused):
            ask()


def test_a_line_that_fails_or_is_not_there_is_asked_again(sandbox: LineSandbox) -> None:
    sandbox.world.faults.replace([FaultRule(kind="error_500")])
    with pytest.raises(Retryable):
        LineBot(sandbox.url, Token()).info()
    with pytest.raises(Retryable):
        LineBot("http://127.0.0.1:9", Token()).webhook()
