"""LINE Login in the browser: the request, the pages, and where the browser is sent."""

import re
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.line_sandbox.calls import Request
from ops.line_sandbox.friends import Friend
from ops.line_sandbox.login.forms import FORM
from ops.line_sandbox.settings import changed
from tests.ops.line_sandbox.logins import (
    ANNE,
    BEN,
    CALLBACK,
    CHIE,
    Line,
    page_of,
    parameters,
)


@pytest.fixture
def line() -> Line:
    return Line()


def test_the_page_lists_the_users_and_both_buttons_and_allowing_leads_back_with_code_and_state(
    line: Line,
) -> None:
    page = line.page()
    assert page.status == 200
    assert ANNE in page.text
    assert BEN in page.text
    assert 'value="allow"' in page.text
    assert 'value="cancel"' in page.text
    sent = line.submit(page, user=ANNE, decision="allow")
    assert sent.location.startswith(f"{CALLBACK}?code=")
    assert parameters(sent).keys() == {"code", "state"}
    assert parameters(sent)["state"] == "a-state"


@pytest.mark.parametrize(
    ("case", "code"), [("lower", "access_denied"), ("upper", "ACCESS_DENIED")], ids=["lower", "upper"]
)
def test_cancelling_leads_back_with_the_error_and_the_state(line: Line, case: str, code: str) -> None:
    line.world.change(changed(line.world.settings, {"login_error_case": case}))
    answer = parameters(line.submit(line.page(), user=ANNE, decision="cancel"))
    assert answer == {
        "error": code,
        "error_description": "The resource owner denied the request.",
        "state": "a-state",
    }


def test_a_ticket_is_answered_once(line: Line) -> None:
    page = line.page()
    line.submit(page, user=ANNE, decision="cancel")
    again = line.submit(page, user=ANNE, decision="allow")
    assert (again.status, again.location) == (400, "")
    assert line.submit(page).status == 400
    assert (
        page_of(line.request("POST", "/oauth2/v2.1/authorize/answer", form={"ticket": "made-up"})).status
        == 400
    )


def test_what_is_typed_goes_before_what_is_chosen_and_a_new_user_is_known_but_no_friend(line: Line) -> None:
    line.submit(line.page(), user=ANNE, user_id=f" {CHIE} ", decision="allow")
    assert line.world.friends.find(CHIE) == Friend(user_id=CHIE, state="left")


@pytest.mark.parametrize("typed", ["", "anne", "U" + "G" * 32, "C" + "1" * 32, ANNE + "1", ANNE + "\n1"])
def test_who_is_nobody_is_asked_again_and_can_still_answer(line: Line, typed: str) -> None:
    page = line.page()
    again = line.submit(page, user_id=typed, decision="allow")
    assert (again.status, again.location) == (400, "")
    assert 'role="alert"' in again.text
    assert "code" in parameters(line.submit(again, user=ANNE, decision="allow"))


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "1"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": "https://evil.example/link/callback"},
        {"redirect_uri": "https://shop.example/link/callback/more"},
        {"redirect_uri": "https://shop.example/link/callback#fragment"},
        {"redirect_uri": "https://shop.example/link/callback?a=1#fragment"},
        {"redirect_uri": "http://shop.example/link/callback"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": f"{CALLBACK}?a=1\r\nset-cookie: a=1"},
        {"redirect_uri": f"{CALLBACK}?a=\u0100"},
        {"app_id": "1234567890-Others00", "redirect_uri": "https://shop.example/link/liff"},
    ],
)
def test_a_wrong_channel_or_callback_is_an_error_page_and_leads_nowhere(
    line: Line, changes: dict[str, str | None]
) -> None:
    page = line.page(**changes)
    assert (page.status, page.location, page.action) == (400, "", "")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "email"}, "invalid_scope"),
        ({"scope": "profile email"}, "invalid_scope"),
        ({"scope": "openid everything"}, "invalid_scope"),
        ({"bot_prompt": "please"}, "invalid_request"),
        ({"prompt": "maybe"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "too-short"}, "invalid_request"),
    ],
)
def test_any_other_fault_leads_back_with_its_error(
    line: Line, changes: dict[str, str | None], error: str
) -> None:
    answer = parameters(line.page(**changes))
    assert (answer["error"], answer["state"]) == (error, "a-state")


