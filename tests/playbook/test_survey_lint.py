"""surveys/*.yaml: what is written becomes questions and steps, and every mistake is told with its line."""

import itertools
from pathlib import Path

import pytest

from functions.domain import playbook as pb
from functions.domain.message_limits import content_faults
from functions.domain.surveys import answer_in, question_of
from functions.playbook import load_playbook
from functions.playbook.message_reading import parts_in
from functions.rendering import JinjaRenderer
from tests.playbook.test_lint import Folder

SURVEY = """\
name: hello
owner: crm
on: true
opens: 教えてください。
questions:
  - key: style
    text: "{{ family_name }}様、どれですか。"
    kind: choice
    skip: true
    options:
      - {value: dry, label: かさつき, tag: dry}
      - {value: oily, label: べたつき}
  - key: items
    text: どれを使っていますか。
    kind: multiple
    options:
      - {value: toner, label: 化粧水}
      - {value: cream, label: クリーム}
  - key: words
    text: どうしてですか。
    kind: free
    when: hello_style == "dry"
  - key: day
    text: いつからですか。
    kind: date
    attribute: since
thanks: ありがとうございます。
fallbacks: {family_name: お客}
"""
SCENARIO = """\
name: asks
desired_action: answer
target: "20% → 30%"
owner: crm
on: true
priority: onboarding
entry: {event: line_follow, fresh_for: 1d}
reentry: never
steps:
  - survey: hello
"""
FILE, ASKS = "surveys/hello.yaml", "scenarios/asks.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    folder.write(FILE, SURVEY)
    folder.write(ASKS, SCENARIO)
    return folder


def test_a_sound_survey_has_neither_faults_nor_warnings(folder: Folder) -> None:
    assert (folder.faults, folder.warnings) == ([], [])


def test_every_question_is_a_support_message_that_line_takes(folder: Folder) -> None:
    playbook = load_playbook(folder.path)
    names = ["hello.style", "hello.items", "hello.words", "hello.day", "hello.thanks"]
    assert [name for name in playbook.messages if "." in name] == names
    for name in names:
        message = playbook.messages[name]
        rendered = JinjaRenderer().render(message.content, message.fallbacks)
        assert (message.kind, list(content_faults(rendered))) == ("support", [])


def test_every_button_answers_its_question(folder: Folder) -> None:
    """Each postback that is offered is one that is taken, and none else is there."""
    playbook = load_playbook(folder.path)
    survey, offered = playbook.surveys["hello"], 0
    for name, message in playbook.messages.items():
        for _, part in parts_in(message.content) if name.startswith("hello.") else ():
            if part.get("type") in ("postback", "datetimepicker"):
                answer = answer_in({"data": part["data"], "params": {"date": "2026-05-04"}})
                assert answer is not None
                assert answer.version == survey.hash
                assert question_of(survey, answer) is not None
                offered += 1
    assert offered == 3 + 4 + 1


def test_the_steps_lead_ahead_and_time_out_behind_the_thanks(folder: Folder) -> None:
    steps = load_playbook(folder.path).scenarios["asks"].steps
    waits = [step for step in steps if isinstance(step, pb.WaitUntil)]
    assert [step.message for step in steps if isinstance(step, pb.Send)][-1] == "hello.thanks"
    assert {wait.on_timeout for wait in waits} == {len(steps) - 1}
    branches = [step for step in steps if isinstance(step, pb.Branch)]
    assert all(
        case[1] < len(steps) and step.otherwise < len(steps) for step in branches for case in step.cases
    )


def test_a_survey_within_other_steps_jumps_to_its_own_steps(folder: Folder) -> None:
    before = "steps:\n  - send: {name: care, message: care}\n"
    folder.change(ASKS, "steps:\n", before)
    folder.change(ASKS, "  - survey: hello\n", "  - survey: hello\n  - send: {name: last, message: care}\n")
    steps = load_playbook(folder.path).scenarios["asks"].steps
    start = steps[1]
    assert isinstance(start, pb.Branch)
    assert (start.cases[0][1], steps[start.otherwise]) == (2, steps[-2])


def test_a_survey_that_is_off_is_not_asked(folder: Folder) -> None:
    folder.change(FILE, "on: true", "on: false")
    playbook = load_playbook(folder.path)
    assert playbook.scenarios["asks"].steps == [pb.End()]
    assert "hello" in playbook.surveys


def test_another_word_of_a_question_is_another_version(folder: Folder) -> None:
    hashes = [load_playbook(folder.path).surveys["hello"].hash]
    for old, new in [("どうして", "なぜ"), ("かさつき", "乾燥"), ("value: dry,", "value: dried,")]:
        folder.change(FILE, old, new)
        hashes.append(load_playbook(folder.path).surveys["hello"].hash)
    folder.change(FILE, "owner: crm", "owner: others")
    assert load_playbook(folder.path).surveys["hello"].hash == hashes[-1]
    assert len(set(hashes)) == len(hashes)


