"""The click function as the HTTP API calls it."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from functions.click import handler as module
from functions.click.flow import Answer, Visit

TAP: dict[str, Any] = json.loads(Path("events/click/tap.json").read_text(encoding="utf-8"))


class Recorded:
    """A flow that notes what it is asked."""

    def __init__(self, answer: Answer | Exception) -> None:
        self.visits: list[Visit] = []
        self._answer = answer

    def answer(self, visit: Visit) -> Answer:
        self.visits.append(visit)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def test_a_request_is_read_and_its_answer_told(monkeypatch: pytest.MonkeyPatch) -> None:
    flow = Recorded(Answer(302, "", {"location": "https://shop.example/"}))
    monkeypatch.setattr(module, "follow", lambda: flow)
    answer = module.handler({**TAP, "headers": {**TAP["headers"], "Sec-Purpose": "prefetch"}}, None)
    assert answer == {"statusCode": 302, "headers": {"location": "https://shop.example/"}, "body": ""}
    (visit,) = flow.visits
    assert (visit.method, visit.token, visit.request_id) == ("GET", "TOKEN", "JKJaXmPLvHcESHA=")
    assert visit.user_agent.endswith("Line/15.9.0")
    assert "prefetch" in visit.purposes
    assert visit.accept_language.startswith("ja")


def test_where_the_keys_cannot_be_read_a_page_says_so_and_nothing_leads_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    error = EndpointConnectionError(endpoint_url="https://secretsmanager.example/TOKEN")
    monkeypatch.setattr(module, "follow", lambda: Recorded(error))
    answer = module.handler(TAP, None)
    assert answer["statusCode"] == 503
    assert "location" not in answer["headers"]
    assert "<html" in answer["body"]
    assert "TOKEN" not in caplog.text
