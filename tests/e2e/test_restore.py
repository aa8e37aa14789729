"""All six tables are lost while messages are under way, and put back: nothing is lost, nothing is said twice, and nobody
hears from us who has had enough since, or was erased since."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from functions.ports.messages import CampaignRun
from ops.backups.keeping import TABLES, table_name
from ops.errors import UserError
from ops.line_sandbox.faults import FaultRule
from ops.local.clock import LocalClock
from ops.local.commands import after_deploy
from ops.local.down import bring_down
from ops.local.facts import WaitingFacts
from ops.local.place import Place
from ops.local.up import Wishes, bring_up
from ops.stores import Stores
from tests.e2e.conftest import next_morning
from tests.e2e.shop import Shop
from tests.e2e.test_accounts import begun_early
from tests.e2e.test_main_job import next_local

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop of its own: its tables are wiped."""
    place = Place(tmp_path_factory.mktemp("restore"))
    target = bring_up(Wishes(place=place, at=next_morning()), after_deploy)
    yield Shop(place.read_record(), LocalClock(place, target), Stores(target))
    bring_down(place)


def asked(shop: Shop, *arguments: str) -> Any:
    answer = shop.musubi(*arguments, "--format", "json")
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def wipe(shop: Shop) -> int:
    """Delete every row of every table; how many there were."""
    client, deleted = shop.stores.target.client("dynamodb"), 0
    for table in TABLES:
        name = table_name(shop.stores, table)
        for page in client.get_paginator("scan").paginate(TableName=name):
            for row in page["Items"]:
                client.delete_item(TableName=name, Key={key: row[key] for key in ("pk", "sk") if key in row})
                deleted += 1
    return deleted


def erase(shop: Shop, customer: str) -> None:
    code = asked(shop, "erase", customer)["code"]
    asked(shop, "erase", customer, "--confirm", code, "--why", "asked")


def steps(shop: Shop, customer: str) -> dict[str, str]:
    return {one.step: one.status for one in shop.sends_of(customer)}


People = dict[str, tuple[str, str]]


def known(shop: Shop) -> People:
    """Customers by what is to become of them, the buyers among them with a follow-up under way."""
    names = ("buyer", "late", "opted", "left", "gone", "unheard", "silent", "met", "tied")
    people = {name: shop.new_customer() for name in names}
    for name, (customer, user) in people.items():
        if name not in ("silent", "met", "tied"):
            shop.befriend(customer, user)
    shop.line.follow(people["tied"][1])
    shop.post(*(shop.purchase(people[name][0]) for name in ("buyer", "opted", "left", "gone", "unheard")))
    return people


def unanswered(shop: Shop, user: str) -> None:
    """LINE takes what is pushed to this user from now on, and nobody hears of it."""
    shop.line.faults([FaultRule(kind="accept_then_drop", endpoint="push", user=user, share=1.0)])


def what_comes_after_the_backup(shop: Shop, people: People) -> None:
    """A journey begins, a campaign goes out, somebody withdraws, blocks, is erased, is met, and follow-ups are sent, one of
    them without LINE's answer."""
    withdrawn = shop.event(people["opted"][0], "consent_withdrawn", purpose="all")
    shop.post(shop.purchase(people["late"][0]), withdrawn)
    tied, user = people["tied"]
    shop.post(shop.linked(tied, user), shop.purchase(tied))
    shop.line.block(people["left"][1])
    shop.line.follow(people["met"][1])
    shop.clock.settle()
    run = begun_early(shop, shop.clock.now)
    shop.stores.evaluation.again(CampaignRun(run.campaign, run.occurrence))
    shop.clock.settle()
    erase(shop, people["gone"][0])
    unanswered(shop, people["unheard"][1])
    next_local(shop, 10)
    assert steps(shop, people["buyer"][0])["day1_support"] == "sent"
    assert "day1_support" not in steps(shop, people["unheard"][0]), "LINE has not answered yet"
    shop.line.clear_faults()
    WaitingFacts(shop.stores.target).settle()


def copies(shop: Shop, people: People) -> dict[str, int]:
    return {name: shop.copies(user) for name, (_, user) in people.items()}


def test_all_tables_are_lost_and_put_back(shop: Shop) -> None:
    next_local(shop, 11)
    people = known(shop)
    next_local(shop, 18)
    unanswered(shop, people["silent"][1])
    shop.line.follow(people["silent"][1])
    shop.clock.settle()
    backup = asked(shop, "backups", "create", "--why", "a rehearsal")
    what_comes_after_the_backup(shop, people)
    before, sent = copies(shop, people), shop.accounts().sent

    assert wipe(shop) > 50
    shop.post(shop.purchase(people["buyer"][0]))  # whoever is heard of meanwhile begins anew
    shop.clock.settle()
    with pytest.raises(UserError, match="not stopped"):
        shop.musubi("backups", "restore", backup["backup"])
    assert shop.musubi("stop", "--why", "restoring").exit_code == 0
    seen = asked(shop, "backups", "restore", "latest", "--dry-run")
    assert (seen["sends_since"] > 0, seen["erased_kept_out"] > 0) == (True, True)
    assert shop.stores.customers.load(people["late"][0]) is None, "a dry run changes nothing"
    done = asked(shop, "backups", "restore", backup["backup"])
    assert done["settled"]
    assert shop.musubi("audit").exit_code == 0
    assert copies(shop, people) == before, "nothing is sent before it is resumed"

    assert shop.musubi("resume").exit_code == 0
    shop.clock.settle()
    assert copies(shop, people) == before, "nothing that LINE had taken is sent again"
    assert steps(shop, people["unheard"][0])["day1_support"] == "sent"
    assert steps(shop, people["silent"][1])["welcome"] == "sent"
    assert shop.accounts().sent >= sent
    shop.pass_time(days=8)
    goes_on_as_if_nothing_had_happened(shop, people, before)


def goes_on_as_if_nothing_had_happened(shop: Shop, people: People, before: dict[str, int]) -> None:
    for name in ("late", "unheard", "tied"):
        found = steps(shop, people[name][0])
        why = [(one.step, one.status, one.reason, one.at) for one in shop.sends_of(people[name][0])]
        assert (found["day1_support"], found["day7_related"]) == ("sent", "sent"), (name, why)
        assert [link["line_user_id"] for link in shop.card(people[name][0])["links"]] == [people[name][1]]
    journeys = {one["scenario"]: one["status"] for one in shop.card(people["buyer"][0])["journeys"]}
    assert journeys["second_purchase"] == "goal", "what was bought while the tables were gone counts"
    assert {name: shop.copies(people[name][1]) for name in ("opted", "left", "gone")} == {
        name: before[name] for name in ("opted", "left", "gone")
    }
    assert shop.stores.customers.load(people["gone"][0]) is None
    assert shop.musubi("audit").exit_code == 0
    assert shop.musubi("explain", "--all").exit_code == 0
    report = shop.line.report(with_users=False)
    assert (report.duplicates, report.sandbox_errors) == (0, [])
    assert shop.accounts().is_closed