FAULTS = [
    (ASKS, "survey: hello", "survey: helo", 10, "did you mean 'hello'"),
    (ASKS, "  - survey: hello\n", "  - survey: hello\n  - survey: hello\n", 11, "is asked here already"),
    (FILE, "name: hello", "name: hallo", 1, "the file is hello.yaml"),
    (FILE, "label: べたつき", "label: これはとても長いボタンの文字なので入りきりません", 6, "20"),
    (FILE, "fallbacks: {family_name: お客}\n", "", 6, "say what stands in for it"),
    (FILE, "kind: free", "kind: frei", 21, "must be one of"),
    (FILE, "kind: free", "kind: choice", 19, "needs options to choose from"),
    (FILE, 'when: hello_style == "dry"', "when: hello_style =", 22, "hello"),
    (FILE, "value: oily", "value: dry", 6, "two options have the same value"),
    (FILE, "value: oily", "value: ~skip", 12, "options.1.value"),
    (FILE, "key: words", "key: style", 1, "two questions have the same key"),
    (FILE, "key: words", "key: thanks", 1, "may be called thanks"),
    (FILE, "attribute: since", "attribute: hello_style", 23, "is set by another question too"),
    (FILE, "attribute: since", "attribute: hello_items_answered", 23, "is set by another question too"),
    (FILE, "attribute: since", "attribute: orders", 23, "has a meaning of its own"),
    (FILE, "attribute: since", "attribute: inflow_source", 23, "has a meaning of its own"),
    (FILE, "attribute: since", "attribute: tags", 26, "has a meaning of its own"),
    (FILE, "attribute: since", "attribute: " + "x" * 65, 26, "at most 64"),
    (FILE, "key: words", "key: " + "w" * 60, 19, "more than 64 characters"),
    (FILE, "thanks: ありがとうございます。", "thanks: ''", 27, "must not be empty"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "line", "part"), FAULTS)
def test_a_fault_is_told_with_its_line(
    folder: Folder, file: str, old: str, new: str, line: int, part: str
) -> None:
    folder.change(file, old, new)
    assert any(fault.startswith(f"{file}:{line}: ") and part in fault for fault in folder.faults), (
        folder.faults
    )


def test_more_buttons_than_line_shows_are_refused(folder: Folder) -> None:
    more = "".join(f"      - {{value: v{n}, label: l{n}}}\n" for n in range(11))
    folder.change(FILE, "      - {value: oily, label: べたつき}\n", more)
    assert folder.faults == []
    folder.change(FILE, "      - {value: v0,", "      - {value: another, label: 別}\n      - {value: v0,")
    assert any("14 buttons, and LINE shows 13" in fault for fault in folder.faults)


def test_two_surveys_whose_marks_would_be_one_are_refused(folder: Folder) -> None:
    other = SURVEY.replace("name: hello", "name: hello_style").replace("key: style", "key: x")
    folder.write("surveys/hello_style.yaml", other.replace("hello_style ==", "hello_style_x =="))
    folder.change(FILE, "attribute: since", "attribute: hello_style_x_answered")
    assert any("is set by another question too" in fault for fault in folder.faults)


def test_what_nobody_asks_and_what_a_cap_cuts_off_is_warned_of(folder: Folder) -> None:
    folder.change(ASKS, "survey: hello", "tag: {add: asked}")
    cap = "  - {id: all_daily, kinds: [support, promotion], limit: 3, calendar: day}\nquiet_hours:"
    folder.change("playbook.yaml", "quiet_hours:", cap)
    told = [warning for warning in folder.warnings if warning.startswith(FILE)]
    assert [part in told[number] for number, part in enumerate(["nothing asks", "all_daily lets 3"])] == [
        True,
        True,
    ]


def test_a_survey_that_promises_a_discount_is_warned_of(folder: Folder) -> None:
    folder.change(FILE, "thanks: ありがとうございます。", "thanks: クーポンをどうぞ。")
    (told,) = folder.warnings
    assert told.startswith(f"{FILE}:27: a survey is support")


def test_a_playbook_may_read_answers_by_a_name_of_its_own(folder: Folder) -> None:
    """The word that four playbooks had before it was built in."""
    events = (folder.path / "events.yaml").read_text(encoding="utf-8")
    own = "survey_answered:\n  meaning: 答えた\n  as: surveys\n  properties:\n    reason: {type: string, attribute: true}\n"
    folder.write("events.yaml", events + own)
    folder.change("segments.yaml", "buyers: orders.count >= 1", "buyers: surveys.count >= 1")
    assert folder.faults == []


def test_segments_read_answers(folder: Folder) -> None:
    segments = (folder.path / "segments.yaml").read_text(encoding="utf-8")
    read = [
        'hello_style == "dry"',
        "hello_items_toner == True",
        '"dry" in tags',
        '"hello" in survey_answered.survey',
        'inflow_source == "qr"',
        "inflow.count >= 1",
    ]
    more = "".join(
        f"s{number}: {{when: '{text}', report: true}}\n"
        for number, text in zip(itertools.count(), read, strict=False)
    )
    folder.write("segments.yaml", segments + more)
    assert folder.faults == []
