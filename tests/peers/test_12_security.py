"""12. Security added later."""

import datetime as dt
import json
import logging
from typing import Any

import duckdb
import msgspec
import pytest

from functions.aws.account import DynamoAccountState
from functions.domain.account import Block
from functions.domain.events import Scalar
from functions.domain.profiles import Profile, Register
from functions.domain.segments import SegmentError, Tree, compile_predicate, inlined, names_of, parse
from functions.domain.sends import send_id_of
from functions.line.messaging import LineMessaging
from functions.ports.errors import MusubiError
from functions.webhook.flow import signature_of
from ops.bulk import TABLE, answers_in_bulk, profile_table, sizes_in_bulk
from ops.line_sandbox import FaultRule, LineSandbox
from ops.line_sandbox.faults import FaultKind
from tests.aws.conftest import Aws
from tests.fakes.playbooks import playbook, scenario, send
from tests.fakes.world import INGEST_KEY, SECRET, START, World

ANNE, BEN = "U" + "a" * 32, "U" + "b" * 32
HOSTILE = [
    "'; DROP TABLE profiles; --",
    "' OR '1'='1",
    "') OR TRUE OR ('",
    '"; DROP TABLE profiles; --',
    "\\'; SELECT 1; --",
    "%",
    "_",
    "$1",
    "?",
    "{name}",
    "／*",
    "/* ' */",
    "x' UNION SELECT * FROM profiles --",
]
TOKEN = "token-that-nobody-may-read"


# --- which requests are let in


def test_the_front_door_has_two_routes_and_lets_in_post_alone(template: dict[str, Any]) -> None:
    """WordPress plugins and line-harness: form endpoints answer to every method, so that a link or an image is enough."""
    found = [
        one["Properties"]
        for one in template["Resources"].values()
        if one["Type"] == "AWS::ApiGatewayV2::Route"
    ]
    keys = {one["RouteKey"] for one in found}
    assert keys >= {"POST /webhook", "POST /events"}
    writing = {key for key in keys if key.split(" ")[0] not in ("POST", "GET", "HEAD")}
    assert writing == set(), "a route for any method, or for one that nobody needs"


def test_no_function_has_an_address_of_its_own_beside_the_front_door(template: dict[str, Any]) -> None:
    """WordPress plugins: a second way in that nobody guards. A function's own URL would answer to all methods."""
    assert not [one for one in template["Resources"].values() if one["Type"] == "AWS::Lambda::Url"]


# --- whose friend id it is


def test_an_id_in_a_body_that_nobody_signed_links_nobody() -> None:
    """line-harness: the friend's id is taken from the body of a form, so that anybody is who they say."""
    world = World(playbook())
    world.befriend(ANNE)
    body = json.dumps({"events": [world.linked("c1", ANNE)]}).encode()
    for given in ("", "Bearer ", f"Bearer {INGEST_KEY}x", INGEST_KEY, f"Basic {INGEST_KEY}"):
        assert world.ingestion.ingest(body, given).status == 401
    assert world.receive.receive(body, "").status == 401
    world.run()
    assert world.identities.link_of(ANNE) is None


def test_what_a_friend_writes_or_taps_counts_for_that_friend_alone() -> None:
    """line-harness: an id inside of what the client sends decides whose record is changed. Here the signed source does."""
    world = World(playbook())
    world.befriend(ANNE, BEN)
    claims = {"userId": BEN, "customer_id": "c1", "line_user_id": BEN}
    world.webhook(
        world.line_event(
            "postback", ANNE, postback={"data": json.dumps(claims)}, userId=BEN, customer_id="c1"
        ),
        world.line_event("message", ANNE, message={"type": "text", "id": "1", "text": json.dumps(claims)}),
    )
    world.run()
    assert world.customer(f"anon:{ANNE}").profile.tallies["line_postback"].count == 1
    assert world.customers.load(f"anon:{BEN}") is None
    assert world.customers.load("c1") is None


# --- signatures


@pytest.mark.parametrize("answer", [True, False])
def test_a_signature_is_compared_in_constant_time_and_by_nothing_else(
    monkeypatch: pytest.MonkeyPatch, *, answer: bool
) -> None:
    """line-harness: `==` on a signature ends at the first wrong character, which a stranger can time."""
    asked: list[tuple[bytes, bytes]] = []

    def compare(first: bytes, second: bytes) -> bool:
        asked.append((first, second))
        return answer

    monkeypatch.setattr("functions.webhook.flow.hmac.compare_digest", compare)
    world, body = World(playbook()), b'{"events": []}'
    right = signature_of(SECRET, body)
    for given in (right, "wrong"):
        assert (world.receive.receive(body, given).status == 200) is answer
    assert asked == [(right.encode(), right.encode()), (right.encode(), b"wrong")]


@pytest.mark.parametrize("answer", [True, False])
def test_the_crms_key_is_compared_in_constant_time_and_by_nothing_else(
    monkeypatch: pytest.MonkeyPatch, *, answer: bool
) -> None:
    """line-harness: the same, for the key of an API."""
    asked: list[bytes] = []

    def compare(_key: bytes, given: bytes) -> bool:
        asked.append(given)
        return answer

    monkeypatch.setattr("functions.domain.bearer_keys.hmac.compare_digest", compare)
    world = World(playbook())
    for given in (INGEST_KEY, "wrong"):
        assert (world.ingestion.ingest(b'{"events": []}', f"Bearer {given}").status == 202) is answer
    assert asked == [INGEST_KEY.encode(), b"wrong"]


