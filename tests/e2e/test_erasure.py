"""A person who has been through everything is erased on the real bundle, while the workers work."""

import json

import pytest

from functions.domain.line_events import anonymous_id
from functions.ports.messages import CampaignRun
from tests.e2e.shop import Shop, wait_until
from tests.e2e.test_accounts import begun_early
from tests.e2e.test_main_job import next_local
from tests.ops.erasing.planted import mentions

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("nights")]
NAME, PHONE = "佐久間いずみ", "090-8765-4321"  # nobody else's in this folder


def test_nothing_is_left_of_a_person_who_was_everywhere_and_nothing_brings_them_back(shop: Shop) -> None:
    next_local(shop, 11)
    customer, user = shop.new_customer()
    other, former = shop.new_customer()
    shop.befriend(customer, user)
    shop.befriend(customer, former)
    shop.post(shop.event(customer, "profile_updated", first_name=NAME, phone=PHONE), shop.purchase(customer))
    shop.post(shop.event(customer, "line_unlinked", line_user_id=former))
    shop.clock.settle()
    shop.line.message(former, f"my number is {PHONE}")
    shop.post(shop.linked(other, user), shop.purchase(other))  # a conflict
    shop.post(shop.event(customer, "teleported", note=NAME), shop.event(other, "teleported", note="x"))
    shop.clock.settle()
    run = begun_early(shop, shop.clock.now)
    shop.stores.evaluation.again(CampaignRun(run.campaign, run.occurrence))
    shop.clock.settle()
    sqs, outputs = shop.stores.target.client("sqs"), shop.stores.target.outputs
    sqs.send_message(
        QueueUrl=outputs["DeadSendUrl"], MessageBody=json.dumps({"customer_id": customer, "to": user})
    )
    secrets = (f'"{customer}"', user, former, NAME, PHONE, json.dumps(NAME)[1:-1])
    places = mentions(shop.stores, secrets)
    assert len(places) >= 8
    assert any("runs/" in place for place in places), "the person is on the campaign's frozen list"

    seen = json.loads(shop.musubi("erase", customer, "--format", "json").stdout)
    assert {customer, user, former} <= set(seen["ids"])
    told = shop.musubi(
        "erase", customer, "--confirm", seen["code"], "--why", "asked by mail", "--format", "json"
    )
    assert told.exit_code == 0, told.output
    assert mentions(shop.stores, secrets) == []
    assert mentions(shop.stores, (f'"{other}"',)) != []

    delivered = shop.copies(user) + shop.copies(former)
    shop.post(
        shop.purchase(customer), shop.linked(customer, user), shop.event(customer, "teleported", note=NAME)
    )
    shop.line.message(user, PHONE)
    shop.line.block(user)
    shop.line.unblock(user)
    shop.clock.settle()
    shop.pass_time(days=2)
    assert mentions(shop.stores, secrets) == []
    assert shop.stores.customers.load(customer) is None
    assert shop.stores.customers.load_gate(anonymous_id(user)) is None
    assert shop.copies(user) + shop.copies(former) == delivered
    wait_until(lambda: "Genuine" in _verified(shop, json.loads(told.stdout)["erasure"]))


def _verified(shop: Shop, erasure: str) -> str:
    file = shop.run_dir / "proof.json"
    file.write_text(shop.musubi("erase", "--proof", erasure).stdout, encoding="utf-8")
    return shop.musubi("erase", "--verify", str(file)).output
