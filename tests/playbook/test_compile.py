"""What a sound playbook is compiled to."""

import datetime as dt
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from functions.domain import playbook as pb
from functions.domain.playbook import Playbook
from functions.domain.segments import compile_predicate, segments_in
from functions.playbook import check_playbook, load_playbook
from functions.playbook.message_models import MessageForm
from functions.playbook.models import CampaignForm, EventForm, ExperimentForm, SegmentForm
from functions.playbook.quantities import instant_in
from functions.playbook.scenario_models import ScenarioForm, StepForm
from functions.playbook.settings_models import SettingsForm
from functions.playbook.sources import composed
from functions.playbook.steps import flat_steps
from functions.playbook.survey_models import SurveyForm

EC = Path(__file__).parents[2] / "playbooks" / "ec"
HEAD = {
    "name": "s", "desired_action": "a", "target": "t", "owner": "o", "on": True, "priority": "p",
    "entry": {"event": "purchase", "fresh_for": "2d"}, "reentry": "never",
}  # fmt: skip


def flat(*steps: object) -> list[pb.Step]:
    form = ScenarioForm.model_validate({**HEAD, "steps": list(steps)})
    return flat_steps(form.steps, lambda text: ["const", text])


def send(name: str) -> dict[str, object]:
    return {"send": {"name": name, "message": "m"}}


SENT = {name: pb.Send(name, "m", 86_400, 172_800) for name in "abc"}


def test_a_line_of_steps_stays_in_line_and_is_closed() -> None:
    steps = flat(
        {"wait": {"day": 1, "at": "10:00"}},
        {"send": {"message": "m", "expires_after": "8d", "tolerance": "3h", "hold_up_to": "4d"}},
        {"wait": {"for": "3h"}},
        {"wait": {"at": "19:00"}},
        {"tag": {"add": "x"}},
        {"tag": {"remove": "y"}},
        "end",
    )
    assert steps == [
        pb.WaitUntilLocal(dt.time(10), 1),
        pb.Send("m", "m", 3 * 3_600, 8 * 86_400, 4 * 86_400),
        pb.WaitFor(3 * 3_600),
        pb.WaitUntilLocal(dt.time(19)),
        pb.SetTag("x"),
        pb.SetTag("y", remove=True),
        pb.End(),
        pb.End(),
    ]


def test_a_branch_goes_to_the_first_case_that_holds_and_then_behind_itself() -> None:
    branch = {"branch": [{"when": "x", "steps": [send("a")]}, {"otherwise": [send("b")]}]}
    assert flat(branch, send("c")) == [
        pb.Branch([(["const", "x"], 1)], 3),
        SENT["a"],
        pb.Goto(5),
        SENT["b"],
        pb.Goto(5),
        SENT["c"],
        pb.End(),
    ]


def test_a_branch_without_otherwise_goes_on_behind_itself() -> None:
    steps = flat({"branch": [{"when": "x", "steps": [send("a")]}]}, send("c"))
    assert steps == [pb.Branch([(["const", "x"], 1)], 3), SENT["a"], pb.Goto(3), SENT["c"], pb.End()]


def test_a_wait_for_an_event_has_two_ways_on() -> None:
    wait = {"wait": {"event": "purchase", "timeout": "24h", "then": ["end"], "on_timeout": [send("a")]}}
    assert flat(wait, send("c")) == [
        pb.WaitForEvent("purchase", 86_400, 1, 3),
        pb.End(),
        pb.Goto(5),
        SENT["a"],
        pb.Goto(5),
        SENT["c"],
        pb.End(),
    ]


def test_a_wait_for_a_condition_has_two_ways_on() -> None:
    wait = {"wait": {"until": "x", "timeout": "3d", "then": ["end"], "on_timeout": [send("a")]}}
    assert flat(wait) == [
        pb.WaitUntil(["const", "x"], 3 * 86_400, 1, 3),
        pb.End(),
        pb.Goto(5),
        SENT["a"],
        pb.Goto(5),
        pb.End(),
    ]


def test_a_split_has_one_way_a_variant_and_all_lead_on_behind_it() -> None:
    split = {"split": {"experiment": "e", "variants": {"x": [send("a")], "y": []}}}
    assert flat(split, send("c")) == [
        pb.Split("e", [("x", 1), ("y", 3)]),
        SENT["a"],
        pb.Goto(4),
        pb.Goto(4),
        SENT["c"],
        pb.End(),
    ]


