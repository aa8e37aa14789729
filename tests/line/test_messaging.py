"""The Messaging API's answers, told apart: what was accepted, refused, postponed, or may have happened."""

import json
import socket
from typing import Any

import pytest

from functions.line.messaging import LineMessaging
from functions.ports.errors import AccountRefused, MusubiError, OverQuota, RateLimited, Rejected, Unknown
from functions.ports.line import Accepted
from ops.line_sandbox import SANDBOX_ACCESS_TOKEN, FaultRule, Friend, LineSandbox
from ops.line_sandbox.faults import FaultKind
from ops.line_sandbox.menu_book import RichMenu
from tests.fakes.line import FakeLine, Outcome
from tests.fakes.world import START
from tests.line.answering import Answers

ANNE, STRANGER = "U" + "1" * 32, "U" + "9" * 32
KEY, OTHER_KEY = "123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174001"
HELLO = [{"type": "text", "text": "こんにちは"}]
TIMEOUT_SECONDS = 5.0
SHORT_SECONDS = 0.2


class Token:
    """A secret's values, one after the other each time it is forgotten."""

    def __init__(self, *values: str) -> None:
        self._values = list(values)
        self._known = False
        self.fetched = 0

    def __call__(self) -> str:
        self.fetched += not self._known
        self._known = True
        return self._values[0]

    def forget(self) -> None:
        self._known = False
        if len(self._values) > 1:
            self._values.pop(0)


@pytest.fixture
def sandbox(running: LineSandbox) -> LineSandbox:
    running.world.reset()
    running.world.friends.register([Friend(user_id=ANNE)])
    return running


@pytest.fixture
def line(sandbox: LineSandbox) -> LineMessaging:
    return LineMessaging(sandbox.url, Token(SANDBOX_ACCESS_TOKEN), TIMEOUT_SECONDS)


def arm(sandbox: LineSandbox, kind: FaultKind, **more: Any) -> None:
    sandbox.world.faults.replace([FaultRule(kind=kind, times=1, **more)])


def test_an_accepted_push_tells_its_request_id(sandbox: LineSandbox, line: LineMessaging) -> None:
    accepted = line.push(ANNE, HELLO, KEY)
    assert accepted.request_id
    (delivery,) = sandbox.world.ledger.of_user(ANNE)
    assert delivery.request_id == accepted.request_id


def test_a_push_travels_as_it_was_rendered(sandbox: LineSandbox, line: LineMessaging) -> None:
    flex = {
        "type": "flex",
        "altText": "代替",
        "contents": {
            "type": "bubble",
            "body": {"type": "box", "layout": "vertical", "contents": [{"type": "text", "text": "x"}]},
        },
    }
    line.push(ANNE, [*HELLO, flex], KEY)
    assert sandbox.world.report().accepted == 1


def test_the_same_key_again_is_accepted_with_the_first_requests_id(
    sandbox: LineSandbox, line: LineMessaging
) -> None:
    first = line.push(ANNE, HELLO, KEY)
    assert line.push(ANNE, HELLO, KEY) == first
    assert sandbox.world.report().accepted == 1


@pytest.mark.parametrize(
    ("kind", "error", "reason"),
    [
        ("unauthorized_401", AccountRefused, "http_401"),
        ("forbidden_403", AccountRefused, "http_403"),
        ("monthly_429", OverQuota, "monthly_limit"),
        ("rate_429", RateLimited, "rate_limit"),
        ("user_429", Rejected, "same_user_limit"),
        ("bad_request_400", Rejected, "http_400"),
        ("error_500", Unknown, "LINE answered 500"),
        ("accept_then_500", Unknown, "LINE answered 500"),
        ("drop_before", Unknown, "no answer from LINE: ProtocolError"),
        ("accept_then_drop", Unknown, "no answer from LINE: ProtocolError"),
    ],
)
def test_each_answer_is_told_apart(
    sandbox: LineSandbox, line: LineMessaging, kind: FaultKind, error: type[MusubiError], reason: str
) -> None:
    arm(sandbox, kind)
    with pytest.raises(MusubiError) as raised:
        line.push(ANNE, HELLO, KEY)
    assert (type(raised.value), str(raised.value)) == (error, reason)
    assert sum(sandbox.world.report().answers["push"].values()) == 1, (
        "the client itself must not repeat a push"
    )
    assert line.push(ANNE, HELLO, KEY).request_id
    assert sandbox.world.report().accepted == 1


MENU = "richmenu-88c05ef6921ae53f8b58a25f3a65faf7"


