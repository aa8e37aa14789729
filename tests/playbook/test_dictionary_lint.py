"""The lint of events.yaml: verbs, windows and corrections, each rule on a playbook that breaks it."""

from pathlib import Path

import pytest

from functions.playbook import load_playbook
from tests.playbook.test_lint import Folder

EVENTS = """\
purchase:
  meaning: an order was paid
  as: orders
  verb: bought
  keep: 90d
  properties:
    order_id: {type: string, required: true}
    amount: {type: number, sum: true}
    category: {type: string, index: true}
    birthday: {type: date, attribute: true}
item_returned:
  meaning: a part of it came back
  as: returns
  amends: {event: purchase, by: order_id, less: {refund: amount}}
  properties:
    order_id: {type: string, required: true}
    refund: {type: number}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    folder.write("events.yaml", EVENTS)
    return folder


def test_verbs_windows_and_corrections_are_compiled(folder: Folder) -> None:
    folder.change(
        "segments.yaml",
        "buyers: orders.count >= 1",
        'buyers: orders.count_in(days=90) >= 1 and bought("hair") and is_month_of(birthday)',
    )
    playbook = load_playbook(folder.path)
    purchase, returned = playbook.events["purchase"], playbook.events["item_returned"]
    assert (purchase.verb, purchase.keep_days) == ("bought", 90)
    assert returned.amends is not None
    assert (returned.amends.event, returned.amends.by, returned.amends.less) == (
        "purchase",
        "order_id",
        {"refund": "amount"},
    )
    assert playbook.segments["buyers"].when == [
        "and",
        ["cmp", ">=", ["count_in", "orders", 90 * 86_400], ["const", 1]],
        ["had", "orders", ["category"], "hair"],
        ["month_of", ["date", ["attribute", "birthday"]]],
    ]


def test_a_longer_window_than_is_kept_is_told_with_its_line_and_how_to_mend_it(folder: Folder) -> None:
    folder.change("segments.yaml", "buyers: orders.count >= 1", "buyers: orders.count_in(days=180) >= 1")
    assert (
        "segments.yaml:1: buyers: orders keeps single occurrences for 90 days; "
        "write keep: 180d on purchase in events.yaml (at character 1)"
    ) in folder.faults


@pytest.mark.parametrize(
    ("old", "new", "line", "part"),
    [
        ("verb: bought", "verb: linked", 4, "meaning of its own"),
        ("verb: bought", "verb: orders", 4, "a word in purchase already"),
        ("verb: bought", "verb: tag_added", 4, "a word in tag_added already"),
        ("as: returns", "as: bought_in", 4, "bought_in is a word in item_returned already"),
        ("category: {type: string, index: true}", "category: {type: string}", 4, "index: true"),
        ("birthday: {type", "bought: {type", 10, "name of an event or a verb"),
        ("keep: 90d", "keep: 36h", 5, "whole days"),
        ("keep: 90d", "keep: 401d", 5, "at most 400d"),
        ("event: purchase, by", "event: purchases, by", 14, "did you mean purchase?"),
        ("event: purchase, by", "event: item_returned, by", 14, "a correction itself"),
        ("by: order_id, less", "by: order, less", 14, "purchase has no property order; did you mean order_id?"),
        ("{refund: amount}", "{refunds: amount}", 14, "refunds is no number of item_returned"),
        ("{refund: amount}", "{refund: category}", 14, "category is not summed on purchase"),
        ("item_returned:", "consented:", 11, "meaning of its own"),
        ("item_returned:", "item-returned:", 11, "cannot be read in a segment"),
    ],
)  # fmt: skip
def test_a_fault_of_the_dictionary_is_told_on_its_line(
    folder: Folder, old: str, new: str, line: int, part: str
) -> None:
    folder.change("events.yaml", old, new)
    if new == "consented:":
        folder.change("events.yaml", "  as: returns\n", "")
    found = [fault for fault in folder.faults if fault.startswith(f"events.yaml:{line}: ")]
    assert any(part in fault for fault in found), folder.faults