def test_without_a_state_or_with_a_parameter_twice_there_is_no_login(line: Line) -> None:
    assert parameters(line.page(state=None)).keys() == {"error", "error_description"}
    twice = line.request("GET", "/oauth2/v2.1/authorize", line.wish() + "&state=another")
    assert parameters(page_of(twice))["error"] == "invalid_request"
    many = line.request("GET", "/oauth2/v2.1/authorize", line.wish() + "&a=1" * 100)
    assert many.status == 400


def test_the_callback_keeps_its_own_query(line: Line) -> None:
    page = line.submit(line.page(redirect_uri=f"{CALLBACK}?shop=a%26b"), user=ANNE, decision="allow")
    assert parameters(page)["shop"] == "a&b"


@given(
    state=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    nonce=st.text(st.characters(exclude_categories=["Cs"])),
)
def test_any_state_comes_back_as_it_was_on_one_line(state: str, nonce: str) -> None:
    line = Line()
    sent = line.submit(line.page(state=state, nonce=nonce), user=ANNE, decision="allow")
    assert parameters(sent)["state"] == state
    assert re.fullmatch(r"[!-~]+", sent.location)


# The offer to add the account


def test_normal_offers_the_account_on_the_page_itself(line: Line) -> None:
    page = line.page(bot_prompt="normal")
    assert 'name="add_friend"' in page.text
    added = parameters(line.submit(page, user=BEN, decision="allow", add_friend="1"))
    assert added["friendship_status_changed"] == "true"
    assert _state(line, BEN) == "friend"


def test_declining_the_offer_says_that_nothing_changed(line: Line) -> None:
    answer = parameters(line.submit(line.page(bot_prompt="normal"), user=BEN, decision="allow"))
    assert answer["friendship_status_changed"] == "false"
    assert _state(line, BEN) == "blocked"


@pytest.mark.parametrize(
    ("decision", "changed", "state"), [("add", "true", "friend"), ("skip", "false", "left")]
)
def test_aggressive_offers_it_on_a_page_of_its_own(
    line: Line, decision: str, changed: str, state: str
) -> None:
    page = line.page(bot_prompt="aggressive")
    assert 'name="add_friend"' not in page.text
    offer = line.submit(page, user_id=CHIE, decision="allow")
    assert (offer.status, offer.location) == (200, "")
    answer = line.submit(offer, decision=decision)
    assert parameters(answer)["friendship_status_changed"] == changed
    assert _state(line, CHIE) == state
    assert line.submit(offer, decision="add").status == 400


@pytest.mark.parametrize("bot_prompt", ["normal", "aggressive"])
def test_a_friend_is_offered_nothing(line: Line, bot_prompt: str) -> None:
    line.phone(user_id=ANNE)
    page = line.page(bot_prompt=bot_prompt)
    assert 'name="add_friend"' not in page.text
    answer = parameters(line.submit(page, user=ANNE, decision="allow", add_friend="1"))
    assert "friendship_status_changed" not in answer


def test_without_bot_prompt_nobody_is_added_whatever_the_form_says(line: Line) -> None:
    answer = parameters(line.submit(line.page(), user=BEN, decision="allow", add_friend="1"))
    assert "friendship_status_changed" not in answer
    assert _state(line, BEN) == "blocked"


# The phone


def test_the_phones_user_is_chosen_already_also_one_who_is_new(line: Line) -> None:
    line.phone(user_id=CHIE)
    assert re.search(rf'value="{CHIE}" checked', line.page().text)


def test_a_phone_that_allows_answers_at_once(line: Line) -> None:
    line.phone(user_id=BEN, consent="allow", add_friend=True)
    assert parameters(line.page(bot_prompt="aggressive"))["friendship_status_changed"] == "true"
    assert _state(line, BEN) == "friend"


def test_the_next_consent_can_be_cancelled_once(line: Line) -> None:
    line.phone(user_id=ANNE, consent="allow", cancel_next=True)
    assert parameters(line.page())["error"] == "access_denied"
    assert "code" in parameters(line.page())


def test_prompt_none_needs_a_user_and_an_earlier_consent(line: Line) -> None:
    assert parameters(line.page(prompt="none"))["error"] == "login_required"
    line.phone(user_id=ANNE)
    assert parameters(line.page(prompt="none"))["error"] == "interaction_required"
    line.log_in(ANNE)
    assert "code" in parameters(line.page(prompt="none"))