def test_a_users_menu_is_linked_and_unlinked_any_number_of_times(
    sandbox: LineSandbox, line: LineMessaging
) -> None:
    menus = sandbox.world.rich_menus
    menus.register([RichMenu(rich_menu_id=MENU)])
    for _ in range(2):
        line.link_menu(ANNE, MENU)
        assert menus.linked == {ANNE: MENU}
    for _ in range(2):
        line.unlink_menu(ANNE)
        assert menus.linked == {}


@pytest.mark.parametrize(
    ("kind", "error", "reason"),
    [
        ("forbidden_403", AccountRefused, "http_403"),
        ("rate_429", RateLimited, "rate_limit"),
        ("error_500", Unknown, "LINE answered 500"),
        ("accept_then_drop", Unknown, "no answer from LINE: ProtocolError"),
    ],
)
def test_a_menus_answers_are_told_apart_as_a_pushs_are(
    sandbox: LineSandbox, line: LineMessaging, kind: FaultKind, error: type[MusubiError], reason: str
) -> None:
    sandbox.world.rich_menus.register([RichMenu(rich_menu_id=MENU)])
    arm(sandbox, kind)
    with pytest.raises(MusubiError) as raised:
        line.link_menu(ANNE, MENU)
    assert (type(raised.value), str(raised.value)) == (error, reason)
    line.link_menu(ANNE, MENU)


def people(sandbox: LineSandbox, count: int) -> list[str]:
    users = [f"U{number:032x}" for number in range(1, count + 1)]
    sandbox.world.friends.register([Friend(user_id=user) for user in users])
    return users


def test_a_multicast_reaches_everybody_once_however_often_it_is_repeated(
    sandbox: LineSandbox, line: LineMessaging
) -> None:
    users = people(sandbox, 500)
    accepted = line.multicast(users, HELLO, KEY)
    assert line.multicast(users, HELLO, KEY) == accepted
    assert [len(sandbox.world.ledger.of_user(user)) for user in users] == [1] * 500


def test_a_multicast_that_names_a_stranger_is_refused_and_reaches_nobody(
    sandbox: LineSandbox, line: LineMessaging
) -> None:
    users = people(sandbox, 3)
    with pytest.raises(Rejected, match="http_400"):
        line.multicast([*users, STRANGER], HELLO, KEY)
    assert [sandbox.world.ledger.of_user(user) for user in users] == [[]] * 3


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("error_500", Unknown),
        ("accept_then_drop", Unknown),
        ("rate_429", RateLimited),
        ("monthly_429", OverQuota),
        ("unauthorized_401", AccountRefused),
    ],
)
def test_a_multicasts_answers_are_told_apart_as_a_pushs_are(
    sandbox: LineSandbox, line: LineMessaging, kind: FaultKind, error: type[MusubiError]
) -> None:
    users = people(sandbox, 2)
    arm(sandbox, kind)
    with pytest.raises(error):
        line.multicast(users, HELLO, KEY)
    line.multicast(users, HELLO, KEY)
    assert [len(sandbox.world.ledger.of_user(user)) for user in users] == [1, 1]


def test_a_menu_that_line_does_not_have_is_refused(line: LineMessaging) -> None:
    with pytest.raises(Rejected, match="http_404"):
        line.link_menu(ANNE, "richmenu-unknown")


@pytest.mark.parametrize("kind", ["slow", "accept_then_slow"])
def test_an_answer_that_does_not_come_in_time_is_unknown(sandbox: LineSandbox, kind: FaultKind) -> None:
    arm(sandbox, kind, seconds=SHORT_SECONDS * 4)
    with pytest.raises(Unknown, match="ReadTimeoutError"):
        LineMessaging(sandbox.url, Token(SANDBOX_ACCESS_TOKEN), SHORT_SECONDS).push(ANNE, HELLO, KEY)


def test_a_user_whom_line_does_not_know_is_refused(line: LineMessaging) -> None:
    with pytest.raises(Rejected, match="http_400"):
        line.push(STRANGER, HELLO, KEY)


def test_a_wrong_token_refuses_the_account(sandbox: LineSandbox) -> None:
    with pytest.raises(AccountRefused, match="http_401"):
        LineMessaging(sandbox.url, Token("wrong"), TIMEOUT_SECONDS).push(ANNE, HELLO, KEY)


def test_a_server_that_is_not_there_is_unknown() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unknown, match="no answer"):
        LineMessaging(f"http://127.0.0.1:{port}", Token("token"), TIMEOUT_SECONDS).push(ANNE, HELLO, KEY)


def test_the_token_is_fetched_at_the_first_push_only(sandbox: LineSandbox) -> None:
    token = Token(SANDBOX_ACCESS_TOKEN)
    line = LineMessaging(sandbox.url, token, TIMEOUT_SECONDS)
    assert token.fetched == 0
    line.push(ANNE, HELLO, KEY)
    line.push(ANNE, HELLO, OTHER_KEY)
    assert token.fetched == 1


