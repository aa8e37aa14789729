"""Sends: who gets them, what a retry key means, what they cost, and which copies the sandbox counts."""

import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ops.line_sandbox.answers import Answer
from ops.line_sandbox.direct import DirectLine, SteppedClock, text
from ops.line_sandbox.friends import Friend, FriendState
from ops.line_sandbox.quota import AggregationUnits
from ops.line_sandbox.sandbox import LineSandbox
from ops.line_sandbox.settings import changed

ANNE, BEN, CARL, STRANGER = (f"U{number:032x}" for number in range(1, 5))
KEY = "123e4567-e89b-12d3-a456-426614174000"
OTHER_KEY = "123e4567-e89b-12d3-a456-426614174001"
START = dt.datetime(2026, 11, 1, 3, 0, tzinfo=dt.UTC)
HELLO = text("Hello")


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(START)


@pytest.fixture
def line(clock: SteppedClock) -> DirectLine:
    sandbox = LineSandbox(clock=clock, monotonic=lambda: 0.0)
    sandbox.world.friends.register([Friend(user_id=ANNE), Friend(user_id=BEN)])
    return DirectLine(sandbox)


def set_state(line: DirectLine, user_id: str, state: FriendState) -> None:
    line.sandbox.world.friends.move(user_id, state)


def configure(line: DirectLine, **changes: object) -> None:
    line.sandbox.world.change(changed(line.sandbox.world.settings, changes))


def delivered(line: DirectLine, user_id: str) -> list[bool]:
    return [delivery.delivered for delivery in line.sandbox.world.ledger.of_user(user_id)]


def usage(line: DirectLine) -> object:
    return line.call("GET", "/v2/bot/message/quota/consumption").body


def seen(answer: Answer) -> tuple[int, object]:
    return answer.status, answer.body.get("message")


def test_a_push_to_a_friend_is_delivered_and_names_the_sent_messages(line: DirectLine) -> None:
    sticker = {"type": "location", "title": "T", "address": "A", "latitude": 1, "longitude": 2}
    answer = line.push(ANNE, HELLO, sticker)
    first, second = answer.body["sentMessages"]
    assert answer.status == 200
    assert first["id"].isdecimal()
    assert "quoteToken" in first
    assert "quoteToken" not in second
    assert delivered(line, ANNE) == [True]


@pytest.mark.parametrize("state", ["blocked", "left"])
def test_a_push_to_who_blocked_or_left_is_accepted_and_not_delivered(
    line: DirectLine, state: FriendState
) -> None:
    set_state(line, ANNE, state)
    answer = line.push(ANNE, HELLO, key=KEY)
    assert answer.status == 200
    assert answer.body["sentMessages"]
    assert delivered(line, ANNE) == [False]
    assert line.push(ANNE, HELLO, key=KEY).status == 409


def test_a_push_to_a_made_up_id_fails(line: DirectLine) -> None:
    answer = line.push(STRANGER, HELLO, key=KEY)
    assert (answer.status, answer.body) == (400, {"message": "Failed to send messages"})
    assert line.sandbox.world.report().requests_accepted == 0


def test_any_well_formed_id_is_a_friend_where_the_sandbox_is_told_so(line: DirectLine) -> None:
    configure(line, accept_any_user=True)
    assert line.push(STRANGER, HELLO).status == 200
    assert delivered(line, STRANGER) == [True]


@pytest.mark.parametrize("to", ["", "kutemukan", "U123", "U" + "G" * 32, "U" + "A" * 32, None, 5, [ANNE]])
def test_a_malformed_recipient_is_refused_with_details(line: DirectLine, to: str) -> None:
    answer = line.push(to, HELLO)
    assert seen(answer) == (400, "The property, 'to', in the request body is invalid (line: -, column: -)")
    assert [detail["property"] for detail in answer.body["details"]] == ["to"]


def test_an_accepted_key_answers_409_with_the_first_requests_id_and_messages(line: DirectLine) -> None:
    first = line.push(ANNE, HELLO, key=KEY)
    again = line.push(ANNE, HELLO, key=KEY)
    assert again.status == 409
    assert again.headers["x-line-accepted-request-id"] == first.headers["x-line-request-id"]
    assert again.headers["x-line-request-id"] != first.headers["x-line-request-id"]
    assert again.body == {
        "message": "The retry key is already accepted",
        "sentMessages": first.body["sentMessages"],
    }
    assert delivered(line, ANNE) == [True]