def test_a_reset_forgets_logins_and_the_phone(line: Line) -> None:
    code, page = line.log_in()["code"], line.page()
    tokens = line.tokens()
    line.phone(user_id=ANNE)
    line.world.reset()
    assert line.world.phone.user_id == ""
    assert line.submit(page, user=ANNE, decision="allow").status == 400
    assert line.exchange(code).body["error"] == "invalid_grant"
    bearer = f"Bearer {tokens['access_token']}"
    assert line.request("GET", "/v2/profile", authorization=bearer).status == 401


# The pages


@pytest.mark.parametrize(
    ("ui_locales", "accept_language", "lang"),
    [
        ("en-US ja", "ja", "en"),
        ("fr ja-JP", "en", "ja"),
        ("", "fr-FR, en;q=0.8", "en"),
        ("", "fr", "ja"),
        ("", "", "ja"),
    ],
)
def test_a_page_speaks_the_wanted_language(
    line: Line, ui_locales: str, accept_language: str, lang: str
) -> None:
    query = line.wish(ui_locales=ui_locales)
    answer = line.request("GET", "/oauth2/v2.1/authorize", query, accept_language=accept_language)
    assert answer.headers["content-language"] == lang
    assert f'<html lang="{lang}">' in page_of(answer).text
    assert ("許可する" in page_of(answer).text) == (lang == "ja")


def test_a_page_runs_no_script_stands_in_no_frame_and_is_kept_nowhere(line: Line) -> None:
    answer = line.request("GET", "/oauth2/v2.1/authorize", line.wish())
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' https://shop.example;" in policy
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert "<script" not in page_of(answer).text


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, ",".join(sorted(name for name, _ in attrs))))

    def handle_data(self, data: str) -> None:
        self.text += data


def _tags(html: str) -> _Tags:
    tags = _Tags()
    tags.feed(html)
    return tags


NASTY = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            '"><img src=x onerror=alert(1)>',
            "' onmouseover='x",
            "{{ 7*7 }}",
            "</style>",
        ]
    ),
)


@given(name=NASTY, ticket=NASTY)
def test_no_name_can_add_a_tag_or_an_attribute_to_the_page(name: str, ticket: str) -> None:
    plain, line = Line(), Line()
    plain.world.friends.register([Friend(user_id=CHIE, display_name="Chie")])
    line.world.friends.register([Friend(user_id=CHIE, display_name=name)])
    nasty = _tags(line.page(state=ticket or "s", nonce=ticket).text)
    assert nasty.seen == _tags(plain.page().text).seen
    assert "49" not in nasty.text or "49" in name


@given(at=st.integers(0, 5), value=NASTY)
def test_no_parameter_can_add_a_tag_to_an_error_page(at: int, value: str) -> None:
    line = Line()
    name = ("client_id", "redirect_uri", "app_id", "state", "nonce", "ui_locales")[at]
    text = line.page(**{"client_id": "wrong", name: value}).text
    assert _tags(text).seen == _tags(line.page(client_id="wrong").text).seen


def test_another_method_is_refused(line: Line) -> None:
    assert line.request("POST", "/oauth2/v2.1/authorize", line.wish()).status == 405
    assert line.request("GET", "/oauth2/v2.1/authorize/answer").status == 405


def test_a_form_of_another_kind_or_with_a_field_twice_is_no_answer(line: Line) -> None:
    page = line.page()
    form = {**page.fields, "user": ANNE, "decision": "allow"}
    other = line.request("POST", page.action, form=form, content_type="text/plain")
    assert other.status == 400
    twice = urlencode([*form.items(), ("decision", "cancel")]).encode()
    request = Request("POST", page.action, {"content-type": FORM}, twice)
    assert line.sandbox.answer(request).status == 400
    assert line.submit(page, user=ANNE, decision="allow").status == 302


def test_the_code_has_another_name_each_time(line: Line) -> None:
    assert line.log_in()["code"] != line.log_in()["code"]


def _state(line: Line, user_id: str) -> str:
    friend = line.world.friends.find(user_id)
    assert friend
    return friend.state