def test_a_token_that_was_rotated_is_fetched_anew_after_a_refusal(sandbox: LineSandbox) -> None:
    token = Token("of yesterday", SANDBOX_ACCESS_TOKEN)
    line = LineMessaging(sandbox.url, token, TIMEOUT_SECONDS)
    with pytest.raises(AccountRefused):
        line.push(ANNE, HELLO, KEY)
    assert line.push(ANNE, HELLO, KEY).request_id


def answered(server: Answers, status: int, headers: dict[str, str], body: bytes) -> Accepted:
    server.say(status, body, headers)
    return LineMessaging(server.url, Token("token"), 2.0).push(ANNE, HELLO, KEY)


def test_a_push_is_one_request_with_key_token_and_raw_json(answers: Answers) -> None:
    accepted = answered(answers, 200, {"X-Line-Request-Id": "r1"}, b'{"sentMessages": [{"id": "1"}]}')
    [asked] = answers.asked
    assert accepted == Accepted("r1")
    assert asked.path == "/v2/bot/message/push"
    assert (asked.headers["x-line-retry-key"], asked.headers["authorization"]) == (KEY, "Bearer token")
    assert asked.headers["content-type"] == "application/json"
    assert json.loads(asked.body) == {"to": ANNE, "messages": HELLO}


@pytest.mark.parametrize("body", [b"{}", b"", b"not json", b"[1, 2"])
def test_a_200_is_an_acceptance_whatever_its_body(answers: Answers, body: bytes) -> None:
    assert answered(answers, 200, {"x-line-request-id": "r1"}, body) == Accepted("r1")


@pytest.mark.parametrize("body", [b'{"message": "The retry key is already accepted"}', b"", b"<html>"])
def test_a_409_is_an_acceptance_whatever_its_body(answers: Answers, body: bytes) -> None:
    headers = {"X-Line-Accepted-Request-Id": "r0", "X-Line-Request-Id": "r1"}
    assert answered(answers, 409, headers, body) == Accepted("r0")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (429, b'{"message": "You have reached your monthly limit."}', OverQuota),
        (429, b'{"message": "The API rate limit has been exceeded. Try again later."}', RateLimited),
        (429, b'{"message": "something new"}', RateLimited),
        (429, b"", RateLimited),
        (429, b"[]", RateLimited),
        (429, b'{"message": null}', RateLimited),
        (429, b'"text"', RateLimited),
        (400, b"", Rejected),
        (404, b"{}", Rejected),
        (413, b"{}", Rejected),
        (500, b"{}", Unknown),
        (502, b"<html>", Unknown),
        (503, b"", Unknown),
        (504, b"", Unknown),
    ],
)
def test_an_answer_without_its_usual_body_is_still_told_apart(
    answers: Answers, status: int, body: bytes, error: type[MusubiError]
) -> None:
    with pytest.raises(MusubiError) as raised:
        answered(answers, status, {}, body)
    assert type(raised.value) is error
    assert len(answers.asked) == 1


def test_no_error_repeats_what_was_to_be_said(answers: Answers) -> None:
    with pytest.raises(Rejected) as raised:
        answered(
            answers,
            400,
            {},
            json.dumps({"message": "bad", "details": [{"message": HELLO[0]["text"]}]}).encode(),
        )
    assert "こんにちは" not in str(raised.value)
    assert "token" not in str(raised.value)


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        ("ok", None),
        ("500", "error_500"),
        ("timeout", "drop_before"),
        ("accept_then_timeout", "accept_then_drop"),
        ("accept_then_500", "accept_then_500"),
        ("rate", "rate_429"),
        ("same_user", "user_429"),
        ("monthly", "monthly_429"),
        ("401", "unauthorized_401"),
        ("403", "forbidden_403"),
        ("400", "bad_request_400"),
    ],
)
def test_the_fake_behaves_as_the_sandbox_does(
    sandbox: LineSandbox, line: LineMessaging, outcome: Outcome, kind: FaultKind | None
) -> None:
    fake = FakeLine(lambda: START)
    fake.friends.add(ANNE)
    fake.script.append(outcome)
    if kind:
        arm(sandbox, kind)
    assert [shown(fake, ANNE, KEY), shown(fake, ANNE, KEY), shown(fake, STRANGER, OTHER_KEY)] == [
        shown(line, ANNE, KEY),
        shown(line, ANNE, KEY),
        shown(line, STRANGER, OTHER_KEY),
    ]
    assert len(fake.pushes) == sandbox.world.report().accepted


def shown(line: FakeLine | LineMessaging, user: str, key: str) -> str:
    try:
        line.push(user, HELLO, key)
    except Unknown:
        return "Unknown"
    except MusubiError as error:
        return f"{type(error).__name__}: {error}"
    return "Accepted"