def test_a_key_counts_whatever_the_case_of_its_digits(line: DirectLine) -> None:
    line.push(ANNE, HELLO, key=KEY)
    assert line.push(ANNE, HELLO, key=KEY.upper()).status == 409


def test_a_key_is_still_accepted_just_before_24_hours(line: DirectLine, clock: SteppedClock) -> None:
    line.push(ANNE, HELLO, key=KEY)
    clock.advance(dt.timedelta(hours=24, microseconds=-1))
    assert line.push(ANNE, HELLO, key=KEY).status == 409


def test_after_24_hours_the_same_key_is_a_new_send_and_counts_as_a_copy(
    line: DirectLine, clock: SteppedClock
) -> None:
    line.push(ANNE, HELLO, key=KEY)
    clock.advance(dt.timedelta(hours=24))
    assert line.push(ANNE, HELLO, key=KEY).status == 200
    report = line.sandbox.world.report()
    assert (report.delivered, report.key_repeats, report.content_repeats, report.duplicates) == (2, 1, 0, 1)


def test_a_conflict_does_not_prolong_the_key(line: DirectLine, clock: SteppedClock) -> None:
    line.push(ANNE, HELLO, key=KEY)
    clock.advance(dt.timedelta(hours=23))
    assert line.push(ANNE, HELLO, key=KEY).status == 409
    clock.advance(dt.timedelta(hours=1))
    assert line.push(ANNE, HELLO, key=KEY).status == 200


@pytest.mark.parametrize("key", ["retry-1", "123e4567e89b12d3a456426614174000", KEY + "0", "g" + KEY[1:]])
def test_a_key_that_is_no_hexadecimal_uuid_is_refused(line: DirectLine, key: str) -> None:
    assert line.push(ANNE, HELLO, key=key).status == 400
    assert delivered(line, ANNE) == []


def test_a_key_of_a_refused_request_is_free(line: DirectLine) -> None:
    assert line.push(ANNE, text(""), key=KEY).status == 400
    assert line.push(STRANGER, HELLO, key=KEY).status == 400
    assert line.push(ANNE, HELLO, key=KEY).status == 200


def test_requests_without_a_key_are_all_new(line: DirectLine) -> None:
    assert [line.push(ANNE, HELLO).status for _ in range(2)] == [200, 200]
    assert line.sandbox.world.report().content_repeats == 1


def test_one_key_is_accepted_once_however_many_come_at_once(
    line: DirectLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaves_room = line.sandbox.world.quota.leaves_room

    def yielding_leaves_room(now: dt.datetime, recipients: int, monthly_limit: int | None) -> bool:
        time.sleep(0.001)  # between the look at the key and its record, every other thread gets its turn
        return leaves_room(now, recipients, monthly_limit)

    monkeypatch.setattr(line.sandbox.world.quota, "leaves_room", yielding_leaves_room)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: line.push(ANNE, HELLO, key=KEY), range(200)))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 199
    (accepted,) = (answer for answer in answers if answer.status == 200)
    named = {answer.headers["x-line-accepted-request-id"] for answer in answers if answer.status == 409}
    assert named == {accepted.headers["x-line-request-id"]}
    assert delivered(line, ANNE) == [True]


def test_a_multicast_reaches_all_its_recipients_under_one_key(line: DirectLine) -> None:
    set_state(line, CARL, "blocked")
    answer = line.multicast([ANNE, BEN, CARL], HELLO, key=KEY)
    assert (answer.status, answer.body) == (200, {})
    assert [delivered(line, user) for user in (ANNE, BEN, CARL)] == [[True], [True], [False]]


def test_a_repeated_multicast_key_answers_409_without_messages(line: DirectLine) -> None:
    first = line.multicast([ANNE, BEN], HELLO, key=KEY)
    again = line.multicast([ANNE, BEN], HELLO, key=KEY)
    assert (again.status, again.body) == (409, {"message": "The retry key is already accepted"})
    assert again.headers["x-line-accepted-request-id"] == first.headers["x-line-request-id"]