@pytest.mark.parametrize("position", [0, 10, 43])
def test_one_wrong_character_is_a_wrong_signature_wherever_it_stands(position: int) -> None:
    """A comparison that is quick, or that compares prefixes, lets a nearly right one through."""
    body = b'{"events": []}'
    right = signature_of(SECRET, body)
    other = "A" if right[position] != "A" else "B"
    world = World(playbook())
    assert world.receive.receive(body, right[:position] + other + right[position + 1 :]).status == 401
    assert world.receive.receive(body, right[:-1]).status == 401
    assert world.receive.receive(body, right).status == 200


# --- secrets


class Token:
    """The channel access token."""

    def __call__(self) -> str:
        return TOKEN

    def forget(self) -> None:
        """Nothing to fetch anew."""


@pytest.mark.parametrize(
    "kind", ["unauthorized_401", "bad_request_400", "error_500", "accept_then_drop", "rate_429"]
)
def test_no_token_stands_in_what_is_logged_or_raised(
    kind: FaultKind, caplog: pytest.LogCaptureFixture
) -> None:
    """line-harness: keys in localStorage, in query strings and in logs."""
    caplog.set_level(logging.DEBUG)
    with LineSandbox(access_token=TOKEN) as sandbox:
        sandbox.world.change(msgspec.structs.replace(sandbox.world.settings, accept_any_user=True))
        sandbox.world.faults.replace([FaultRule(kind=kind)])
        line = LineMessaging(sandbox.url, Token(), 5.0)
        with pytest.raises(MusubiError) as raised:
            line.push(ANNE, [{"type": "text", "text": "Hello"}], "123e4567-e89b-12d3-a456-426614174000")
    said = [caplog.text, str(raised.value), repr(raised.value), repr(raised.value.__cause__)]
    assert all(TOKEN not in text and ANNE not in text for text in said)


def test_no_secret_travels_in_a_message_a_queue_or_a_record() -> None:
    """line-harness: a link with a token in it, which whoever sees the link can use."""
    world = World(playbook(scenarios={"path": scenario("purchase", send("thanks"))}))
    world.customer_with_line("c1", ANNE)
    seen: list[str] = []
    world.tap.watch(
        lambda _number, _name, _when: seen.extend(
            message.body for queue in (world.inbox_queue, world.send_queue) for message in queue.waiting
        )
    )
    world.ingest(world.purchase("c1"))
    world.run()
    seen += [msgspec.json.encode(record).decode() for record in world.records()]
    seen += [text for push in world.line.pushes for text in push.texts]
    assert len(seen) > 5
    assert not [text for text in seen if SECRET in text or INGEST_KEY in text]


# --- SQL


def tree_of(expression: str) -> Tree:
    """A segment's tree, as a playbook has it."""
    return inlined(parse(expression, names_of({})), {})


def profile_of(**attributes: Scalar) -> Profile:
    """Somebody with these attributes."""
    return Profile(attributes={name: Register(value, START, "e") for name, value in attributes.items()})


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("form", ["rank == {}", "rank != {}", "{} in tags", "rank != 'gold' and rank == {}"])
def test_a_text_in_a_segment_is_a_text_in_sql_whatever_it_says(form: str, hostile: str) -> None:
    """line-harness: SQL is put together, and rewritten for an account, by replacing strings."""
    tree = tree_of(form.format(repr(hostile)))
    known = [profile_of(rank=hostile), profile_of(rank="gold"), profile_of(), profile_of(rank="' OR '1'='1x")]
    holds = compile_predicate(tree)
    with duckdb.connect() as connection:
        profile_table(connection, [tree], known)
        assert answers_in_bulk(connection, [tree], START) == [[holds(one, START)] for one in known]
        rows = connection.execute(f"SELECT count(*) FROM {TABLE}").fetchone()
    assert rows == (len(known),)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_segments_name_is_a_name_in_sql_whatever_it_says(hostile: str) -> None:
    """The same, for what stands beside a value: the name of a column."""
    tree = tree_of("rank == 'gold'")
    with duckdb.connect() as connection:
        profile_table(connection, [tree], [profile_of(rank="gold"), profile_of()])
        assert sizes_in_bulk(connection, {hostile: tree}, START) == {hostile: 1}


@pytest.mark.parametrize(
    "expression", ["rank == 1; DROP", "__import__('os').system('true')", "rank.__class__ == 1"]
)
def test_nothing_but_a_predicate_is_a_segment(expression: str) -> None:
    """An expression that is run, and not read, is a way into the machine."""
    with pytest.raises(SegmentError):
        tree_of(expression)


# --- accounts


def test_two_accounts_never_share_a_send_id() -> None:
    """line-harness: rows of one account turn up in another. The same person and step are two sends there."""
    same = ("path", "j1", "thanks", ANNE, "1")
    ids = {send_id_of(account, *same) for account in ("main", "other", "main2", "mai")}
    assert len(ids) == 4


def test_no_account_is_spelled_so_that_it_is_another() -> None:
    """line-harness: parts of a key that run together. An account whose name ends where a source begins is another."""
    first = send_id_of("main", "path", "j", "s", ANNE, "1")
    assert first != send_id_of("mainp", "ath", "j", "s", ANNE, "1")
    assert first != send_id_of("main/path", "j", "s", ANNE, "1", "")


def test_a_block_of_one_account_stops_no_other(aws: Aws) -> None:
    """line-harness: a WHERE on the account is forgotten, and both read one row."""
    table = aws.tables()["gates"]
    mine, other = (DynamoAccountState(aws.client("dynamodb"), table, name) for name in ("main", "other"))
    until = START + dt.timedelta(days=1)
    mine.block(Block("stopped", until))
    mine.heard_from("shop", START)
    assert [block.until for block in mine.read().blocks] == [until]
    assert (other.read().blocks, other.read().heard) == ([], {})
    rows = aws.client("dynamodb").scan(TableName=table)["Items"]
    assert len(rows) == 1
