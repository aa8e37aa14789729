"""Attempts to link and single use: the fakes, and the adapters on the embedded engine."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pytest

from functions.aws.link_attempts import DynamoLinkAttempts
from functions.aws.once import Once
from functions.aws.secrets import SecretField, SecretKeys
from functions.domain.linking_attempts import Attempt, Taken
from functions.ports.identities import LinkAttempts
from functions.ports.tokens import SingleUse
from tests.aws.conftest import Aws, Stores
from tests.fakes.linking import FakeLinkAttempts, FakeOnce

NOW = dt.datetime(2026, 11, 20, 3, tzinfo=dt.UTC)
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
OPEN = Attempt("a1", "c1", NOW + 10 * MINUTE, ["marketing"], "2026-04", reward=True)


@dataclass(frozen=True)
class Kept:
    attempts: LinkAttempts
    once: SingleUse


@pytest.fixture(params=["fake", "aws"])
def stored(request: pytest.FixtureRequest) -> Kept:
    if request.param == "fake":
        return Kept(FakeLinkAttempts(), FakeOnce())
    aws: Aws = request.getfixturevalue("aws")
    table = aws.tables()["identities"]
    dynamodb = aws.client("dynamodb")
    return Kept(DynamoLinkAttempts(dynamodb, table), Once(dynamodb, table))


def test_a_name_is_used_once_for_each_purpose(stored: Kept) -> None:
    assert stored.once.use("state", "s1", NOW)
    assert not stored.once.use("state", "s1", NOW + HOUR)
    assert stored.once.use("state", "s2", NOW)
    assert stored.once.use("unlink", "s1", NOW)


def test_an_attempt_is_taken_by_the_first_and_stays_what_it_was(stored: Kept) -> None:
    attempts = stored.attempts
    attempts.begin(OPEN)
    assert attempts.find("a1") == OPEN
    first = Taken(OPEN, "U1", NOW, "login")
    assert attempts.take("a1", "U1", NOW, "login") == first
    assert attempts.take("a1", "U2", NOW, "login") is None
    # Told again, later, or by another way: the same, so that the events that follow are.
    assert attempts.take("a1", "U1", NOW + HOUR, "code") == first


def test_nobody_takes_what_is_over_or_was_never_there(stored: Kept) -> None:
    attempts = stored.attempts
    attempts.begin(OPEN)
    assert attempts.take("a1", "U1", OPEN.expires_at, "login") is None
    assert attempts.take("a2", "U1", NOW, "login") is None
    assert attempts.find("a2") is None
    last = OPEN.expires_at - dt.timedelta(microseconds=1)
    assert attempts.take("a1", "U1", last, "login") == Taken(OPEN, "U1", last, "login")


def test_what_is_for_one_line_user_is_for_no_other(stored: Kept) -> None:
    attempt = Attempt("a3", "c1", NOW + MINUTE, for_user="U1")
    stored.attempts.begin(attempt)
    assert stored.attempts.take("a3", "U2", NOW, "dialog") is None
    assert stored.attempts.take("a3", "U1", NOW, "dialog") == Taken(attempt, "U1", NOW, "dialog")


def test_a_secret_names_one_attempt_for_good(stored: Kept) -> None:
    other = Attempt("a9", "c9", NOW)
    assert stored.attempts.name(OPEN, "code", "ABCD2345")
    assert not stored.attempts.name(other, "code", "ABCD2345")
    assert stored.attempts.name(other, "nonce", "ABCD2345")
    assert stored.attempts.named("code", "ABCD2345") == "a1"
    assert stored.attempts.named("nonce", "ABCD2345") == "a9"
    assert stored.attempts.named("code", "ABCD2346") is None


def test_an_attempt_has_lapsed_where_nobody_took_it(stored: Kept) -> None:
    stored.attempts.begin(OPEN)
    assert stored.attempts.lapsed("a1") == OPEN
    assert stored.attempts.lapsed("a2") is None
    stored.attempts.take("a1", "U1", NOW, "dialog")
    assert stored.attempts.lapsed("a1") is None


def test_five_tries_an_hour_are_looked_at_and_a_redelivery_is_no_other_try(stored: Kept) -> None:
    attempts = stored.attempts
    for number in range(5):
        assert attempts.may_try("U1", f"line:{number}", NOW + number * MINUTE)
        assert attempts.may_try("U1", f"line:{number}", NOW + number * MINUTE)
    assert not attempts.may_try("U1", "line:5", NOW + 59 * MINUTE)
    assert attempts.may_try("U1", "line:3", NOW + 59 * MINUTE)
    assert attempts.may_try("U2", "line:6", NOW)
    assert attempts.may_try("U1", "line:7", NOW + HOUR)


def test_no_secret_and_no_line_user_stands_in_a_key(aws: Aws) -> None:
    table = aws.tables()["identities"]
    dynamodb: Any = aws.client("dynamodb")
    attempts = DynamoLinkAttempts(dynamodb, table)
    attempts.begin(OPEN)
    attempts.name(OPEN, "code", "ABCD2345")
    attempts.may_try("U4af4980629", "line:1", NOW)
    Once(dynamodb, table).use("state", "secret-state", NOW)
    rows = dynamodb.scan(TableName=table)["Items"]
    assert len(rows) == 4
    assert all("ttl" in row for row in rows)
    for secret in ("ABCD2345", "U4af4980629", "secret-state"):
        assert secret not in str(rows)


def test_an_attempt_comes_up_when_it_is_over_and_is_no_customer(stores: Stores) -> None:
    stores.timers.look_at_link("a1", NOW + MINUTE, NOW)
    assert list(stores.timers.due_in(NOW, NOW)) == []
    (row,) = stores.timers.due_in(NOW + MINUTE, NOW + MINUTE)
    assert (row.link_attempt, row.customer_id, row.order, row.due) == ("a1", "", None, NOW + MINUTE)
    stores.timers.done([row])
    assert list(stores.timers.due_in(NOW + MINUTE, NOW + MINUTE)) == []


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_keys_are_read_anew_each_minute(aws: Aws) -> None:
    manager: Any = aws.client("secretsmanager")
    secret = aws.name("link")
    manager.create_secret(Name=secret, SecretString='{"keys": "generated"}')
    time = Time()
    keys = SecretKeys(manager, secret, monotonic=time)
    assert keys() == ["generated"]
    manager.put_secret_value(SecretId=secret, SecretString='{"keys": ["old", "new"]}')
    time.now = 59.0
    assert keys() == ["generated"]
    time.now = 60.0
    assert keys() == ["old", "new"]


def test_a_field_that_a_secret_lacks_has_its_default_or_is_a_mistake(aws: Aws) -> None:
    manager: Any = aws.client("secretsmanager")
    secret = aws.name("line")
    manager.create_secret(Name=secret, SecretString='{"channel_secret": "s"}')
    assert SecretField(manager, secret, "liff_id", "")() == ""
    assert SecretField(manager, secret, "channel_secret", "")() == "s"
    with pytest.raises(KeyError):
        SecretField(manager, secret, "liff_id")()
