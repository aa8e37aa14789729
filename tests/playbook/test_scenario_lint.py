"""The lint of scenarios' rules and of experiments: every rule on a playbook that breaks it."""

from pathlib import Path

import pytest

from functions.domain import playbook as pb
from functions.playbook import load_playbook
from tests.playbook.test_lint import Folder

RICH = """\
name: rich
desired_action: buy again
target: "30% → 35%"
owner: crm
on: true
priority: repurchase
entry: {segment: buyers, on: left, fresh_for: 2d}
reentry: after 30d
concurrency: {not_with: [second], replaces: []}
holdout: 10
migrate: {old_offer: offer_a}
steps:
  - set: {vip_since: "2026"}
  - rich_menu: vip
  - send: {message: care}
  - wait: {until: "orders.count >= 2", timeout: 3d, then: [end]}
  - split:
      experiment: day14
      variants:
        one:
          - wait: {for: 3h}
          - send: {name: offer_a, message: offer}
        two:
          - wait: {for: 3h}
          - send: {name: offer_b, message: other}
  - rich_menu: default
"""
EXPERIMENTS = """\
day14: {changes: offer, variants: {one: 50, two: 50}, goal: F2転換率, owner: crm-team}
"""
OTHER = """\
kind: promotion
content:
  - type: text
    text: |-
      別の使い方です。
      https://example.com/new
"""
SCENARIO = "scenarios/rich.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    sound = Folder(tmp_path)
    sound.change("playbook.yaml", "exclusions:", "rich_menus: {vip: richmenu-1}\nexclusions:")
    sound.write(SCENARIO, RICH)
    sound.write("experiments.yaml", EXPERIMENTS)
    sound.write("messages/other.yaml", OTHER)
    return sound


def test_all_rules_of_a_scenario_are_compiled(folder: Folder) -> None:
    assert folder.faults == []
    playbook = load_playbook(folder.path)
    rich = playbook.scenarios["rich"]
    assert rich.entry == pb.Entry("", 2 * 86_400, segment="buyers", on="left")
    assert (rich.not_with, rich.migrate, rich.holdout_percent) == (["second"], {"old_offer": "offer_a"}, 10.0)
    assert playbook.experiments == {
        "day14": pb.Experiment("offer", {"one": 50, "two": 50}, "F2転換率", "crm-team")
    }
    assert playbook.rich_menus == {"vip": "richmenu-1"}
    assert [arm for arm, _ in next(s for s in rich.steps if isinstance(s, pb.Split)).arms] == ["one", "two"]


def test_a_campaign_has_a_holdout_and_needs(folder: Folder) -> None:
    folder.change("campaigns/weekly.yaml", "owner: crm", "owner: crm\nholdout: 0.5")
    assert load_playbook(folder.path).campaigns["weekly"].holdout_percent == 0.5


FAULTS = [
    (SCENARIO, "reentry: after 30d", "reentry: after 30m", 8, "after 1h or more"),
    (SCENARIO, "entry: {segment: buyers,", "entry: {segment: buyer,", 7, "did you mean 'buyers'?"),
    (SCENARIO, "entry: {segment: buyers,", "entry: {event: purchase, segment: buyers,", 7, "write {event:"),
    (SCENARIO, "not_with: [second]", "not_with: [secnd]", 9, "did you mean 'second'?"),
    (SCENARIO, "not_with: [second]", "not_with: [rich]", 9, "this scenario itself"),
    (SCENARIO, "replaces: []", "replaces: [second]", 9, "keep one"),
    (SCENARIO, "holdout: 10", "holdout: 100", 10, "less than 100"),
    (SCENARIO, "old_offer: offer_a", "old_offer: offer_c", 11, "there is no step 'offer_c'"),
    (SCENARIO, "old_offer: offer_a", "offer_b: offer_a", 11, "still here"),
    (SCENARIO, 'set: {vip_since: "2026"}', "set: {a: 1, b: 2}", 13, "at most 1"),
    (SCENARIO, 'set: {vip_since: "2026"}', "set: {tags: 1}", 13, "meaning of its own"),
    (SCENARIO, 'set: {vip_since: "2026"}', "set: {orders: 1}", 13, "also the name of an event"),
    (SCENARIO, 'set: {vip_since: "2026"}', "set: {a: [1]}", 13, "must be a text"),
    (SCENARIO, "rich_menu: vip", "rich_menu: vyp", 14, "did you mean 'vip'?"),
    (SCENARIO, "timeout: 3d, then: [end]}", "then: [end]}", 16, "timeout: 3d"),
    (SCENARIO, "orders.count >= 2", "orders.cuont >= 2", 16, "cuont"),
    (SCENARIO, "orders.count >= 2", "context('busy') == true", 16, "changes without the customer"),
    (SCENARIO, "experiment: day14", "experiment: day41", 18, "did you mean 'day14'?"),
    (SCENARIO, "        two:", "        three:", 19, "three is none"),
    ("experiments.yaml", "two: 50", "two: 0", 1, "at least 1"),
    ("experiments.yaml", ", two: 50", "", 1, "at least 2"),
    ("experiments.yaml", "day14", "day15", 1, "no split uses"),
    ("experiments.yaml", "changes: offer", "changes: luck", 1, "must be one of"),
    ("playbook.yaml", "{vip: richmenu-1}", "{vip: richmenu-1, default: richmenu-2}", 7, "another name"),
]