def test_a_multicast_key_refuses_a_remainder_under_the_same_key(line: DirectLine) -> None:
    line.multicast([ANNE], HELLO, key=KEY)
    assert line.multicast([BEN], HELLO, key=KEY).status == 409
    assert delivered(line, BEN) == []


def test_a_multicast_with_a_made_up_id_reaches_nobody(line: DirectLine) -> None:
    assert seen(line.multicast([ANNE, STRANGER], HELLO)) == (400, "Failed to send messages")
    assert delivered(line, ANNE) == []


def test_a_multicast_has_one_to_500_recipients(line: DirectLine) -> None:
    users = [f"U{number:032x}" for number in range(501)]
    line.sandbox.world.friends.register(Friend(user_id=user) for user in users)
    assert line.multicast(users[:500], HELLO).status == 200
    assert line.multicast(users, HELLO).status == 400
    assert line.multicast([], HELLO).status == 400


@pytest.mark.parametrize(("endpoint", "status"), [("broadcast", 200), ("narrowcast", 202)])
def test_broadcast_and_narrowcast_reach_every_friend_once_a_key(
    line: DirectLine, endpoint: str, status: int
) -> None:
    set_state(line, BEN, "blocked")
    path = f"/v2/bot/message/{endpoint}"
    assert line.call("POST", path, {"messages": [HELLO]}, key=KEY).status == status
    assert line.call("POST", path, {"messages": [HELLO]}, key=KEY).status == 409
    assert [delivered(line, user) for user in (ANNE, BEN)] == [[True], []]


def test_the_same_content_within_the_window_is_a_copy_whatever_the_key(
    line: DirectLine, clock: SteppedClock
) -> None:
    line.push(ANNE, {"type": "text", "text": "Hello"}, key=KEY)
    clock.advance(dt.timedelta(hours=20))
    line.push(ANNE, {"text": "Hello", "type": "text"}, key=OTHER_KEY)
    report = line.sandbox.world.report()
    assert (report.key_repeats, report.content_repeats, report.duplicates) == (0, 1, 1)
    assert [delivery.repeat for delivery in line.sandbox.world.ledger.of_user(ANNE)] == ["", "content"]
    assert [(count.user_id, count.duplicates) for count in report.users] == [(ANNE, 1)]


def test_the_same_content_after_the_window_is_no_copy(line: DirectLine, clock: SteppedClock) -> None:
    line.push(ANNE, HELLO, key=KEY)
    clock.advance(dt.timedelta(hours=20, seconds=1))
    line.push(ANNE, HELLO, key=OTHER_KEY)
    assert line.sandbox.world.report().duplicates == 0


def test_the_window_can_be_set_and_a_copy_by_key_and_content_counts_once(
    line: DirectLine, clock: SteppedClock
) -> None:
    configure(line, duplicate_window_hours=48)
    line.push(ANNE, HELLO, key=KEY)
    clock.advance(dt.timedelta(hours=25))
    line.push(ANNE, HELLO, key=KEY)
    report = line.sandbox.world.report()
    assert (report.key_repeats, report.content_repeats, report.duplicates) == (1, 0, 1)


def test_other_content_other_users_and_what_was_not_delivered_are_no_copies(line: DirectLine) -> None:
    set_state(line, CARL, "blocked")
    for user in (ANNE, BEN, CARL, CARL):
        line.push(user, HELLO)
    line.push(ANNE, text("Hello again"))
    assert line.sandbox.world.report().duplicates == 0


def test_a_user_named_twice_in_a_multicast_gets_a_copy(line: DirectLine) -> None:
    line.multicast([ANNE, ANNE], HELLO)
    assert line.sandbox.world.report().duplicates == 1


def test_the_quota_is_none_or_limited(line: DirectLine) -> None:
    assert line.call("GET", "/v2/bot/message/quota").body == {"type": "none"}
    configure(line, monthly_limit=200)
    assert line.call("GET", "/v2/bot/message/quota").body == {"type": "limited", "value": 200}


def test_the_quota_counts_recipients_reached_and_not_message_objects(line: DirectLine) -> None:
    set_state(line, CARL, "blocked")
    line.push(ANNE, HELLO, text("Two"), text("Three"))
    line.multicast([ANNE, BEN, CARL], text("All"))
    line.push(CARL, HELLO)
    assert usage(line) == {"totalUsage": 3}


