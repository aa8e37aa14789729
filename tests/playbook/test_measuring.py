"""The section `measure`: what it comes to, and what of it cannot be right."""

from pathlib import Path

import msgspec
import pytest

from functions.domain import playbook as pb
from functions.playbook import load_playbook
from tests.playbook.test_lint import SOUND, Folder

DAY_SECONDS = 86_400
COUPON = """\
coupon_used:
  meaning: a coupon was used
  properties: {coupon_id: {type: string}, amount: {type: number, sum: true}}
order_cancelled:
  meaning: an order was taken back
  amends: {event: purchase, by: order_id}
  properties: {order_id: {type: string, required: true}}
"""
FULL = """\
measure:
  order: purchase
  gross_profit: {margin: 40%}
  coupon_cost: {event: coupon_used, value: amount}
  dormant: 90d
  goals:
    second: {event: purchase, when_number: 2, within: 30d}
    coupon: {event: coupon_used}
"""
LINE = len(SOUND["playbook.yaml"].splitlines()) + 1


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    folder.write("events.yaml", SOUND["events.yaml"] + COUPON)
    return folder


def written(folder: Folder, measure: str) -> Folder:
    folder.write("playbook.yaml", SOUND["playbook.yaml"] + measure)
    return folder


def test_what_is_left_out_comes_from_the_dictionary(folder: Folder) -> None:
    assert written(folder, FULL).faults == []
    assert load_playbook(folder.path).measure == pb.Measure(
        order="purchase",
        id="order_id",
        value="amount",
        category="category",
        margin_percent=40.0,
        coupon_event="coupon_used",
        coupon_value="amount",
        dormant_seconds=90 * DAY_SECONDS,
        goals={
            "second": pb.Goal("purchase", 30 * DAY_SECONDS, 2),
            "coupon": pb.Goal("coupon_used", 7 * DAY_SECONDS),
        },
    )


def test_without_the_section_what_segments_read_as_orders_is_one(folder: Folder) -> None:
    measure = load_playbook(folder.path).measure
    assert (measure.order, measure.id, measure.value) == ("purchase", "order_id", "amount")
    assert measure.goals == {"purchase": pb.Goal("purchase", 7 * DAY_SECONDS)}


def test_a_playbook_compiled_before_there_was_the_section_measures_nothing(folder: Folder) -> None:
    compiled = msgspec.to_builtins(load_playbook(folder.path))
    del compiled["measure"]
    assert msgspec.convert(compiled, pb.Playbook).measure == pb.Measure()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("order: purchase", "order: purchse", "there is no event 'purchse'; did you mean 'purchase'?"),
        ("order: purchase", "order: order_cancelled", "order_cancelled is a correction; name purchase"),
        ("  dormant", "  id: order\n  dormant", "purchase has no property 'order'; did you mean 'order_id'?"),
        (
            "  dormant",
            "  value: category\n  dormant",
            "category of purchase is a string; name one that is a number",
        ),
        ("margin: 40%", "margin: 0.4", "write"),
        ("{margin: 40%}", "{}", "write margin: 40%, or property: gross_profit; one of the two"),
        ("coupon_used, value: amount", "coupon_used, value: yen", "coupon_used has no property 'yen'"),
        ("coupon_used}", "coupon_used, when_number: 2}", "only orders are numbered, and coupon_used is none"),
        ("within: 30d", "within: 91d", "write 90d or less"),
    ],
)
def test_what_cannot_be_right_is_told(folder: Folder, old: str, new: str, told: str) -> None:
    assert old in FULL
    faults = written(folder, FULL.replace(old, new, 1)).faults
    assert any(told in fault and fault.startswith("playbook.yaml:") for fault in faults), faults


def test_a_fault_names_its_line(folder: Folder) -> None:
    faults = written(folder, FULL.replace("event: coupon_used}", "event: coupn_used}")).faults
    assert [fault.split(": ")[0] for fault in faults] == [f"playbook.yaml:{LINE + 7}"]


def test_profit_that_is_all_of_revenue_is_doubted(folder: Folder) -> None:
    written(folder, FULL.replace("  gross_profit: {margin: 40%}\n", ""))
    assert any("all of it counts as profit" in warning for warning in folder.warnings)


def test_an_experiment_measures_by_a_goal_that_there_is(folder: Folder) -> None:
    written(folder, FULL)
    folder.change(
        "scenarios/second.yaml",
        "  - send: {name: offer, message: offer, expires_after: 5d}\n",
        "  - split:\n      experiment: days\n      variants:\n"
        "        a: [{wait: {for: 1d}}, {send: {name: offer, message: offer}}]\n"
        "        b: [{wait: {for: 2d}}, {send: {name: offer_b, message: offer}}]\n",
    )
    experiment = "days:\n  changes: timing\n  variants: {a: 1, b: 1}\n  measures: second\n"
    folder.write("experiments.yaml", experiment)
    assert folder.faults == []
    assert load_playbook(folder.path).experiments["days"].measures == "second"
    folder.write("experiments.yaml", experiment.replace("second", "secnd"))
    assert folder.faults == [
        "experiments.yaml:4: measure of playbook.yaml has no goal 'secnd'; did you mean 'second'?"
    ]
