"""A campaign on the engine, watched from freezing to finished, with somebody held, then unknown, then resolved."""

import datetime as dt
import json
from typing import Any

import pytest

from functions.aws.objects import S3Runs
from functions.domain.campaigns import Run
from functions.domain.instants import Instant
from ops.line_sandbox.faults import FaultRule
from tests.e2e.shop import Shop
from tests.e2e.test_main_job import TOKYO, next_local

pytestmark = pytest.mark.e2e

FRIDAY = 4


@pytest.fixture(autouse=True)
def _no_faults_left(shop: Shop) -> object:
    yield
    shop.line.clear_faults()


def asked(shop: Shop, *arguments: str) -> Any:
    answer = shop.musubi(*arguments, "--format", "json")
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def balanced(shop: Shop, source: str) -> dict[str, Any]:
    """The run's only row, of which the sum must be right at any time."""
    told = asked(shop, "sends", "--campaign", source)
    (row,) = told["rows"]
    ended = row["sent"] + sum(row["suppressed"].values()) + row["failed"] + row["unknown"]
    assert row["targeted"] == ended + row["pending"]
    assert told["finished"] == row["finished"]
    found: dict[str, Any] = row
    return found


def begun_early(shop: Shop, at: Instant) -> Run:
    """The run as a worker left it that froze no page: whoever comes at its hour goes on with it."""
    version = shop.stores.playbooks.in_force().version
    return S3Runs(shop.stores.objects).freeze_run(Run("weekly", at, version, at, 4))


def test_a_campaign_is_followed_from_freezing_to_finished_and_its_unknown_end_is_resolved(shop: Shop) -> None:
    next_local(shop, 11, weekday=FRIDAY)
    at = shop.clock.now.astimezone(TOKYO).replace(hour=12).astimezone(dt.UTC)
    people = [shop.new_customer() for _ in range(3)]
    for customer, user in people:
        shop.link(customer, user)
        shop.post(shop.purchase(customer), shop.purchase(customer))
    shop.clock.settle()
    victim, victim_user = people[0]
    run = begun_early(shop, at)
    frozen = balanced(shop, run.source)
    assert (frozen["state"], frozen["finished"]) == ("freezing", False)
    assert "4 of 4 scan segments are not frozen" in frozen["missing"][0]

    shop.line.faults([FaultRule(kind="error_500", user=victim_user)])
    shop.pass_time(hours=1)
    running = balanced(shop, run.source)
    assert (running["state"], running["finished"]) == ("running", False)
    assert running["targeted"] >= len(people)
    assert "no_answer" in {one["reason"] for one in running["held"]}
    missed = {row["customer_id"]: row for row in asked(shop, "sends", "--campaign", run.source, "--missed")}
    assert (missed[victim]["status"], missed[victim]["reason"]) == ("held", "no_answer")

    shop.pass_time(days=2)
    shop.line.clear_faults()
    finished = balanced(shop, run.source)
    assert (finished["state"], finished["finished"], finished["pending"]) == ("finished", True, 0)
    copies = shop.copies(victim_user)
    rows = asked(shop, "unknown", "list", "--campaign", run.source)
    (row,) = [row for row in rows if row["customer_id"] == victim]
    assert row["key_age_seconds"] >= 23 * 3600

    resolved = shop.musubi(
        "unknown", "resolve", row["send_id"], "--as", "failed", "--why", "they never got it"
    )
    assert resolved.exit_code == 0, resolved.output
    after = balanced(shop, run.source)
    assert after["finished"]
    assert (after["failed"], after["unknown"]) == (finished["failed"] + 1, finished["unknown"] - 1)
    (send,) = [one for one in shop.explained(victim)["sends"] if one["send_id"] == row["send_id"]]
    assert send["resolved"]["why"] == "they never got it"
    shop.pass_time(days=1)
    assert shop.copies(victim_user) == copies
