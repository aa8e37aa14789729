"""What stands beside a decision in the send log."""

from typing import Any

import msgspec
import pytest

from functions.domain.account import UNTIL_LIFTED, Block
from functions.domain.arbitration import Upcoming
from functions.domain.claims import Allow, decide
from functions.domain.gate import Gate, with_facts
from functions.domain.instants import MINUTE
from functions.domain.playbook import Cap
from functions.domain.sends import Intent, record_of
from functions.domain.trace import Facts
from tests.domain.strategies import DAY, HOUR, NOON, WEEK, event, intent, linked_gate
from tests.domain.verdicts import CONTENT, DAY_SECONDS, WEEKLY, contacted, decided, rules, situation

MARKETING = rules(caps=[WEEKLY], consent={"promotion": ["marketing"]}, exclusions={"inquiry": ["promotion"]})
WRITE_UNIT = 1024


def agreed(**more: Any) -> Gate:
    return with_facts(linked_gate(**more), [event("consent_given", purpose="marketing")])


def facts(one: Intent, gate: Gate, **around: Any) -> Facts:
    return decided(one, gate, MARKETING, **around).facts


def test_an_allowed_send_says_by_which_consent_at_what_local_time_and_what_counted() -> None:
    assert facts(intent(), agreed(contacts=contacted(NOON - 8 * DAY))) == {
        "local": "2026-11-20T12:00+09:00",
        "zone": "Asia/Tokyo",
        "rank": 10,
        "given": ["marketing"],
        "counted": {"weekly": [0]},
    }


def test_a_capped_one_names_the_contacts_that_counted() -> None:
    two = msgspec.structs.replace(WEEKLY, hold_seconds_max=0)
    gate = agreed(contacts=contacted(NOON - DAY, NOON - 2 * DAY))
    found = decide(intent(), gate, rules(caps=[two]), situation(), CONTENT, NOON).facts
    assert found["counted"] == {"weekly": [2, "2026-11-18T03:00:00Z", "2026-11-19T03:00:00Z"]}


def test_an_outranked_one_names_what_was_better() -> None:
    better = [Upcoming(NOON + DAY, "promotion", 1), Upcoming(NOON + HOUR, "promotion", 99)]
    assert facts(intent(), agreed(), upcoming=better)["better"] == [["2026-11-21T03:00:00Z", "promotion", 1]]
    assert "better" not in facts(intent(rank=0), agreed(), upcoming=better)


@pytest.mark.parametrize(
    ("around", "name", "told"),
    [
        ({"excluded": ["returns"]}, "excluded", ["returns"]),
        ({"eligible": False}, "ineligible", True),
        ({"confirmed": False}, "provisional", True),
        ({"holdout": True}, "holdout", True),
        ({"switched_off": True}, "off", True),
        (
            {
                "now": NOON + WEEK - 15 * MINUTE,
                "blocks": [
                    Block("over_quota", NOON + 9 * DAY),
                    Block("stopped", UNTIL_LIFTED),
                    Block("stopped", NOON),
                ],
            },
            "blocks",
            [["stopped", "account", ""], ["over_quota", "account", "2026-11-29T03:00:00Z"]],
        ),
    ],
)
def test_what_forbade_it_is_told(around: dict[str, Any], name: str, told: object) -> None:
    assert facts(intent(), agreed(), **around)[name] == told


def test_an_open_case_and_a_withdrawal_are_told() -> None:
    gate = with_facts(
        agreed(), [event("inquiry_opened", "i"), event("consent_withdrawn", "w", purpose="coupon")]
    )
    found = facts(intent(category="coupon"), gate)
    assert (found["open"], found["withdrawn"]) == (["inquiry"], ["coupon"])


def test_purposes_that_do_not_concern_the_message_are_not_told() -> None:
    gate = with_facts(agreed(), [event("consent_given", "x", purpose="花子さんの電話")])
    assert facts(intent(), gate)["given"] == ["marketing"]


def test_a_wait_decides_nothing_yet_and_tells_nothing() -> None:
    assert facts(intent(), agreed(contacts=contacted(NOON - 6 * DAY))) == {}


def test_a_resume_tells_what_it_rests_on_without_its_own_contact() -> None:
    allowed = decided(intent(), agreed(), MARKETING)
    assert isinstance(allowed.verdict, Allow)
    again = decided(intent(), allowed.gate, MARKETING, NOON + HOUR)
    assert again.facts["counted"] == {"weekly": [0]}


def test_however_much_there_is_to_tell_it_stays_small() -> None:
    caps = [Cap(f"a_cap_with_quite_a_long_name_{n}", ["promotion"], 1, 30 * DAY_SECONDS) for n in range(30)]
    gate = agreed(contacts=contacted(*(NOON - n * HOUR for n in range(300))))
    around = situation(
        upcoming=[Upcoming(NOON + n * HOUR, "promotion", 1) for n in range(40)],
        blocks=[Block("breaker_open", UNTIL_LIFTED, "scenario:a_scenario_with_quite_a_long_name")] * 40,
        excluded=[f"rule {n}" for n in range(40)],
        stale=[f"source {n}" for n in range(40)],
    )
    one, now = intent(hold_seconds_max=0, expires=15 * MINUTE), NOON + MINUTE
    found = decide(one, gate, rules(caps=caps), around, CONTENT, now).facts
    assert len(found["blocks"]) < 40
    assert len(msgspec.json.encode(found)) < WRITE_UNIT


def test_the_record_of_an_ordinary_send_fits_into_one_write_unit() -> None:
    """With ids of the usual lengths, four caps, two of them used, and a night's hold."""
    caps = [
        Cap(name, ["promotion"], 3, 7 * DAY_SECONDS)
        for name in ("promotion_weekly", "all_daily", "coupon", "x")
    ]
    one = intent(
        "first_purchase_path", "day14_coupon", line_user_id="U" + "0" * 32, message="day14_coupon", scenario="first_purchase_path"
    )  # fmt: skip
    one = msgspec.structs.replace(one, customer_id="0" * 36, message_hash="0" * 16, playbook="0" * 16)
    user = linked_gate(one.line_user_id, contacts=contacted(NOON - DAY, NOON - 2 * DAY))
    gate = with_facts(user, [event("consent_given", purpose="marketing")])
    by = rules(caps=caps[:2], consent={"promotion": ["marketing", "promotion"]})
    allowed = decide(one, gate, by, situation(), CONTENT, NOON)
    assert isinstance(allowed.verdict, Allow)
    record = record_of(one, "sent", "", NOON + HOUR, "0" * 36, allowed.facts)
    keys = len("pk" + "sk" + "body") + 2 * len(one.customer_id) + len("2026-11-20T03:00:00.123456Z#")
    assert len(msgspec.json.encode(record)) + keys <= WRITE_UNIT
    assert len(msgspec.json.encode(allowed.facts)) < 400