def test_a_409_costs_nothing(line: DirectLine) -> None:
    line.push(ANNE, HELLO, key=KEY)
    line.push(ANNE, HELLO, key=KEY)
    assert usage(line) == {"totalUsage": 1}


def test_over_the_monthly_limit_a_send_answers_429_and_takes_no_key(
    line: DirectLine, clock: SteppedClock
) -> None:
    configure(line, monthly_limit=1)
    assert line.push(ANNE, HELLO, key=KEY).status == 200
    assert seen(line.push(BEN, HELLO, key=OTHER_KEY)) == (429, "You have reached your monthly limit.")
    assert line.push(ANNE, HELLO, key=KEY).status == 409
    clock.now = dt.datetime(2026, 11, 30, 15, 0, tzinfo=dt.UTC)  # December begins in Japan
    assert line.push(BEN, HELLO, key=OTHER_KEY).status == 200
    assert usage(line) == {"totalUsage": 1}


def test_a_multicast_that_does_not_fit_the_month_reaches_nobody(line: DirectLine) -> None:
    configure(line, monthly_limit=1)
    assert line.multicast([ANNE, BEN], HELLO).status == 429
    assert usage(line) == {"totalUsage": 0}


def test_a_push_bucket_gives_2000_at_once_and_then_429(line: DirectLine) -> None:
    statuses = [line.push(ANNE, text(""), key=KEY).status for _ in range(2000)]
    assert set(statuses) == {400}
    assert seen(line.push(ANNE, HELLO)) == (429, "The API rate limit has been exceeded. Try again later.")


def test_buckets_refill_with_wall_time_and_stand_apart_by_endpoint() -> None:
    seconds = [0.0]
    sandbox = LineSandbox(monotonic=lambda: seconds[0])
    sandbox.world.friends.register([Friend(user_id=ANNE)])
    line = DirectLine(sandbox)
    configure(line, rate_scale=0.01)
    first = [line.multicast([ANNE], text(str(number))).status for number in range(3)]
    assert first == [200, 200, 429]
    assert line.push(ANNE, HELLO).status == 200
    seconds[0] = 0.5
    assert [line.multicast([ANNE], text(str(number))).status for number in range(2)] == [200, 429]


def test_a_broadcast_bucket_gives_60_an_hour(line: DirectLine) -> None:
    statuses = [
        line.call("POST", "/v2/bot/message/broadcast", {"messages": [text(str(n))]}).status for n in range(61)
    ]
    assert statuses == [200] * 60 + [429]


def test_retries_count_against_the_rate(line: DirectLine) -> None:
    configure(line, rate_scale=0.001)
    assert [line.push(ANNE, HELLO, key=KEY).status for _ in range(3)] == [200, 409, 429]


def test_a_reply_token_works_once_and_is_free(line: DirectLine) -> None:
    token = line.sandbox.world.reply_tokens.issue(ANNE, START)
    answer = line.reply(token, HELLO)
    assert answer.status == 200
    assert len(answer.body["sentMessages"]) == 1
    assert seen(line.reply(token, HELLO)) == (400, "Invalid reply token")
    assert usage(line) == {"totalUsage": 0}
    assert delivered(line, ANNE) == [True]


def test_the_same_reply_to_two_events_is_no_copy(line: DirectLine) -> None:
    for _ in range(2):
        assert line.reply(line.sandbox.world.reply_tokens.issue(ANNE, START), HELLO).status == 200
    assert line.sandbox.world.report().duplicates == 0


def test_a_reply_token_is_good_for_a_minute(line: DirectLine, clock: SteppedClock) -> None:
    tokens = [line.sandbox.world.reply_tokens.issue(ANNE, START) for _ in range(2)]
    clock.advance(dt.timedelta(minutes=1))
    assert line.reply(tokens[0], HELLO).status == 200
    clock.advance(dt.timedelta(seconds=1))
    assert seen(line.reply(tokens[1], HELLO)) == (400, "Invalid reply token")


def test_an_invalid_reply_leaves_its_token_unused(line: DirectLine) -> None:
    token = line.sandbox.world.reply_tokens.issue(ANNE, START)
    assert line.reply(token, text("")).status == 400
    assert line.reply(token, HELLO).status == 200


