"""Rich menus of single users: linked, unlinked and asked for, with LINE's answers."""

import datetime as dt
import json

import pytest

from ops.line_sandbox.answers import Answer
from ops.line_sandbox.calls import Request
from ops.line_sandbox.direct import DirectLine, SteppedClock
from ops.line_sandbox.faults import FaultRule
from ops.line_sandbox.friends import Friend
from ops.line_sandbox.menu_book import RichMenu
from ops.line_sandbox.sandbox import LineSandbox

NOW = dt.datetime(2026, 11, 20, 3, tzinfo=dt.UTC)
ANNE, BEN, STRANGER = "U" + "1" * 32, "U" + "2" * 32, "U" + "9" * 32
OF_ANNE = f"/v2/bot/user/{ANNE}/richmenu"


@pytest.fixture
def line() -> DirectLine:
    sandbox = LineSandbox(clock=SteppedClock(NOW))
    sandbox.world.friends.register([Friend(user_id=ANNE), Friend(user_id=BEN, state="blocked")])
    sandbox.world.rich_menus.register(
        [RichMenu(rich_menu_id="richmenu-1"), RichMenu(rich_menu_id="bare", has_image=False)]
    )
    return DirectLine(sandbox)


def seen(answer: Answer) -> tuple[int, object]:
    return answer.status, answer.body


def test_a_linked_menu_is_seen_until_another_is_linked_or_it_is_unlinked(line: DirectLine) -> None:
    line.sandbox.world.rich_menus.register([RichMenu(rich_menu_id="richmenu-2")])
    assert seen(line.call("POST", f"{OF_ANNE}/richmenu-1")) == (200, {})
    assert seen(line.call("POST", f"{OF_ANNE}/richmenu-1")) == (200, {})
    assert seen(line.call("GET", OF_ANNE)) == (200, {"richMenuId": "richmenu-1"})
    line.call("POST", f"{OF_ANNE}/richmenu-2")
    assert seen(line.call("GET", OF_ANNE)) == (200, {"richMenuId": "richmenu-2"})
    assert [seen(line.call("DELETE", OF_ANNE)) for _ in range(2)] == [(200, {})] * 2
    assert seen(line.call("GET", OF_ANNE)) == (404, {"message": "the user has no richmenu", "details": []})


def test_a_menu_that_is_not_there_or_has_no_image_is_refused(line: DirectLine) -> None:
    assert seen(line.call("POST", f"{OF_ANNE}/richmenu-9")) == (404, {"message": "Not found"})
    image = {"message": "must upload richmenu image before applying it to user", "details": []}
    assert seen(line.call("POST", f"{OF_ANNE}/bare")) == (400, image)
    assert line.call("GET", OF_ANNE).status == 404


@pytest.mark.parametrize(("method", "end"), [("POST", "/richmenu-1"), ("DELETE", ""), ("GET", "")])
def test_what_is_no_user_id_is_refused(line: DirectLine, method: str, end: str) -> None:
    message = {"message": "The value for the 'userId' parameter is invalid"}
    assert seen(line.call(method, f"/v2/bot/user/anne/richmenu{end}")) == (400, message)


@pytest.mark.parametrize("user", [BEN, STRANGER])
def test_who_is_no_friend_gets_no_menu_though_line_accepts_it(line: DirectLine, user: str) -> None:
    assert line.call("POST", f"/v2/bot/user/{user}/richmenu/richmenu-1").status == 200
    assert line.call("GET", f"/v2/bot/user/{user}/richmenu").status == 404


def test_other_methods_are_refused(line: DirectLine) -> None:
    assert line.call("PUT", OF_ANNE).status == 405
    assert line.call("GET", f"{OF_ANNE}/richmenu-1").status == 405


def test_faults_strike_menus_too(line: DirectLine) -> None:
    line.sandbox.world.faults.replace([FaultRule(kind="error_500", endpoint="richmenu/link", times=1)])
    assert [line.call("POST", f"{OF_ANNE}/richmenu-1").status for _ in range(2)] == [500, 200]


def test_control_registers_menus_and_shows_who_sees_which(line: DirectLine) -> None:
    body = json.dumps({"menus": [{"rich_menu_id": "richmenu-3"}]}).encode()
    line.sandbox.answer(Request("POST", "/_sandbox/rich-menus", {}, body))
    line.call("POST", f"{OF_ANNE}/richmenu-3")
    shown = line.sandbox.answer(Request("GET", "/_sandbox/rich-menus")).body
    assert shown["linked"] == {ANNE: "richmenu-3"}
    assert {"rich_menu_id": "richmenu-3", "has_image": True} in shown["menus"]
    line.sandbox.world.reset()
    assert line.sandbox.answer(Request("GET", "/_sandbox/rich-menus")).body == {"menus": [], "linked": {}}
