"""A person taps a link in a message that was delivered, and the shop knows; a machine does not count; forgeries lead nowhere."""

import gzip
import json
import re

import pytest
import urllib3

from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari Line/15.9.0"
POKER = "facebookexternalhit/1.1;line-poker/1.0"


def opened(url: str, user_agent: str = PHONE, method: str = "GET") -> urllib3.BaseHTTPResponse:
    return urllib3.request(method, url, headers={"user-agent": user_agent}, redirect=False)


def links_to(shop: Shop, user: str) -> list[str]:
    """The tracked addresses in what this user was shown."""
    shown = json.dumps([one.messages for one in shop.line.deliveries(user) if one.delivered])
    return list(dict.fromkeys(re.findall(rf'"({re.escape(shop.record["click_url"])}/[^"]+)"', shown)))


def reader(shop: Shop) -> tuple[str, str, list[str]]:
    """A customer who bought and was sent a message with buttons a week later."""
    customer, user = shop.new_customer()
    shop.befriend(customer, user)
    shop.post(shop.purchase(customer))
    shop.clock.settle()
    shop.pass_time(days=8)
    links = links_to(shop, user)
    assert links, shop.card(customer)["sends"]
    return customer, user, links


def test_a_tap_leads_to_the_shop_and_is_known_of_the_customer(shop: Shop) -> None:
    customer, user, links = reader(shop)
    preview, head = opened(links[0], POKER), opened(links[0], method="HEAD")
    assert (preview.status, head.status) == (302, 302)
    shop.clock.settle()
    assert not {"clicked_recently"} & set(shop.card(customer)["segments"])

    answer = opened(links[0])
    assert answer.status == 302
    assert answer.headers["location"].startswith("https://shop.example.com/")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    shop.clock.settle()
    assert "clicked_recently" in shop.card(customer)["segments"]

    events = [one for one in shop.stores.events.all_of(customer) if one.name.startswith("link_")]
    assert sorted(one.name for one in events) == ["link_clicked", "link_previewed", "link_previewed"]
    (tap,) = [one for one in events if one.name == "link_clicked"]
    sends = {one["send_id"]: one for one in shop.card(customer)["sends"]}
    send = sends[tap.properties["send_id"]]
    assert (tap.properties["scenario"], tap.properties["step"]) == (send["scenario"], send["step"])
    assert tap.properties["agent"] == "person"
    assert user not in links[0]


def test_forged_and_expired_links_lead_nowhere(shop: Shop) -> None:
    customer, _, links = reader(shop)
    base, token = shop.record["click_url"], links[0].rpartition("/")[2]
    for forged in (token[:-1], f"x{token[1:]}", "x", token.replace(".", "", 1)):
        answer = opened(f"{base}/{forged}")
        assert (answer.status, answer.headers.get("location")) == (404, None), forged
        assert "このリンクは使えません" in answer.data.decode()
    shop.pass_time(days=31)
    answer = opened(links[0])
    assert (answer.status, answer.headers.get("location")) == (410, None)
    shop.clock.settle()
    assert [one for one in shop.stores.events.all_of(customer) if one.name == "link_clicked"] == []


def test_line_counts_what_was_opened_under_the_units_that_messages_bear(shop: Shop) -> None:
    _, user, _ = reader(shop)
    units = [one.unit for one in shop.line.deliveries(user) if one.endpoint == "push"]
    assert units
    assert all(re.fullmatch(r"m\d{6}_[0-9a-f]{20}", unit) for unit in units), units
    target = shop.stores.target
    answer = target.client("lambda").invoke(FunctionName=target.output("FunctionInsight"), Payload=b"{}")
    told = json.loads(answer["Payload"].read())
    assert "left" in told, told
    listed = target.client("s3").list_objects_v2(Bucket=target.output("Bucket"), Prefix="facts/raw/insight/")
    rows = [
        json.loads(line)
        for one in listed["Contents"]
        for line in gzip.decompress(
            target.client("s3").get_object(Bucket=target.output("Bucket"), Key=one["Key"])["Body"].read()
        ).splitlines()
    ]
    # A single reader: LINE tells nothing of fewer than twenty, and nothing is no zero.
    assert {row["unit"] for row in rows} >= set(units)
    assert {row["opened"] for row in rows} == {None}