def test_a_made_up_reply_token_is_invalid(line: DirectLine) -> None:
    assert seen(line.reply("0" * 32, HELLO)) == (400, "Invalid reply token")
    assert seen(line.reply("", HELLO)) == (400, "The request body has 1 error(s)")


def test_a_reply_with_a_retry_key_is_refused_and_keeps_its_token(line: DirectLine) -> None:
    token = line.sandbox.world.reply_tokens.issue(ANNE, START)
    assert line.reply(token, HELLO, key=KEY).status == 400
    assert line.reply(token, HELLO).status == 200


def test_a_validation_with_a_retry_key_is_refused(line: DirectLine) -> None:
    body = {"messages": [HELLO]}
    assert line.call("POST", "/v2/bot/message/validate/push", body, key=KEY).status == 400


def test_the_1001st_unit_name_of_a_month_sends_without_a_unit_and_says_nothing(line: DirectLine) -> None:
    for number in range(1000):
        line.sandbox.world.units.assign(f"unit_{number}", START)
    assert line.push(ANNE, HELLO, customAggregationUnits=["one_more"]).status == 200
    assert line.push(ANNE, HELLO, customAggregationUnits=["unit_7"]).status == 200
    assert [delivery.unit for delivery in line.sandbox.world.ledger.of_user(ANNE)] == ["", "unit_7"]


def test_unit_names_are_counted_by_month() -> None:
    units = AggregationUnits()
    for number in range(1001):
        units.assign(f"unit_{number}", START)
    assert units.assign("one_more", START + dt.timedelta(days=30)) == "one_more"


def test_the_ledger_keeps_what_was_sent_when_and_under_which_ids(line: DirectLine) -> None:
    answer = line.push(ANNE, HELLO, key=KEY)
    (delivery,) = line.sandbox.world.ledger.of_user(ANNE)
    assert (delivery.messages, delivery.retry_key, delivery.at) == ([HELLO], KEY, START)
    assert delivery.request_id == answer.headers["x-line-request-id"]


def test_a_profile_is_there_for_friends_alone(line: DirectLine) -> None:
    line.sandbox.world.friends.register([Friend(user_id=ANNE, display_name="Anne")])
    set_state(line, BEN, "blocked")
    set_state(line, CARL, "left")
    profile = line.call("GET", f"/v2/bot/profile/{ANNE}")
    assert (profile.status, profile.body["displayName"], profile.body["userId"]) == (200, "Anne", ANNE)
    for user in (BEN, CARL, STRANGER):
        assert seen(line.call("GET", f"/v2/bot/profile/{user}")) == (404, "Not found")


def test_the_account_tells_its_own_user_id(line: DirectLine) -> None:
    assert line.call("GET", "/v2/bot/info").body["userId"] == line.sandbox.world.settings.destination


def test_a_link_token_is_issued_for_known_users(line: DirectLine) -> None:
    assert line.call("POST", f"/v2/bot/user/{ANNE}/linkToken").body["linkToken"]
    assert line.call("POST", f"/v2/bot/user/{STRANGER}/linkToken").status == 404


def test_a_wrong_token_is_refused_with_401(line: DirectLine) -> None:
    answer = DirectLine(line.sandbox, "another").push(ANNE, HELLO)
    message = "Authentication failed. Confirm that the access token in the authorization header is valid."
    assert (answer.status, answer.body) == (401, {"message": message})
    assert "x-line-request-id" in answer.headers


def test_an_unknown_path_is_404_and_a_wrong_method_405(line: DirectLine) -> None:
    answer = line.call("GET", "/v2/bot/nothing")
    assert (answer.status, answer.body) == (404, {"message": "Not found"})
    assert line.call("GET", "/v2/bot/message/push").status == 405
    assert line.call("POST", "/v2/bot/info").status == 405


def test_a_reset_forgets_everything_but_the_settings(line: DirectLine) -> None:
    configure(line, monthly_limit=1)
    line.push(ANNE, HELLO, key=KEY)
    line.sandbox.world.reset(keep_friends=True)
    assert line.sandbox.world.report().answers == {}
    assert line.push(ANNE, HELLO, key=KEY).status == 200
    line.sandbox.world.reset()
    assert line.push(ANNE, HELLO).status == 400
    assert line.sandbox.world.settings.monthly_limit == 1
