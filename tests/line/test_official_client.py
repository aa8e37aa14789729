"""What our client asks of LINE, word for word beside what LINE's own SDK asks for the same."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
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
from functions.line.link_tokens import LineLinkTokens
from functions.line.messaging import LineMessaging
from functions.line.quota import LineMonthlyQuota
from functions.line.replies import LineReplies
from functions.ports.errors import Rejected
from tests.line.test_rate import Token

ANNE, BEN = "U" + "1" * 32, "U" + "2" * 32
KEY = "123e4567-e89b-12d3-a456-426614174000"
MENU = "richmenu-88c05ef6921ae53f8b58a25f3a65faf7"
HELLO = [{"type": "text", "text": "こんにちは"}]
UNIT = "m202611_a"
SAYS = json.dumps(
    {
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
    }
).encode()
"""An answer from which either client finds what it looks for."""
HEADERS = ("authorization", "content-type", "x-line-retry-key")
Asked = tuple[str, str, dict[str, str | None], Any, int]
"""Method, path, the headers that mean something, the body, and its bytes."""


class Server(ThreadingHTTPServer):
    """Answers all alike, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server

    def answer(self) -> None:
        """Note and answer."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        told = {name: self.headers.get(name) for name in HEADERS}
        path = urlsplit(self.path)
        found = json.loads(body) if body else None
        self.server.asked.append((self.command, path.path, told, found, len(body)))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(SAYS)))
        self.end_headers()
        self.wfile.write(SAYS)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815 (the names that http.server looks for)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def texts() -> list[TextMessage]:
    return [TextMessage(text=str(one["text"])) for one in HELLO]


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
    "webhook": (lambda url: LineBot(url, Token()).webhook(), lambda api: api.get_webhook_endpoint()),
}


def meaning(asked: list[Asked]) -> list[tuple[str, str, dict[str, str | None], Any]]:
    """What LINE reads of it: what a body is only matters where there is one."""
    return [
        (
            method,
            path,
            {name: told[name] for name in HEADERS if name != "content-type" or body},
            {key: value for key, value in body.items() if value != DEFAULTS.get(key)} if body else None,
        )
        for method, path, told, body, _ in asked
    ]


@pytest.mark.parametrize("call", CALLS)
def test_we_ask_what_the_official_client_asks(server: Server, call: str) -> None:
    ours, theirs = CALLS[call]
    ours(server.url)
    of_ours, server.asked = server.asked, []
    with ApiClient(Configuration(host=server.url, access_token=Token()())) as client:
        theirs(MessagingApi(client))
    assert meaning(of_ours) == meaning(server.asked)
    assert of_ours


def test_japanese_goes_as_it_is_in_half_the_bytes_of_escapes(server: Server) -> None:
    LineMessaging(server.url, Token(), 5.0).push(ANNE, HELLO, KEY)
    ((_, _, _, body, size),) = server.asked
    assert body["messages"] == HELLO
    assert size == len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())


def test_what_is_no_unicode_text_is_refused_before_it_is_said(server: Server) -> None:
    with pytest.raises(Rejected, match="no_unicode_text"):
        LineMessaging(server.url, Token(), 5.0).push(ANNE, [{"type": "text", "text": "\ud83d"}], KEY)
    assert server.asked == []
