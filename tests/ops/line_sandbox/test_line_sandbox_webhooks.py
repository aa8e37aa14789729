"""Webhooks: their signature and shape, and how they arrive in batches, twice and out of order."""

import base64
import datetime as dt
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ops.line_sandbox.answers import JsonObject
from ops.line_sandbox.client import SandboxClient, SandboxError
from ops.line_sandbox.direct import DirectLine, SteppedClock, text
from ops.line_sandbox.events import CROCKFORD, ulid
from ops.line_sandbox.friends import Friend
from ops.line_sandbox.sandbox import LineSandbox
from ops.line_sandbox.webhooks import signature, webhook_body

ANNE, BEN = "U" + "1" * 32, "U" + "2" * 32
SECRET = "a-channel-secret"
START = dt.datetime(2026, 11, 1, 3, 0, tzinfo=dt.UTC)
START_MILLISECONDS = 1_793_502_000_000


class Receiver:
    """A webhook endpoint that keeps what came and answers `statuses` in turn, then 200."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[Mapping[str, str]] = []
        self.statuses: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.bodies.append(self.rfile.read(int(self.headers["content-length"])))
                receiver.headers.append({name.lower(): value for name, value in self.headers.items()})
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server names it
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/line"

    def events(self) -> list[list[JsonObject]]:
        """The events of each body, in the order of arrival."""
        return [json.loads(body)["events"] for body in self.bodies]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()
    thread.join()


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(START)


@pytest.fixture
def sandbox(clock: SteppedClock, receiver: Receiver) -> Iterator[LineSandbox]:
    with LineSandbox(clock=clock, channel_secret=SECRET) as running:
        with SandboxClient(running.url) as client:
            client.configure(webhook_url=receiver.url)
        yield running


@pytest.fixture
def client(sandbox: LineSandbox) -> Iterator[SandboxClient]:
    with SandboxClient(sandbox.url) as client:
        yield client


def test_the_signature_is_the_published_vectors() -> None:
    body = webhook_body("U8e742f61d673b39c7fff3cecb7536ef0", [])
    assert body == b'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}'
    assert (
        signature("8c570fa6dd201bb328f1c1eac23a96d8", body) == "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs="
    )


def test_the_header_signs_the_raw_body_with_the_channel_secret(
    client: SandboxClient, receiver: Receiver
) -> None:
    client.message(ANNE, "こんにちは")
    digest = hmac.new(SECRET.encode(), receiver.bodies[0], hashlib.sha256).digest()
    assert receiver.headers[0]["x-line-signature"] == base64.b64encode(digest).decode()
    assert receiver.headers[0]["content-type"].startswith("application/json")


def test_a_message_event_has_lines_shape(client: SandboxClient, receiver: Receiver) -> None:
    client.message(ANNE, "Hello")
    body = json.loads(receiver.bodies[0])
    (event,) = body["events"]
    assert body["destination"] == client.settings().destination
    assert event["type"] == "message"
    assert (event["message"]["type"], event["message"]["text"]) == ("text", "Hello")
    assert event["message"]["quoteToken"]
    assert event["source"] == {"type": "user", "userId": ANNE}
    assert (event["mode"], event["deliveryContext"]) == ("active", {"isRedelivery": False})
    assert event["timestamp"] == START_MILLISECONDS
    assert event["replyToken"]


def test_an_event_may_have_happened_at_another_instant(client: SandboxClient, receiver: Receiver) -> None:
    client.message(ANNE, "Earlier", at="2026-11-01T11:59:00+09:00")
    assert receiver.events()[0][0]["timestamp"] == START_MILLISECONDS - 60_000


def test_webhook_event_ids_are_ulids_of_the_events_instant() -> None:
    first, second = ulid(START_MILLISECONDS), ulid(START_MILLISECONDS)
    assert first != second
    assert first[:10] == second[:10]
    assert len(first) == 26
    assert set(first) <= set(CROCKFORD)
    assert (
        sum(CROCKFORD.index(digit) << 5 * place for place, digit in enumerate(reversed(first))) >> 80
        == START_MILLISECONDS
    )


def test_a_postback_carries_its_data_and_params(client: SandboxClient, receiver: Receiver) -> None:
    client.postback(ANNE, "action=buy")
    client.send_events([{"type": "postback", "user_id": ANNE, "data": "d", "params": {"date": "2026-11-02"}}])
    (first,), (second,) = receiver.events()
    assert first["postback"] == {"data": "action=buy"}
    assert second["postback"] == {"data": "d", "params": {"date": "2026-11-02"}}


def test_a_new_friend_follows_without_having_been_unblocked(
    client: SandboxClient, receiver: Receiver
) -> None:
    client.follow(ANNE, display_name="Anne")
    assert receiver.events()[0][0]["follow"] == {"isUnblocked": False}
    assert client.friends() == [Friend(user_id=ANNE, display_name="Anne", state="friend")]


def test_a_block_unfollows_without_a_reply_token_and_stops_delivery(
    client: SandboxClient, sandbox: LineSandbox, receiver: Receiver
) -> None:
    client.register_friends([ANNE])
    client.block(ANNE)
    (event,) = receiver.events()[0]
    assert event["type"] == "unfollow"
    assert "replyToken" not in event
    assert DirectLine(sandbox).push(ANNE, text("Hello")).status == 200
    assert [delivery.delivered for delivery in client.deliveries(ANNE)] == [False]


def test_who_comes_back_after_a_block_follows_as_unblocked(client: SandboxClient, receiver: Receiver) -> None:
    client.follow(ANNE, display_name="Anne")
    client.block(ANNE)
    client.unblock(ANNE)
    assert receiver.events()[2][0]["follow"] == {"isUnblocked": True}
    assert client.friends() == [Friend(user_id=ANNE, display_name="Anne", state="friend")]


def test_who_comes_back_after_leaving_was_not_unblocked(client: SandboxClient, receiver: Receiver) -> None:
    client.register_friends([Friend(user_id=ANNE, state="left")])
    client.follow(ANNE)
    assert receiver.events()[0][0]["follow"] == {"isUnblocked": False}


def test_without_a_webhook_url_only_the_state_changes(client: SandboxClient, receiver: Receiver) -> None:
    client.configure(webhook_url="")
    assert client.follow(ANNE).posts == []
    assert [friend.state for friend in client.friends()] == ["friend"]
    assert receiver.bodies == []


def test_events_of_several_users_come_in_one_body(client: SandboxClient, receiver: Receiver) -> None:
    result = client.send_events([{"type": "follow", "user_id": user} for user in (ANNE, BEN)])
    assert [event["source"]["userId"] for event in receiver.events()[0]] == [ANNE, BEN]
    assert [(post.status, len(post.event_ids)) for post in result.posts] == [(200, 2)]


def test_a_batch_size_splits_the_events_over_bodies(client: SandboxClient, receiver: Receiver) -> None:
    client.send_events([{"type": "follow", "user_id": ANNE}] * 5, batch_size=2)
    assert [len(events) for events in receiver.events()] == [2, 2, 1]


def test_no_events_are_the_connectivity_check(client: SandboxClient, receiver: Receiver) -> None:
    client.send_events([])
    assert receiver.events() == [[]]


def test_a_redelivery_is_identical_but_for_is_redelivery(client: SandboxClient, receiver: Receiver) -> None:
    result = client.send_events([{"type": "message", "user_id": ANNE, "text": "Hi"}], redeliveries=2)
    (first,), (second,), (third,) = receiver.events()
    assert second == third == {**first, "deliveryContext": {"isRedelivery": True}}
    assert [post.redelivery for post in result.posts] == [False, True, True]


def test_events_arrive_in_another_order_with_their_own_timestamps(
    client: SandboxClient, receiver: Receiver
) -> None:
    events = [
        {"type": "message", "user_id": ANNE, "text": str(hour), "at": f"2026-11-01T0{hour}:00:00Z"}
        for hour in range(6)
    ]
    for order in ("reversed", "shuffled", "shuffled"):
        client.send_events(events, order=order, seed=3, batch_size=1)
    texts = [event["message"]["text"] for (event,) in receiver.events()]
    assert texts[:6] == list("543210")
    assert texts[6:12] == texts[12:] != list("012345")
    assert sorted(texts[6:12]) == list("012345")
    assert all(
        event["timestamp"] == START_MILLISECONDS + (int(event["message"]["text"]) - 3) * 3_600_000
        for (event,) in receiver.events()
    )


def test_redelivery_follows_a_failure_only_where_it_is_on(client: SandboxClient, receiver: Receiver) -> None:
    receiver.statuses = [500]
    assert [post.status for post in client.message(ANNE, "one").posts] == [500]
    client.configure(webhook_redeliveries_max=2)
    receiver.statuses = [500, 503, 500]
    assert [(post.status, post.redelivery) for post in client.message(ANNE, "two").posts] == [
        (500, False),
        (503, True),
        (500, True),
    ]
    assert [len(client.message(ANNE, "three").posts), len(receiver.bodies)] == [1, 5]


def test_a_whole_event_of_before_is_delivered_again_unchanged(
    client: SandboxClient, receiver: Receiver
) -> None:
    (event,) = client.message(ANNE, "Hi").events
    client.send_events([event, event])
    assert receiver.events()[1] == [event, event]


def test_any_property_of_lines_event_can_be_set(client: SandboxClient, receiver: Receiver) -> None:
    sticker = {"id": "1", "type": "sticker", "packageId": "1", "stickerId": "2"}
    client.send_events(
        [{"type": "message", "user_id": ANNE, "message": sticker, "mode": "standby", "novelty": 1}]
    )
    (event,) = receiver.events()[0]
    assert (event["message"], event["novelty"]) == (sticker, 1)
    assert "replyToken" not in event


def test_a_reply_token_from_an_event_answers_it_once(
    client: SandboxClient, sandbox: LineSandbox, receiver: Receiver
) -> None:
    client.register_friends([ANNE])
    client.message(ANNE, "Hello")
    token = receiver.events()[0][0]["replyToken"]
    line = DirectLine(sandbox)
    assert [line.reply(token, text("Hi")).status for _ in range(2)] == [200, 400]
    assert [delivery.endpoint for delivery in client.deliveries(ANNE)] == ["reply"]


def link_token(client: SandboxClient, sandbox: LineSandbox) -> str:
    client.register_friends([ANNE])
    return str(DirectLine(sandbox).call("POST", f"/v2/bot/user/{ANNE}/linkToken").body["linkToken"])


def test_an_account_link_brings_the_nonce_of_the_user(
    client: SandboxClient, sandbox: LineSandbox, receiver: Receiver
) -> None:
    client.account_link(link_token(client, sandbox), "nonce-0123456789")
    (event,) = receiver.events()[0]
    assert event["link"] == {"result": "ok", "nonce": "nonce-0123456789"}
    assert event["source"]["userId"] == ANNE


def test_a_used_link_token_sends_no_webhook(
    client: SandboxClient, sandbox: LineSandbox, receiver: Receiver
) -> None:
    token = link_token(client, sandbox)
    client.account_link(token, "nonce-0123456789")
    assert client.account_link(token, "nonce-0123456789").posts == []
    assert len(receiver.bodies) == 1


def test_a_link_token_is_good_for_ten_minutes(
    client: SandboxClient, sandbox: LineSandbox, receiver: Receiver, clock: SteppedClock
) -> None:
    early, late = link_token(client, sandbox), link_token(client, sandbox)
    clock.advance(dt.timedelta(minutes=10))
    client.account_link(early, "nonce-0123456789")
    clock.advance(dt.timedelta(seconds=1))
    client.account_link(late, "nonce-0123456789")
    assert len(receiver.bodies) == 1


@pytest.mark.parametrize(("nonce", "posts"), [("n" * 9, 0), ("n" * 10, 1), ("n" * 255, 1), ("n" * 256, 0)])
def test_a_nonce_has_10_to_255_characters(
    client: SandboxClient, sandbox: LineSandbox, nonce: str, posts: int
) -> None:
    assert len(client.account_link(link_token(client, sandbox), nonce).posts) == posts


def test_a_failed_account_link_has_no_source(client: SandboxClient, receiver: Receiver) -> None:
    client.send_events([{"type": "accountLink", "user_id": ANNE, "result": "failed", "nonce": "n" * 10}])
    (event,) = receiver.events()[0]
    assert "source" not in event
    assert "replyToken" not in event


def test_nobody_listening_is_told_as_status_0(client: SandboxClient) -> None:
    (post,) = client.send_events([{"type": "follow", "user_id": ANNE}], url="http://127.0.0.1:1/").posts
    assert post.status == 0
    assert "NewConnectionError" in post.answer


@pytest.mark.parametrize(
    "event",
    [
        {"user_id": ANNE},
        {"type": "follow", "at": "yesterday"},
        {"type": "follow", "at": "2026-11-01T00:00:00"},
    ],
)
def test_an_event_that_cannot_be_made_is_refused(client: SandboxClient, event: JsonObject) -> None:
    with pytest.raises(SandboxError, match="400"):
        client.send_events([event])


def test_events_without_an_address_are_refused(client: SandboxClient) -> None:
    client.configure(webhook_url="")
    with pytest.raises(SandboxError, match="webhook_url"):
        client.message(ANNE, "Hello")


def test_event_ids_of_one_millisecond_rise() -> None:
    ids = [ulid(1_700_000_000_000) for _ in range(50)]
    assert ids == sorted(set(ids))
