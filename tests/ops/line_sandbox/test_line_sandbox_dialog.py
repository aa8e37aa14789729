"""The account-link dialog: which end of it sends an event, and which sends none."""

import datetime as dt
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from ops.line_sandbox.answers import JsonObject
from ops.line_sandbox.browser import Page
from ops.line_sandbox.client import SandboxClient
from ops.line_sandbox.direct import DirectLine
from ops.line_sandbox.sandbox import SANDBOX_ACCESS_TOKEN, LineSandbox
from ops.line_sandbox.webhooks import WebhookOrder, WebhookResult
from tests.ops.line_sandbox.logins import ANNE, BEN, SETTINGS, Line, page_of

DIALOG = "/dialog/bot/accountLink"
NONCE = "bm9uY2Utb2YtYW5uZQ=="


class Linking(Line):
    """A sandbox whose webhooks are only noted."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[JsonObject] = []
        self.sandbox.people._tell = self._note  # type: ignore[method-assign]

    def _note(self, description: dict[str, object]) -> WebhookResult:
        self.told.append({name: value for name, value in description.items() if value != ""})
        return WebhookResult(events=[], posts=[])

    def link_token(self, user_id: str = ANNE) -> str:
        answer = DirectLine(self.sandbox).call("POST", f"/v2/bot/user/{user_id}/linkToken")
        return str(answer.body["linkToken"])

    def dialog(self, link_token: str, nonce: str = NONCE) -> Page:
        return page_of(self.request("GET", DIALOG, urlencode({"linkToken": link_token, "nonce": nonce})))

    def end(self, link_token: str, nonce: str = NONCE, decision: str = "allow") -> Page:
        form = {"linkToken": link_token, "nonce": nonce, "decision": decision}
        return page_of(self.request("POST", DIALOG, form=form))


@pytest.fixture
def line() -> Linking:
    return Linking()


def event(result: str = "ok", user_id: str = ANNE) -> JsonObject:
    return {"type": "accountLink", "user_id": user_id, "result": result, "nonce": NONCE}


def test_allowing_sends_the_event_with_user_and_nonce(line: Linking) -> None:
    page = line.dialog(line.link_token())
    assert page.status == 200
    assert line.told == []
    ended = line.submit(page, decision="allow")
    assert (ended.status, ended.outcome, line.told) == (200, "ok", [event()])


def test_looking_at_the_page_does_not_use_the_token(line: Linking) -> None:
    token = line.link_token()
    assert [line.dialog(token).status for _ in range(3)] == [200] * 3
    assert line.end(token).outcome == "ok"


def test_a_used_token_shows_an_error_and_sends_nothing(line: Linking) -> None:
    token = line.link_token()
    page = line.dialog(token)
    line.submit(page, decision="allow")
    assert line.submit(page, decision="allow").status == 400
    assert line.dialog(token).status == 400
    assert line.told == [event()]


@pytest.mark.parametrize(("age", "status"), [(600, 200), (601, 400)])
def test_a_token_is_good_for_ten_minutes_of_virtual_time(line: Linking, age: int, status: int) -> None:
    token = line.link_token()
    page = line.dialog(token)
    line.clock.advance(dt.timedelta(seconds=age))
    assert line.dialog(token).status == status
    assert line.submit(page, decision="allow").status == status
    assert len(line.told) == (1 if status == 200 else 0)


def test_a_token_that_never_was_shows_an_error_and_sends_nothing(line: Linking) -> None:
    for token in ("", "made-up"):
        assert line.dialog(token).status == 400
        assert line.end(token).status == 400
    assert line.told == []


@given(nonce=st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_a_nonce_has_10_to_255_characters_and_a_wrong_one_leaves_the_token(nonce: str) -> None:
    line = Linking()
    token, fits = line.link_token(), 10 <= len(nonce) <= 255
    assert line.dialog(token, nonce).status == (200 if fits else 400)
    assert line.end(token, nonce).status == (200 if fits else 400)
    assert [one["nonce"] for one in line.told] == ([nonce] if fits else [])
    if not fits:
        assert line.end(token).outcome == "ok"


@pytest.mark.parametrize(("length", "status"), [(9, 400), (10, 200), (255, 200), (256, 400)])
def test_the_nonces_bounds(line: Linking, length: int, status: int) -> None:
    assert line.dialog(line.link_token(), "n" * length).status == status


def test_cancelling_sends_nothing_and_leaves_the_token(line: Linking) -> None:
    token = line.link_token()
    assert line.submit(line.dialog(token), decision="cancel").outcome == "cancelled"
    assert line.told == []
    assert line.end(token).outcome == "ok"


def test_on_another_users_phone_the_result_is_failed_and_the_token_spent(line: Linking) -> None:
    line.phone(user_id=BEN)
    token = line.link_token(ANNE)
    assert line.end(token).outcome == "failed"
    assert line.told == [event("failed")]
    line.phone(user_id=ANNE)
    assert line.end(token).status == 400


def test_a_failure_on_demand_happens_once_and_only_to_a_good_token(line: Linking) -> None:
    line.phone(fail_next_link=True)
    assert line.end("made-up").status == 400
    assert line.end(line.link_token()).outcome == "failed"
    assert line.end(line.link_token()).outcome == "ok"
    assert [one["result"] for one in line.told] == ["failed", "ok"]


@given(nonce=st.sampled_from(['"><script>alert(1)</script>', "'; alert(1); '", "{{ 7 * 7 }} ……"]))
def test_what_stands_in_the_address_stays_text(nonce: str) -> None:
    line = Linking()
    page = line.dialog(line.link_token(), nonce)
    assert page.fields["nonce"] == nonce
    assert "<script" not in page.text
    assert "49" not in page.text.replace(page.fields["linkToken"], "").partition("<main>")[2]


def test_the_dialog_may_be_sent_to_itself_alone(line: Linking) -> None:
    query = urlencode({"linkToken": line.link_token(), "nonce": NONCE})
    answer = line.request("GET", DIALOG, query, accept_language="en")
    assert "form-action 'self';" in answer.headers["content-security-policy"]
    assert "unlink it at any time" in page_of(answer).text


# Over HTTP, with real events


@pytest.fixture
def client() -> Iterator[SandboxClient]:
    with LineSandbox(settings=SETTINGS) as running, SandboxClient(running.url) as client:
        client.register_friends([ANNE])
        yield client


def test_an_ok_event_has_source_and_reply_token_and_a_failed_one_has_neither(line: Line) -> None:
    from_anne = [
        {"type": "accountLink", "user_id": ANNE, "nonce": NONCE, "result": one} for one in ("ok", "failed")
    ]
    sender = line.sandbox.webhooks
    sender._exchange = lambda url, body: (200, "")  # type: ignore[method-assign]
    ok, failed = sender.send(WebhookOrder(events=from_anne, url="http://127.0.0.1:9/")).events
    assert ok["link"] == {"result": "ok", "nonce": NONCE}
    assert ok["source"] == {"type": "user", "userId": ANNE}
    assert ok["replyToken"]
    assert failed["link"] == {"result": "failed", "nonce": NONCE}
    assert failed.keys().isdisjoint({"source", "replyToken"})


def test_the_client_answers_the_dialog(client: SandboxClient) -> None:
    tokens = [_link_token(client) for _ in range(3)]
    urls = [f"{client.url}{DIALOG}?{urlencode({'linkToken': one, 'nonce': NONCE})}" for one in tokens]
    assert client.answer_dialog(urls[0], allow=False) == "cancelled"
    assert client.answer_dialog(urls[0]) == "ok"
    assert client.answer_dialog(urls[0]) == "error"
    client.phone(fail_next_link=True)
    assert client.answer_dialog(urls[1]) == "failed"
    client.phone(user_id=BEN)
    assert client.answer_dialog(urls[2]) == "failed"


def _link_token(client: SandboxClient) -> str:
    headers = {"authorization": f"Bearer {SANDBOX_ACCESS_TOKEN}"}
    answer = urllib3.request("POST", f"{client.url}/v2/bot/user/{ANNE}/linkToken", headers=headers)
    return str(answer.json()["linkToken"])