@pytest.mark.parametrize(("file", "old", "new", "line", "part"), FAULTS)
def test_a_fault_is_told_with_its_file_and_its_line(
    folder: Folder, file: str, old: str, new: str, line: int, part: str
) -> None:
    folder.change(file, old, new)
    assert [fault for fault in folder.faults if fault.startswith(f"{file}:{line}: ") and part in fault], (
        folder.faults
    )


def test_a_segment_that_reads_context_is_no_entry(folder: Folder) -> None:
    folder.change("segments.yaml", "buyers: orders.count >= 1", "buyers: context('busy') == true")
    (fault,) = folder.faults
    assert fault.startswith(f"{SCENARIO}:7: context(…) changes without the customer")


def arms(folder: Folder, changes: str, one: str, two: str) -> list[str]:
    """The faults of an experiment with these two arms, each a list of steps in one line."""
    scenario = RICH[: RICH.index("        one:")] + f"        one: {one}\n        two: {two}\n"
    folder.write(SCENARIO, scenario.replace("migrate: {old_offer: offer_a}\n", ""))
    folder.change("experiments.yaml", "changes: offer", f"changes: {changes}")
    return [fault.partition(" but one and two ")[2] for fault in folder.faults]


A, B = "{send: {name: a, message: offer}}", "{send: {name: b, message: offer}}"
A2, OTHER_B = "{send: {name: a2, message: offer}}", "{send: {name: b, message: other}}"
WAIT, LONGER = "{wait: {for: 3h}}", "{wait: {for: 4h}}"


@pytest.mark.parametrize(
    ("changes", "one", "two"),
    [
        ("timing", f"[{WAIT}, {A}]", f"[{LONGER}, {B}]"),
        ("timing", f"[{A}]", f'[{{wait: {{at: "19:00"}}}}, {B}]'),
        ("frequency", f"[{A}]", f"[{B}, {WAIT}, {A2}]"),
        ("offer", f"[{WAIT}, {A}]", f"[{WAIT}, {OTHER_B}]"),
        ("appeal", f"[{A}]", f"[{OTHER_B}]"),
    ],
)
def test_arms_that_differ_in_the_declared_thing_alone_are_sound(
    folder: Folder, changes: str, one: str, two: str
) -> None:
    assert arms(folder, changes, one, two) == []


@pytest.mark.parametrize(
    ("changes", "one", "two", "wrong"),
    [
        ("timing", f"[{WAIT}, {A}]", f"[{WAIT}, {B}]", "wait equally long"),
        ("timing", f"[{WAIT}, {A}]", f"[{LONGER}, {OTHER_B}]", "send different messages"),
        ("timing", f"[{WAIT}, {A}]", f"[{LONGER}, {B}, {A2}]", "differ in how often"),
        ("timing", f"[{WAIT}, {A}]", f"[{LONGER}, {B}, {{tag: {{add: x}}}}]", "differ in more than when"),
        ("frequency", f"[{WAIT}, {A}]", f"[{LONGER}, {B}]", "send equally often"),
        ("frequency", f"[{A}]", f"[{B}, {{send: {{name: c, message: other}}}}]", "send different messages"),
        ("offer", f"[{WAIT}, {A}]", f"[{LONGER}, {OTHER_B}]", "differ in more than their messages"),
        ("offer", f"[{A}]", f"[{B}]", "send the same messages"),
        ("offer", f"[{A}]", "[{send: {name: b, message: care}}]", "compare a promotion with a support"),
        ("format", f"[{A}]", f"[{OTHER_B}]", "have messages of the same types"),
        ("preview_text", f"[{A}]", f"[{OTHER_B}]", "differ below the preview"),
    ],
)
def test_arms_that_differ_in_anything_else_are_a_fault(
    folder: Folder, changes: str, one: str, two: str, wrong: str
) -> None:
    (told,) = arms(folder, changes, one, two)
    assert told.startswith(wrong)


def test_the_first_line_and_the_alt_text_are_the_preview(folder: Folder) -> None:
    folder.change("messages/other.yaml", "https://example.com/new", "https://example.com/other")
    folder.write("messages/third.yaml", OTHER.replace("new", "other").replace("別の使い方", "三つ目"))
    one, two = OTHER_B.replace("name: b", "name: a"), OTHER_B.replace("other", "third")
    assert arms(folder, "preview_text", f"[{one}]", f"[{two}]") == []


def test_another_type_of_message_is_another_format(folder: Folder) -> None:
    sticker = "kind: promotion\ncontent:\n  - {type: sticker, packageId: '446', stickerId: '1988'}\n"
    folder.write("messages/other.yaml", sticker)
    assert arms(folder, "format", f"[{A}]", f"[{OTHER_B}]") == []


def test_a_playbook_needs_no_experiments(folder: Folder) -> None:
    (folder.path / SCENARIO).unlink()
    (folder.path / "experiments.yaml").unlink()
    assert folder.faults == []