def test_attributes_and_rich_menus_are_set_by_name() -> None:
    steps = flat(
        {"set": {"vip_since": "2026"}}, {"set": {"level": 3}}, {"rich_menu": "vip"}, {"rich_menu": "default"}
    )
    assert steps == [
        pb.SetAttribute("vip_since", "2026"),
        pb.SetAttribute("level", 3),
        pb.RichMenu("vip"),
        pb.RichMenu(""),
        pb.End(),
    ]


def blocks(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    lists = st.lists(inner, max_size=3)
    cases = st.lists(lists.map(lambda steps: {"when": "x", "steps": steps}), min_size=1, max_size=3)
    return st.one_of(
        st.tuples(cases, st.none() | lists).map(
            lambda both: {"branch": both[0] + ([] if both[1] is None else [{"otherwise": both[1]}])}
        ),
        st.tuples(lists, lists).map(
            lambda both: {"wait": {"event": "e", "timeout": "1d", "then": both[0], "on_timeout": both[1]}}
        ),
        st.tuples(lists, lists).map(
            lambda both: {"wait": {"until": "x", "timeout": "1d", "then": both[0], "on_timeout": both[1]}}
        ),
        st.tuples(lists, lists).map(
            lambda both: {"split": {"experiment": "e", "variants": {"x": both[0], "y": both[1]}}}
        ),
    )


any_step = st.recursive(st.sampled_from([send("a"), {"wait": {"for": "1h"}}, "end"]), blocks, max_leaves=15)


@settings(max_examples=50)
@given(st.lists(any_step, min_size=1, max_size=5))
def test_every_jump_leads_ahead_and_lands_within_the_list(steps: list[object]) -> None:
    flattened = flat(*steps)
    for number, step in enumerate(flattened):
        match step:
            case pb.Goto():
                targets = [step.to]
            case pb.Branch():
                targets = [step.otherwise, *(target for _, target in step.cases)]
            case pb.WaitForEvent():
                targets = [step.on_event, step.on_timeout]
            case pb.WaitUntil():
                targets = [step.on_true, step.on_timeout]
            case pb.Split():
                targets = [target for _, target in step.arms]
            case _:
                targets = []
        assert all(number < target < len(flattened) for target in targets)


def test_steps_are_checked_as_deep_as_they_are_nested() -> None:
    with pytest.raises(ValueError, match="is no step"):
        StepForm.model_validate({"branch": [{"otherwise": [{"branch": [{"otherwise": ["stop"]}]}]}]})


@pytest.fixture(scope="module")
def ec() -> Playbook:
    return load_playbook(EC)


def test_the_ready_playbook_has_neither_faults_nor_warnings() -> None:
    result = check_playbook(EC)
    assert (result.faults, result.warnings) == ([], [])


def test_a_playbook_reads_the_same_after_its_trip_as_json(ec: Playbook) -> None:
    assert msgspec.json.decode(msgspec.json.encode(ec), type=Playbook) == ec


def test_no_expression_of_a_compiled_playbook_refers_to_another(ec: Playbook) -> None:
    conditions = [s.when for s in ec.segments.values()]
    for scenario in ec.scenarios.values():
        conditions += [c for c in (scenario.entry.when, scenario.exit, scenario.goal) if c is not None]
    for condition in conditions:
        assert segments_in(condition) == set()
        compile_predicate(condition)


def test_settings_become_the_rules_in_force(ec: Playbook) -> None:
    week = 7 * 86_400
    assert ec.caps == [
        pb.Cap("promotion_weekly", ["promotion"], 1, week, 4 * 86_400),
        pb.Cap("coupon_monthly", ["promotion"], 1, 30 * 86_400, 2 * 86_400, categories=["coupon"]),
    ]
    assert ec.quiet_hours == pb.QuietHours(dt.time(21), dt.time(7), ["support", "notification", "promotion"])
    assert ec.consent == {"promotion": ["marketing", "promotion"], "notification": [], "support": []}
    assert ec.exclusions == {"inquiry": ["promotion"], "complaint": ["promotion"], "refund": ["promotion"]}
    ranks = (
        ec.scenarios["onboarding"].rank,
        ec.scenarios["second_purchase"].rank,
        ec.campaigns["weekly"].rank,
    )
    assert ranks == (0, 1, 5)


def test_the_second_purchase_goes_by_the_trade_calendar(ec: Playbook) -> None:
    scenario = ec.scenarios["second_purchase"]
    waits = [(step.day, step.at) for step in scenario.steps if isinstance(step, pb.WaitUntilLocal)]
    assert waits == [(1, dt.time(10)), (7, dt.time(19)), (14, dt.time(19)), (30, dt.time(19))]
    sends = [step for step in scenario.steps if isinstance(step, pb.Send)]
    assert [step.name for step in sends] == ["day1_support", "day7_related", "day14_coupon", "day30_next"]
    assert [ec.messages[step.message].kind for step in sends] == [
        "support",
        "promotion",
        "promotion",
        "promotion",
    ]
    assert ec.messages["f2_day14_coupon"].discount_reason == "first purchase"
    assert scenario.entry.event == "purchase"
    assert scenario.entry.when == ["cmp", "==", ["count", "orders"], ["const", 1]]
    assert scenario.exit == ["cmp", ">=", ["count", "orders"], ["const", 2]]


def test_the_second_purchase_candidates_are_written_as_agreed(ec: Playbook) -> None:
    assert ec.segments["f2_candidates"].source == "orders.count == 1 and days_since(orders.last_at) > 30"


def test_the_campaign_is_on_fridays_at_noon(ec: Playbook) -> None:
    campaign = ec.campaigns["weekly"]
    assert campaign.weekly == pb.Weekly(4, dt.time(12))
    assert (campaign.once, campaign.expires_seconds, campaign.hold_seconds_max) == (None, 86_400, 3_600)


def copied(target: Path) -> Path:
    for path in EC.rglob("*.yaml"):
        (target / path.relative_to(EC)).parent.mkdir(parents=True, exist_ok=True)
        (target / path.relative_to(EC)).write_bytes(path.read_bytes())
    return target


def test_the_version_names_the_content_not_its_spelling(ec: Playbook, tmp_path: Path) -> None:
    copy = copied(tmp_path)
    path = copy / "campaigns" / "weekly.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(reversed(lines)), encoding="utf-8")
    assert load_playbook(copy).version == ec.version
    assert len(ec.version) == 16
    path.write_text("\n".join(lines).replace("12:00", "12:30"), encoding="utf-8")
    assert load_playbook(copy).version != ec.version


def test_a_message_hash_changes_with_its_words(ec: Playbook, tmp_path: Path) -> None:
    copy = copied(tmp_path)
    path = copy / "messages" / "weekly_picks.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("今週", "今月"), encoding="utf-8")
    changed = load_playbook(copy).messages
    assert changed["weekly_picks"].hash != ec.messages["weekly_picks"].hash
    assert changed["f2_day1_support"].hash == ec.messages["f2_day1_support"].hash


def test_a_single_campaign_is_at_an_instant_of_the_playbook_clock() -> None:
    noon = dt.datetime(2026, 11, 27, 3, tzinfo=dt.UTC)
    assert instant_in("2026-11-27 12:00", "Asia/Tokyo") == noon
    assert instant_in("2026-11-27T03:00:00Z", "Asia/Tokyo") == noon


def test_every_example_in_the_documentation_has_the_form_it_shows() -> None:
    text = (EC.parents[1] / "docs" / "playbooks.md").read_text(encoding="utf-8")
    forms: dict[str, type[BaseModel]] = {
        "steps:": ScenarioForm,
        "schedule:": CampaignForm,
        "content:": MessageForm,
        "priorities:": SettingsForm,
        "questions:": SurveyForm,
    }
    shown = [block.split("```")[0] for block in text.split("```yaml\n")[1:]]
    assert len(shown) == 10
    for block in shown:
        source, faults = composed(block, "playbooks.md", "example")
        assert source is not None
        assert faults == []
        form = next((form for key, form in forms.items() if f"\n{key}" in block), None)
        if form:
            form.model_validate(source.data)
            continue
        for entry in source.data.values():
            (
                ExperimentForm if "changes" in entry else EventForm if "properties" in entry else SegmentForm
            ).model_validate(entry)
