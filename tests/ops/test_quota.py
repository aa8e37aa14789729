"""`musubi quota`: what is left, and the month counted anew."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from functions.domain.gate import Claim, ClaimState
from functions.domain.money import Count, LineUsage
from functions.domain.playbook import Price
from functions.domain.sends import Outcome, SendRecord
from ops.quota import messages_of
from ops.stores import Stores
from tests.aws.samples import NOW, record
from tests.fakes.playbooks import campaign, playbook
from tests.fakes.world import World, jst
from tests.ops.stopped import commanded, run, trail

MONTH = "month#2026-11"
NEWS = msgspec.structs.replace(campaign("news", segment="everybody", once=jst(11, 3, 12)), yen_max=300)
BOOK = msgspec.structs.replace(
    playbook(campaigns={"sale": NEWS}, caps=[]),
    price=Price(5_000, 5_000, 3, messages_max=6_000, yen_max=50_000),
)


@pytest.fixture(scope="module")
def world() -> World:
    """One campaign run has reached one customer."""
    found = World(BOOK)
    found.customer_with_line()
    found.advance(hours=30)
    found.run()
    assert [one.status for one in found.records()] == ["sent"]
    return found


@pytest.fixture
def stores(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    with commanded(world, monkeypatch, "quota") as found:
        yield found


def asked(capsys: pytest.CaptureFixture[str], *more: str) -> Any:
    code, out, _ = run(capsys, "quota", "--format", "json", *more)
    assert code == 0
    return json.loads(out)


def test_a_month_of_which_nothing_is_known_is_all_left(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    found = asked(capsys)
    assert (found["month"], found["used"], found["line_used"], found["told_at"]) == ("2026-11", 0, None, None)
    assert found["limit"] == {"messages": 6_000, "reason": "over_quota"}
    assert found["left"] == {"prompt": 6_000, "scenario": 5_700, "campaign": 5_400}


def test_limits_both_counts_and_what_is_left_are_shown(
    stores: Stores, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    stores.allowances.reserve(MONTH, 5_450, None, None, world.now)
    stores.allowances.note(MONTH, LineUsage(5_800, 5_500), Count(5_440), world.now)
    found = asked(capsys)
    assert found["limit"] == {"messages": 5_800, "reason": "over_quota"}
    assert (found["used"], found["line_used"], found["taken"], found["yen"]) == (5_450, 5_500, 5_510, 6_530.0)
    assert found["left"] == {"prompt": 290, "scenario": 0, "campaign": 0}
    code, out, _ = run(capsys, "quota")
    assert code == 0
    for told in ("5,800 (over_quota)", "5,450", "5,500", "5,510", "¥6,530", "290"):
        assert told in out


def test_without_limits_nothing_runs_out(stores: Stores, capsys: pytest.CaptureFixture[str]) -> None:
    stores.playbooks.apply(msgspec.structs.replace(BOOK, price=Price(), version="free"))
    found = asked(capsys)
    assert (found["limit"], set(found["left"].values()), found["campaigns"]) == (None, {None}, [])
    assert "no limit" in run(capsys, "quota")[1]


def test_every_run_of_a_campaign_with_a_budget_is_shown(
    stores: Stores, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    [source] = world.runs.targeted
    stores.allowances.reserve(f"run#{source}", 40, 100, None, world.now)
    assert asked(capsys)["campaigns"] == [
        {"run": source, "yen_max": 300, "yen": 120.0, "messages": 40, "left": 60}
    ]
    assert source in run(capsys, "quota")[1]


def test_a_recount_sets_right_what_leaked(
    stores: Stores, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    stores.allowances.reserve(MONTH, 25, None, None, world.now - dt.timedelta(minutes=15))
    assert asked(capsys, "--recount")["used"] == 1
    [entry] = trail(stores, "recount")
    assert (entry["month"], entry["before"], entry["after"]) == ("2026-11", 25, 1)
    assert asked(capsys, "--recount")["used"] == 1


def test_while_messages_go_nothing_is_recounted(
    stores: Stores, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    stores.allowances.reserve(MONTH, 25, None, None, world.now - dt.timedelta(minutes=14))
    code, _, err = run(capsys, "quota", "--recount")
    assert (code, err.count("\n")) == (2, 1)
    assert "stop sending" in err
    assert stores.allowances.count(MONTH).used == 25


def test_what_is_reserved_while_it_counts_spoils_the_recount(
    stores: Stores, world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def counting(*_: object) -> set[str]:
        stores.allowances.reserve(MONTH, 1, None, None, world.now)
        return set()

    monkeypatch.setattr("ops.quota.messages_of", counting)
    code, _, err = run(capsys, "quota", "--recount")
    assert code == 2
    assert "while they were counted" in err
    assert stores.allowances.count(MONTH).used == 1


# --- what counts


def claim(send_id: str, state: ClaimState = "open", days: int = 0) -> Claim:
    at = NOW + dt.timedelta(days=days)
    return Claim(send_id, "path/1", "offer", "U1", "hash", at, at, at, state=state)


def ended(send_id: str, status: Outcome = "sent", days: int = 0) -> SendRecord:
    one = record(status=status)
    return msgspec.structs.replace(one, send_id=send_id, at=NOW + dt.timedelta(days=days))


def test_what_was_accepted_may_have_been_or_is_under_way_counts_once() -> None:
    claims = [claim("both"), claim("under way"), claim("unsure", "unknown"), claim("refused", "failed")]
    records = [
        ended("both"),
        ended("log alone"),
        ended("unsure", "unknown"),
        ended("refused", "failed"),
        ended("stopped", "suppressed"),
    ]
    assert messages_of("2026-11", claims, records) == {"both", "under way", "log alone", "unsure"}


def test_other_months_do_not_count() -> None:
    claims, records = [claim("old", days=-3), claim("next", days=40)], [ended("before", days=-3)]
    assert messages_of("2026-11", claims, records) == set()


def test_what_was_claimed_last_month_and_accepted_in_this_one_counts() -> None:
    assert messages_of("2026-11", [claim("midnight", days=-3)], [ended("midnight")]) == {"midnight"}
