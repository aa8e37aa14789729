"""Approval on the running engine: a campaign waits for a second person, under the rights that its function has."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.bundle import ROOT
from ops.errors import UserError
from tests.e2e.shop import Shop
from tests.e2e.test_main_job import next_local

pytestmark = pytest.mark.e2e


@pytest.fixture
def careful(shop: Shop, tmp_path: Path) -> Iterator[Path]:
    """The shop's playbook where every campaign waits; ec is in force again at the end, whatever happens."""
    directory = tmp_path / "ec"
    shutil.copytree(ROOT / "playbooks" / "ec", directory)
    with (directory / "playbook.yaml").open("a", encoding="utf-8") as settings:
        settings.write("\napproval: {above: 0}\n")
    yield directory
    shop.apply(str(ROOT / "playbooks" / "ec"))


def test_a_campaign_above_the_size_goes_when_somebody_else_approves_it(shop: Shop, careful: Path) -> None:
    next_local(shop, 11, weekday=0)
    customer, user = shop.new_customer()
    shop.link(customer, user)
    shop.post(shop.purchase(customer), shop.purchase(customer))
    shop.apply(str(careful))
    next_local(shop, 13, weekday=4)
    (asked,) = json.loads(shop.musubi("approvals", "--format", "json").stdout)
    assert asked["run"].startswith("weekly@")
    assert shop.sends_of(customer, "weekly") == []
    with pytest.raises(UserError, match="applied this playbook"):
        shop.musubi("approve", asked["run"])
    agreed = shop.musubi("approve", asked["run"], "--hash", asked["hash"], "--as", "a second person")
    assert agreed.exit_code == 0, agreed.output
    shop.clock.settle()
    assert [record.status for record in shop.sends_of(customer, "weekly")] == ["sent"]
    assert shop.musubi("apply", "--previous").exit_code == 0
    shop.pass_time(days=2)
    assert len(shop.sends_of(customer, "weekly")) == 1
