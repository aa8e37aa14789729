"""The handler: real events of the HTTP API in, answers that the HTTP API understands out."""

import json

import pytest

from functions.link import handler
from tests.fakes.link_world import ACCESS, LinkWorld
from tests.fakes.payloads import payload


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> LinkWorld:
    world = LinkWorld()
    monkeypatch.setattr(handler, "link", lambda: world.link)
    return world


def test_the_shops_request_is_answered_with_the_ways(world: LinkWorld) -> None:
    answer = handler.handler(payload("link/links"), None)
    assert answer["statusCode"] == 201
    assert json.loads(answer["body"])["ticket"]
    (attempt,) = map(world.link_attempts.find, world.link_attempts._bodies)
    assert attempt is not None
    assert (attempt.customer_id, attempt.consent_version, attempt.reward) == ("C1", "2026-04", True)


def test_a_browsers_request_is_answered_with_a_page(world: LinkWorld) -> None:
    event = payload("link/start")
    event["rawQueryString"] = event["rawQueryString"].replace("TOKEN", world.ways()["ticket"])
    answer = handler.handler(event, None)
    assert answer["statusCode"] == 200
    assert '<html lang="en">' in answer["body"]
    assert answer["headers"]["content-type"] == "text/html; charset=utf-8"


def test_a_form_leads_to_line_with_a_cookie(world: LinkWorld) -> None:
    event = payload("link/login") | {"isBase64Encoded": False}
    event["body"] = f"t={world.ways()['ticket']}&lang=ja&version.news=n-1&consent=news"
    answer = handler.handler(event, None)
    assert answer["statusCode"] == 303
    assert answer["headers"]["location"].startswith(ACCESS)
    assert len(answer["cookies"]) == 1


def test_a_form_that_came_encoded_is_read(world: LinkWorld) -> None:
    answer = handler.handler(payload("link/login"), None)
    assert answer["statusCode"] == 400  # TOKEN is no ticket
    assert 'id="broken"' in answer["body"]
