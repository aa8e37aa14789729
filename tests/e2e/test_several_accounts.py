"""Two accounts on one engine, least privilege enforced: what happens in one leaves the other as it was."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3
from click.testing import CliRunner, Result

from ops.cli import musubi
from ops.local.accounts import accounts_named
from ops.local.clock import LocalClock
from ops.local.commands import after_deploy
from ops.local.down import bring_down
from ops.local.place import Place
from ops.local.up import PLAYBOOK, Wishes, bring_up
from ops.stores import Stores
from ops.target import local_target
from tests.e2e.conftest import next_morning
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e

Two = tuple[Shop, Shop]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    found = Place(tmp_path_factory.mktemp("accounts"))
    bring_up(
        Wishes(place=found, accounts=accounts_named("shop,salon", PLAYBOOK), at=next_morning()), after_deploy
    )
    yield found
    bring_down(found)


@pytest.fixture(scope="module")
def two(place: Place) -> Two:
    clock = LocalClock(place)
    shop, salon = (
        Shop(place.read_record()["accounts"][name], clock, Stores(local_target(place.account_path(name))))
        for name in ("shop", "salon")
    )
    return shop, salon


def said(place: Place, *arguments: str) -> Result:
    """The command, on one of the accounts."""
    return CliRunner().invoke(musubi, [*arguments, "--local", str(place.record_path)], catch_exceptions=False)


def everything(shop: Shop) -> dict[str, list[Any]]:
    """Every row of every table, and every object, of one account; but for its campaigns' own runs as time passes."""
    dynamodb, s3 = shop.stores.target.client("dynamodb"), shop.stores.target.client("s3")
    rows = {
        name: sorted(
            json.dumps(item, sort_keys=True)
            for page in dynamodb.get_paginator("scan").paginate(TableName=table)
            for item in page["Items"]
        )
        for name, table in shop.stores.target.outputs.items()
        if name.startswith("Table")
    }
    bucket = shop.stores.settings.bucket
    listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    kept = [one for one in listed if not one["Key"].startswith("runs/")]
    return rows | {"objects": sorted(f"{one['Key']} {one['ETag']}" for one in kept)}


def test_the_first_account_is_where_scripts_look(place: Place) -> None:
    record = place.read_record()
    accounts = record["accounts"]
    assert list(accounts) == ["shop", "salon"]
    assert all(record[name] == accounts["shop"][name] for name in record if name != "accounts")
    for name in ("webhook_url", "ingest_url", "line_url", "channel_secret", "ingest_key", "access_token", "login_channel_id", "liff_id"):  # fmt: skip
        assert accounts["shop"][name] != accounts["salon"][name], name


def test_what_one_account_lives_through_leaves_the_other_untouched(two: Two, place: Place) -> None:
    shop, salon = two
    customer, user = shop.new_customer()
    before = everything(salon)
    shop.befriend(customer, user)
    shop.post(shop.purchase(customer))
    assert said(place, "stop", "--account", "shop", "--kind", "promotion", "--why", "test").exit_code == 0
    shop.pass_time(days=3)
    assert shop.copies(user) > 0
    assert everything(salon) == before
    assert salon.copies(user) == 0
    assert said(place, "blocks", "--account", "salon", "--format", "json").stdout.strip() == "[]"
    assert said(place, "resume", "--account", "shop", "--kind", "promotion").exit_code == 0


def test_the_same_line_user_is_another_customer_in_each(two: Two, place: Place) -> None:
    shop, salon = two
    customer, user = shop.new_customer()
    shop.befriend(customer, user)
    salon.befriend(f"{customer}-of-the-salon", user)
    shown = {
        name: json.loads(said(place, "links", "show", user, "--account", name, "--format", "json").stdout)
        for name in ("shop", "salon")
    }
    assert [(one["account"], one["customer_id"], one["status"]) for (one,) in shown.values()] == [
        ("shop", customer, "linked"),
        ("salon", f"{customer}-of-the-salon", "linked"),
    ]
    shop.post(shop.event(customer, "line_unlinked", line_user_id=user))
    shop.clock.settle()
    (left,) = json.loads(said(place, "links", "show", user, "--account", "salon", "--format", "json").stdout)
    assert left["status"] == "linked"
    mine = {one.send_id for one in shop.sends_of(customer)}
    theirs = {one.send_id for one in salon.sends_of(f"{customer}-of-the-salon")}
    assert mine
    assert theirs
    assert not mine & theirs


def test_time_moves_for_both(two: Two, place: Place) -> None:
    shop, salon = two
    shop.pass_time(hours=1)
    record = place.read_record()
    assert {record["clock"], *(one["clock"] for one in record["accounts"].values())} == {record["clock"]}
    assert shop.stores.now() == salon.stores.now() == shop.clock.now


def test_a_key_or_a_signature_of_one_opens_no_door_of_the_other(two: Two) -> None:
    for mine, other in (two, two[::-1]):
        body: dict[str, Any] = {"events": []}
        assert other.post_raw(body, key=mine.record["ingest_key"]).status == 401
        raw = json.dumps({"destination": "U8e742f61d673b39c7fff3cecb7536ef0", "events": []}).encode()
        digest = hmac.new(mine.record["channel_secret"].encode(), raw, hashlib.sha256).digest()
        signature = base64.b64encode(digest).decode()
        assert other.post_webhook(raw, signature).status == 401
        assert mine.post_webhook(raw, signature).status == 200
        answer = urllib3.request(
            "POST", f"{other.record['line_url']}/v2/bot/message/push", json={"to": "U" + "0" * 32, "messages": []},
            headers={"authorization": f"Bearer {mine.record['access_token']}"},
        )  # fmt: skip
        assert answer.status == 401


def test_what_one_account_signed_the_other_refuses(two: Two) -> None:
    def keys(shop: Shop) -> Any:
        secret = shop.stores.settings.secret_link
        return json.loads(
            shop.stores.target.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
        )["keys"]

    shop, salon = two
    assert not set(keys(shop)) & set(keys(salon))
