"""Whatever LINE sends is read: known and unknown types, with and without what they usually bear."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.instants import from_milliseconds
from functions.domain.line_events import (
    LINE_EVENTS,
    anonymous_id,
    event_id_of,
    is_anonymous,
    read_line_event,
)
from tests.domain.strategies import NOON

USER = "U4af4980629" + "0" * 22
TIMESTAMP = 1795143600000
MESSAGES: dict[str, dict[str, Any]] = {
    "text": {"text": "こんにちは", "quoteToken": "q"},
    "image": {"contentProvider": {"type": "line"}},
    "video": {"duration": 60000},
    "audio": {"duration": 60000},
    "file": {"fileName": "file.txt", "fileSize": 2138},
    "location": {"latitude": 35.67966, "longitude": 139.73669},
    "sticker": {"packageId": "1", "stickerId": "1", "stickerResourceType": "STATIC"},
    "hologram": {"new": True},
}
PAYLOADS: dict[str, dict[str, Any]] = {
    **{
        f"message {kind}": {"type": "message", "message": {"id": "1", "type": kind, **more}}
        for kind, more in MESSAGES.items()
    },
    "messageEdited": {"type": "messageEdited", "message": {"id": "1", "type": "text", "text": "!"}},
    "unsend": {"type": "unsend", "unsend": {"messageId": "1"}},
    "follow": {"type": "follow", "follow": {"isUnblocked": False}},
    "unfollow": {"type": "unfollow"},
    "join": {"type": "join", "source": {"type": "group", "groupId": "C1"}},
    "leave": {"type": "leave", "source": {"type": "room", "roomId": "R1"}},
    "memberJoined": {"type": "memberJoined", "joined": {"members": [{"type": "user", "userId": USER}]}},
    "memberLeft": {"type": "memberLeft", "left": {"members": [{"type": "user", "userId": USER}]}},
    "postback": {"type": "postback", "postback": {"data": "a=1", "params": {"date": "2026-11-20"}}},
    "postback of a menu": {
        "type": "postback",
        "postback": {"data": "b", "params": {"newRichMenuAliasId": "m", "status": "SUCCESS"}},
    },
    "videoPlayComplete": {"type": "videoPlayComplete", "videoPlayComplete": {"trackingId": "t"}},
    "beacon": {"type": "beacon", "beacon": {"hwid": "d41d8cd98f", "type": "stay"}},
    "accountLink": {"type": "accountLink", "link": {"result": "ok", "nonce": "n" * 43}},
    "membership": {"type": "membership", "membership": {"type": "renewed", "membershipId": 3189}},
    "delivery": {"type": "delivery", "delivery": {"data": "15034552939884E28681A7D668CEA94C"}},
    "module": {"type": "module", "module": {"type": "attached", "botId": "U1", "scopes": []}},
    "activated": {"type": "activated", "chatControl": {"expireAt": TIMESTAMP}},
    "deactivated": {"type": "deactivated"},
    "botSuspended": {"type": "botSuspended"},
    "botResumed": {"type": "botResumed"},
    "a type of tomorrow": {"type": "telepathy", "telepathy": {"thought": "…"}},
}


def payload(**more: Any) -> dict[str, Any]:
    return {
        "type": "follow",
        "webhookEventId": "01FZ74A0TDDPYRVKNK77XKC3ZR",
        "timestamp": TIMESTAMP,
        "mode": "active",
        "source": {"type": "user", "userId": USER},
        "deliveryContext": {"isRedelivery": False},
        "replyToken": "nHuyWiB7yP5Zw52FIkcQobQuGDXCTA",
        **more,
    }


def without(key: str, **more: Any) -> dict[str, Any]:
    return {name: value for name, value in payload(**more).items() if name != key}


@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_every_type_is_read_under_its_name_and_kept_whole(name: str) -> None:
    raw = payload(**PAYLOADS[name])
    event = read_line_event(raw, NOON).event
    assert event.name == f"line_{raw['type']}"
    assert event.properties["raw"] == raw
    assert event.event_id == "line:01FZ74A0TDDPYRVKNK77XKC3ZR"
    assert event.occurred_at == from_milliseconds(TIMESTAMP)
    assert (event.source, event.status) == ("line", "confirmed")


@pytest.mark.parametrize("name", sorted(set(PAYLOADS) - {"join", "leave"}))
def test_the_user_is_the_one_in_the_source(name: str) -> None:
    found = read_line_event(payload(**PAYLOADS[name]), NOON)
    assert found.line_user_id == USER
    assert found.event.properties["line_user_id"] == USER


@pytest.mark.parametrize(
    "source",
    [
        None,
        "U1",
        [],
        {},
        {"type": "group", "groupId": "C1"},
        {"userId": None},
        {"userId": 5},
        {"userId": [USER]},
    ],
    ids=str,
)
def test_a_source_that_names_nobody_is_nobodys(source: object) -> None:
    assert read_line_event(payload(source=source), NOON).line_user_id == ""


@pytest.mark.parametrize("name", ["accountLink", "delivery"])
def test_an_event_without_a_source_is_nobodys(name: str) -> None:
    found = read_line_event(without("source", **PAYLOADS[name]), NOON)
    assert found.line_user_id == ""
    assert found.event.name == f"line_{name}"


def test_a_user_who_writes_in_a_group_is_named() -> None:
    source = {"type": "group", "groupId": "C1", "userId": USER}
    assert read_line_event(payload(source=source), NOON).line_user_id == USER


def test_standby_is_read_like_any_other() -> None:
    standby = without("replyToken", mode="standby", source={"type": "user", "userId": USER})
    assert read_line_event(standby, NOON).line_user_id == USER


@pytest.mark.parametrize("raw", [None, 5, "follow", [], [payload()], True, 1.5], ids=str)
def test_what_is_no_object_is_kept_as_unreadable(raw: object) -> None:
    found = read_line_event(raw, NOON)
    assert found.line_user_id == ""
    assert found.event.name == "line_unreadable"
    assert found.event.properties["raw"] == {"type": "unreadable", "value": raw}
    assert found.event.occurred_at == NOON


@pytest.mark.parametrize("kind", [None, "", 5, ["follow"], {}], ids=str)
def test_an_event_without_a_type_is_unknown(kind: object) -> None:
    assert read_line_event(payload(type=kind), NOON).event.name == "line_unknown"


def test_a_name_is_bounded() -> None:
    assert len(read_line_event(payload(type="x" * 5000), NOON).event.name) == 64


@pytest.mark.parametrize(
    "timestamp",
    [None, "1795143600000", True, 0, -1, -(10**18), 1e14, 10**400, float("nan"), float("inf"), [TIMESTAMP]],
    ids=lambda value: str(value)[:20],
)
def test_a_timestamp_that_is_none_is_read_as_received(timestamp: object) -> None:
    assert read_line_event(payload(timestamp=timestamp), NOON).event.occurred_at == NOON


def test_a_missing_timestamp_is_read_as_received() -> None:
    assert read_line_event(without("timestamp"), NOON).event.occurred_at == NOON


def test_a_timestamp_with_a_fraction_is_read() -> None:
    assert read_line_event(payload(timestamp=TIMESTAMP + 0.5), NOON).event.occurred_at > from_milliseconds(
        TIMESTAMP
    )


@pytest.mark.parametrize("key", ["webhookEventId", "type", "mode", "deliveryContext", "replyToken"])
def test_nothing_but_the_user_is_needed(key: str) -> None:
    assert read_line_event(without(key), NOON).line_user_id == USER


@pytest.mark.parametrize("given_id", [None, "", 5])
def test_an_old_payload_has_the_same_id_when_it_is_redelivered(given_id: object) -> None:
    first = payload(webhookEventId=given_id)
    again = {**first, "deliveryContext": {"isRedelivery": True}, "replyToken": "another"}
    assert event_id_of(first) == event_id_of(dict(reversed(again.items())))
    assert event_id_of(first).startswith("line:~")


def test_two_old_payloads_have_two_ids() -> None:
    first = without("webhookEventId")
    assert event_id_of(first) != event_id_of({**first, "timestamp": TIMESTAMP + 1})
    assert event_id_of(first) != event_id_of({**first, "type": "unfollow"})
    assert event_id_of(first) != event_id_of({**first, "source": {"type": "user", "userId": "U2"}})


def test_a_redelivery_has_lines_own_id() -> None:
    again = payload(deliveryContext={"isRedelivery": True})
    assert event_id_of(again) == event_id_of(payload()) == "line:01FZ74A0TDDPYRVKNK77XKC3ZR"


def test_an_old_payload_with_half_a_character_is_read() -> None:
    raw = without("webhookEventId", message={"type": "text", "text": "\ud83d"})
    assert read_line_event(raw, NOON).line_user_id == USER


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
parts = st.dictionaries(
    st.sampled_from(["type", "webhookEventId", "timestamp", "mode", "source", "deliveryContext"]), json_values
)


@given(json_values | parts)
def test_nothing_that_line_may_send_raises(raw: Any) -> None:
    first, again = read_line_event(raw, NOON), read_line_event(raw, NOON)
    assert first.event.event_id == again.event.event_id
    assert 0 < len(first.event.name) <= 64


def test_a_friend_who_is_not_linked_is_told_by_the_id() -> None:
    assert is_anonymous(anonymous_id("U1"))
    assert not is_anonymous("c1")


def test_profiles_count_what_friends_do() -> None:
    assert set(LINE_EVENTS) == {
        "line_follow", "line_unfollow", "line_message", "line_postback", "line_accountLink",
    }  # fmt: skip


def test_a_timestamp_far_ahead_is_read_as_received() -> None:
    """As a fact of the year 4821 it would outlast every later follow and consent."""
    assert read_line_event(payload(timestamp=9e13), NOON).event.occurred_at == NOON
