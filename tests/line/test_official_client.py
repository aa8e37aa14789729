"""What our client asks of LINE, word for word beside what LINE's own SDK asks for the same."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from linebot.v3 import insight
from linebot.v3.messaging import (
    ApiClient,
    Configuration,
    MessagingApi,
    MulticastRequest,
    PushMessageRequest,
    ReplyMessageRequest,
    TextMessage,
)

from functions.line.bot import LineBot
from functions.line.insight import LineUnitInsight
from functions.line.link_tokens import LineLinkTokens
from functions.line.messaging import LineMessaging
from functions.line.quota import LineMonthlyQuota
from functions.line.replies import LineReplies
from functions.ports.errors import Rejected
from tests.line.answering import Answers, Asked
from tests.line.test_rate import Token

ANNE, BEN = "U" + "1" * 32, "U" + "2" * 32
KEY = "123e4567-e89b-12d3-a456-426614174000"
MENU = "richmenu-88c05ef6921ae53f8b58a25f3a65faf7"
HELLO = [{"type": "text", "text": "こんにちは"}]
UNIT, DAY = "m202611_a", dt.date(2026, 11, 26)
SAYS = {
    "sentMessages": [{"id": "1"}],
    "type": "limited",
    "value": 200,
    "totalUsage": 1,
    "linkToken": "token",
    "userId": BEN,
    "basicId": "@shop",
    "displayName": "Shop",
    "chatMode": "bot",
    "markAsReadMode": "auto",
    "endpoint": "https://api.example/webhook",
    "active": True,
    "overview": {"uniqueImpression": 40, "uniqueClick": 30, "uniqueMediaPlayed": 20},
    "messages": [],
    "clicks": [],
}
"""An answer from which either client finds what it looks for."""
HEADERS = ("authorization", "content-type", "x-line-retry-key")


def texts() -> list[TextMessage]:
    return [TextMessage(text=str(one["text"])) for one in HELLO]


def insight_of(api: MessagingApi) -> insight.Insight:
    """The SDK has a client of its own for each of LINE's APIs."""
    known = api.api_client.configuration
    return insight.Insight(
        insight.ApiClient(insight.Configuration(host=known.host, access_token=known.access_token))
    )


DEFAULTS = {"notificationDisabled": False}
"""What the SDK writes out, and LINE takes for granted."""
CALLS: dict[str, tuple[Callable[[str], object], Callable[[MessagingApi], object]]] = {
    "push": (
        lambda url: LineMessaging(url, Token(), 5.0).push(ANNE, HELLO, KEY, UNIT),
        lambda api: api.push_message(
            PushMessageRequest(to=ANNE, messages=texts(), customAggregationUnits=[UNIT]), KEY
        ),
    ),
    "multicast": (
        lambda url: LineMessaging(url, Token(), 5.0).multicast([ANNE, BEN], HELLO, KEY),
        lambda api: api.multicast(MulticastRequest(to=[ANNE, BEN], messages=texts()), KEY),
    ),
    "reply": (
        lambda url: LineReplies(url, Token()).reply("reply token", HELLO),
        lambda api: api.reply_message(ReplyMessageRequest(replyToken="reply token", messages=texts())),
    ),
    "link_menu": (
        lambda url: LineMessaging(url, Token(), 5.0).link_menu(ANNE, MENU),
        lambda api: api.link_rich_menu_id_to_user(ANNE, MENU),
    ),
    "unlink_menu": (
        lambda url: LineMessaging(url, Token(), 5.0).unlink_menu(ANNE),
        lambda api: api.unlink_rich_menu_id_from_user(ANNE),
    ),
    "quota": (
        lambda url: LineMonthlyQuota(url, Token()).usage(),
        lambda api: (api.get_message_quota(), api.get_message_quota_consumption()),
    ),
    "link_token": (
        lambda url: LineLinkTokens(url, "https://line.example", Token()).issue(ANNE),
        lambda api: api.issue_link_token(ANNE),
    ),
    "info": (lambda url: LineBot(url, Token()).info(), lambda api: api.get_bot_info()),
    "insight": (
        lambda url: LineUnitInsight(url, Token()).figures(UNIT, DAY, DAY),
        lambda api: insight_of(api).get_statistics_per_unit(UNIT, f"{DAY:%Y%m%d}", f"{DAY:%Y%m%d}"),
    ),
    "webhook": (lambda url: LineBot(url, Token()).webhook(), lambda api: api.get_webhook_endpoint()),
}


def meaning(asked: list[Asked]) -> list[tuple[Any, ...]]:
    """What LINE reads of it: what form a body has only matters where there is one."""
    return [
        (
            one.method,
            one.path,
            one.query,
            {name: one.headers.get(name) for name in HEADERS if name != "content-type" or one.body},
            {
                key: value
                for key, value in json.loads(one.body or b"{}").items()
                if value != DEFAULTS.get(key)
            },
        )
        for one in asked
    ]


@pytest.fixture
def line(answers: Answers) -> Answers:
    answers.say(200, SAYS, {"content-type": "application/json"})
    return answers


@pytest.mark.parametrize("call", CALLS)
def test_we_ask_what_the_official_client_asks(line: Answers, call: str) -> None:
    ours, theirs = CALLS[call]
    ours(line.url)
    of_ours, line.asked = line.asked, []
    with ApiClient(Configuration(host=line.url, access_token=Token()())) as client:
        theirs(MessagingApi(client))
    assert meaning(of_ours) == meaning(line.asked)
    assert of_ours


def test_japanese_goes_as_it_is_in_half_the_bytes_of_escapes(line: Answers) -> None:
    LineMessaging(line.url, Token(), 5.0).push(ANNE, HELLO, KEY)
    [asked] = line.asked
    body = json.loads(asked.body)
    assert body["messages"] == HELLO
    assert asked.body == json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def test_what_is_no_unicode_text_is_refused_before_it_is_said(line: Answers) -> None:
    with pytest.raises(Rejected, match="no_unicode_text"):
        LineMessaging(line.url, Token(), 5.0).push(ANNE, [{"type": "text", "text": "\ud83d"}], KEY)
    assert line.asked == []
