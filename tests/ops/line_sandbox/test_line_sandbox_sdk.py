"""The official client, line-bot-sdk, against the sandbox: what it sends is accepted, what it reads is LINE's."""

import json
from collections.abc import Iterator

import pytest
from linebot.v3.messaging import (
    ApiClient,
    ApiException,
    Configuration,
    FlexContainer,
    FlexMessage,
    Message,
    MessageAction,
    MessagingApi,
    MulticastRequest,
    PushMessageRequest,
    QuickReply,
    QuickReplyItem,
    TextMessage,
)
from linebot.v3.webhook import SignatureValidator

from ops.line_sandbox.friends import Friend
from ops.line_sandbox.sandbox import SANDBOX_ACCESS_TOKEN, LineSandbox
from ops.line_sandbox.settings import Settings
from ops.line_sandbox.webhooks import signature, webhook_body

ANNE, BEN = "U" + "1" * 32, "U" + "2" * 32
KEY = "123e4567-e89b-12d3-a456-426614174000"
TIMEOUT_SECONDS = 10


@pytest.fixture
def sandbox() -> Iterator[LineSandbox]:
    with LineSandbox(settings=Settings(monthly_limit=200)) as running:
        running.world.friends.register([Friend(user_id=ANNE, display_name="Anne"), Friend(user_id=BEN)])
        yield running


@pytest.fixture
def api(sandbox: LineSandbox) -> Iterator[MessagingApi]:
    client = ApiClient(Configuration(host=sandbox.url, access_token=SANDBOX_ACCESS_TOKEN))
    yield MessagingApi(client)
    client.rest_client.pool_manager.clear()
    client.close()


def pushed(text: str = "Hello") -> PushMessageRequest:
    return PushMessageRequest(to=ANNE, messages=[TextMessage(text=text)])


def test_the_sdk_pushes_and_then_gets_409_with_the_accepted_id(
    sandbox: LineSandbox, api: MessagingApi
) -> None:
    first = api.push_message_with_http_info(pushed(), x_line_retry_key=KEY, _request_timeout=TIMEOUT_SECONDS)
    with pytest.raises(ApiException) as conflict:
        api.push_message_with_http_info(pushed(), x_line_retry_key=KEY, _request_timeout=TIMEOUT_SECONDS)
    assert first.status_code == 200
    assert conflict.value.status == 409
    assert conflict.value.headers["x-line-accepted-request-id"] == first.headers["x-line-request-id"]
    assert [message["id"] for message in json.loads(conflict.value.body)["sentMessages"]] == [
        message.id for message in first.data.sent_messages
    ]
    assert sandbox.world.report().delivered == 1


def test_the_sdk_reads_a_validation_error(api: MessagingApi) -> None:
    with pytest.raises(ApiException) as refused:
        api.push_message(pushed("a" * 5001), _request_timeout=TIMEOUT_SECONDS)
    assert refused.value.status == 400
    assert json.loads(refused.value.body)["details"] == [
        {"message": "Length must be between 0 and 5000", "property": "messages[0].text"}
    ]


def test_the_sdks_flex_and_quick_replies_are_accepted(api: MessagingApi) -> None:
    bubble = {
        "type": "bubble",
        "body": {"type": "box", "layout": "vertical", "contents": [{"type": "text", "text": "x"}]},
    }
    action = MessageAction(label="Yes", text="Yes")
    message: Message = FlexMessage(
        alt_text="Flex",
        contents=FlexContainer.from_dict(bubble),
        quick_reply=QuickReply(items=[QuickReplyItem(action=action)]),
    )
    request = MulticastRequest(to=[ANNE, BEN], messages=[message])
    assert (
        api.multicast_with_http_info(
            request, x_line_retry_key=KEY, _request_timeout=TIMEOUT_SECONDS
        ).status_code
        == 200
    )


def test_the_sdk_reads_quota_profile_link_token_and_account(api: MessagingApi) -> None:
    api.push_message(pushed(), _request_timeout=TIMEOUT_SECONDS)
    quota = api.get_message_quota(_request_timeout=TIMEOUT_SECONDS)
    assert (quota.type, quota.value) == ("limited", 200)
    assert api.get_message_quota_consumption(_request_timeout=TIMEOUT_SECONDS).total_usage == 1
    assert api.get_profile(ANNE, _request_timeout=TIMEOUT_SECONDS).display_name == "Anne"
    assert api.issue_link_token(ANNE, _request_timeout=TIMEOUT_SECONDS).link_token
    assert api.get_bot_info(_request_timeout=TIMEOUT_SECONDS).chat_mode == "bot"


def test_the_sdk_validates_the_sandboxs_signature() -> None:
    body = webhook_body("U" + "0" * 32, [])
    assert SignatureValidator("secret").validate(body.decode(), signature("secret", body))
