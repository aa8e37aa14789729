"""A fuzzer that finds nothing must be one that would have: each mistake made on purpose is found, and told as what it is."""

import json
import logging
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from functions.click import handler as click_handler
from functions.domain.events import Event
from functions.http_events import body_of, header_of
from functions.ingest import flow as ingest_flow
from functions.ingest import handler as ingest_handler
from functions.invocation import Line
from functions.link.preferences import LINK_MAX, PreferencesPage
from functions.ports.messages import LineReceived
from functions.tokens import Tokens
from functions.webhook import flow as webhook_flow
from tests.fakes.world import START
from tests.fuzz.deployment import CUSTOMER, INGEST_KEY, Deployment, deployed
from tests.fuzz.fuzzing import fuzz

SEEDS, REQUESTS = 10, 60
"""What a seed draws hangs on which modules are there (Hypothesis takes constants from them): one seed may miss one mistake."""
logger = logging.getLogger(__name__)
Mistake = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    with deployed() as made:
        yield made


def raises_on_a_header(patch: pytest.MonkeyPatch) -> None:
    right = header_of

    def strict(event: dict[str, Any], name: str) -> str:
        return right(event, name).encode("ascii").decode()

    patch.setattr(click_handler, "header_of", strict)


def tells_a_secret(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        ingest_flow, "_error", lambda status, _: ingest_flow.Answer(status, {"message": f"not {INGEST_KEY}"})
    )


def tells_a_trace(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        ingest_flow,
        "_error",
        lambda status, _: ingest_flow.Answer(status, {"message": "".join(traceback.format_stack())}),
    )


def answers_as_nobody_described(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ingest_flow, "_error", lambda _, message: ingest_flow.Answer(418, {"message": message}))


def takes_in_what_nobody_signed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(webhook_flow, "_is_signed", lambda *_: True)


def writes_before_it_looks(patch: pytest.MonkeyPatch) -> None:
    right = webhook_flow.Receive.receive

    def hasty(self: webhook_flow.Receive, body: bytes, signature: str) -> webhook_flow.Answer:
        self.inbox.put([LineReceived({"length": len(body)}, self.now())])
        return right(self, body, signature)

    patch.setattr(webhook_flow.Receive, "receive", hasty)


def reads_however_deep(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(webhook_flow, "parsed", json.loads)


def logs_what_came(patch: pytest.MonkeyPatch) -> None:
    right = body_of

    def talkative(event: dict[str, Any]) -> bytes:
        logger.info("got %r", right(event))
        return right(event)

    patch.setattr(ingest_handler, "body_of", talkative)


def names_people_in_its_line(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Line, "give", lambda self, names: self._note("gave", [CUSTOMER]))


def takes_in_what_nobody_can_fold(patch: pytest.MonkeyPatch) -> None:
    def lax(raw: Any, *_: Any) -> Event:
        return Event("e1", "C-lax", "purchase", START, properties={"order_id": ["1"], "amount": "much"})

    patch.setattr(ingest_flow, "check_event", lax)


def takes_a_token_for_something_else(patch: pytest.MonkeyPatch) -> None:
    right = Tokens._serializer
    patch.setattr(Tokens, "_serializer", lambda self, _: right(self, "ticket"))


def takes_an_old_token(patch: pytest.MonkeyPatch) -> None:
    right = Tokens.read
    patch.setattr(
        Tokens, "read", lambda self, purpose, token, max_age: right(self, purpose, token, max_age * 10**5)
    )


def names_the_person(patch: pytest.MonkeyPatch) -> None:
    right = PreferencesPage.show

    def telling(self: PreferencesPage, request: Any) -> Any:
        answer = right(self, request)
        user = self.common.tokens.read("preferences", request.query["p"], LINK_MAX)["u"]
        return type(answer)(answer.status, f"{answer.body}<p>{user}</p>", answer.headers)

    patch.setattr(PreferencesPage, "show", telling)


MISTAKES: list[tuple[Mistake, str, str]] = [
    (raises_on_a_header, "GET /c/", "500: Traceback"),
    (tells_a_secret, "/events", "the answer has the secret"),
    (tells_a_trace, "/events", "the answer tells of the inside"),
    (answers_as_nobody_described, "/events", "Undocumented"),
    (takes_in_what_nobody_signed, "/webhook", "200 without a proof"),
    (writes_before_it_looks, "/webhook", "without a proof it did SendMessageBatch"),
    (reads_however_deep, "/webhook", "RecursionError"),
    (logs_what_came, "/events", "the log names"),
    (names_people_in_its_line, "GET /c/", "the log names"),
    (takes_in_what_nobody_can_fold, "/events", "nobody can work on it"),
    (takes_a_token_for_something_else, "GET /link/manage", "without a proof"),
    (takes_an_old_token, "GET /link/manage", "200 without a proof"),
    (names_the_person, "GET /link/preferences", "the page names a person"),
]


@pytest.mark.parametrize(("mistake", "only", "told"), MISTAKES, ids=[one.__name__ for one, *_ in MISTAKES])
def test_a_mistake_made_on_purpose_is_found(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, mistake: Mistake, only: str, told: str
) -> None:
    mistake(monkeypatch)
    faults = ""
    for seed in range(SEEDS):
        *_, last = fuzz(deployment, requests_min=REQUESTS, seed=seed, only=only, shrink=False)
        faults += "\n".join(last.faults.values())
        if told in faults:
            break
    assert told in faults
