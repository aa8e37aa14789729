"""What a forecast says beyond its counts: differences, cost, warnings; and how it is shown."""

import io
import re
from typing import Any, get_args

import msgspec
import pytest
from rich.console import Console

from functions.domain.playbook import Entry, Message, Playbook, Price
from functions.domain.reasons import DETAILED, REFUSALS
from ops.plan.cautions import Caution, Code, Findings, cautions
from ops.plan.course import course_of
from ops.plan.differences import differences
from ops.plan.forecast import Assumed, Forecast, forecast_from
from ops.plan.page import page_of
from ops.plan.quota import months_of
from ops.plan.svg import bars, stacked_days
from ops.plan.text import show, told
from ops.plan.words import caution_in_words, reason_in_words
from tests.fakes.playbooks import campaign, playbook, scenario, send
from tests.fakes.world import jst
from tests.ops.plan.test_counts import busy_forecast, buyer, terms
from tests.ops.plan.worlds import busy_book, counted


def test_differences_name_what_was_added_changed_and_removed() -> None:
    old = playbook(scenarios={"a": scenario("purchase", send("offer")), "b": scenario("purchase")}, segments={"x": "orders.count > 1"})  # fmt: skip
    new = playbook(scenarios={"a": scenario("purchase", send("offer"), rank=3), "c": scenario("purchase")}, segments={"x": "orders.count > 2"}, caps=[])  # fmt: skip
    found = [(one.part, one.name, one.change, one.detail) for one in differences(old, new)]
    assert found == [
        ("segment", "x", "changed", "orders.count > 1 → orders.count > 2"),
        ("scenario", "a", "changed", "rank 20 → 3"),
        ("scenario", "b", "removed", ""),
        ("scenario", "c", "added", ""),
        ("cap", "promotion_weekly", "removed", ""),
    ]
    assert differences(old, old) == []


@pytest.mark.parametrize(("on", "told"), [(False, "on true → false"), (True, "")])
def test_a_switch_that_was_turned_is_told_as_the_playbook_writes_it(on: bool, told: str) -> None:
    old, new = (
        playbook(scenarios={"a": scenario("purchase", send("offer"), on=switch)}) for switch in (True, on)
    )
    assert [one.detail for one in differences(old, new)] == [told] * (not on)


def test_a_message_whose_words_changed_differs() -> None:
    old, new = (
        playbook(messages={"offer": Message("promotion", text, [{"text": text}])}) for text in ("one", "two")
    )
    assert [(one.part, one.name, one.detail) for one in differences(old, new)] == [
        ("message", "offer", "content")
    ]


def test_yen_is_the_plan_and_what_goes_beyond_the_free_messages() -> None:
    price = Price(plan_yen=5_000, free_messages=100, yen_each=2.5, messages_max=150, yen_max=None)
    first, second = months_of(
        {"2026-11": 60}, {("2026-11-20", "prompt"): 80, ("2026-12-01", "prompt"): 99}, price
    )
    assert (first.messages, first.paid, first.yen, first.over) == (140, 40, 5_100.0, [])
    assert (second.paid, second.yen) == (0, 5_000)
    [over] = months_of({}, {("2026-11-20", "prompt"): 151}, price)
    assert (over.over, over.waiting) == (["messages_max"], 1)


def test_what_matters_less_is_foreseen_to_wait_before_a_limit_is_passed() -> None:
    price = Price(messages_max=100)
    ahead = {("2026-11-20", "campaign"): 30, ("2026-11-21", "scenario"): 3, ("2026-11-21", "prompt"): 20}
    [month] = months_of({"2026-11": 70}, ahead, price)  # type: ignore[arg-type]
    assert (month.messages, month.over) == (123, ["messages_max"])
    assert month.waiting == 10 + 3 + 10, "20 of the campaign and 10 of the rest go"
    assert codes(findings(playbook(caps=[]), reachable=1, months=[month])) == [
        ("messages_max", "2026-11"),
        ("month_runs_out", "2026-11"),
    ]
    [near] = months_of({"2026-11": 70}, {("2026-11-20", "campaign"): 21}, price)
    assert (near.over, near.waiting) == ([], 1)


def test_a_campaign_that_its_budget_does_not_pay_for_is_warned_of() -> None:
    news = msgspec.structs.replace(campaign("news", once=jst(11, 6, 12), segment="everybody"), yen_max=8)
    book = msgspec.structs.replace(playbook(campaigns={"next": news}, caps=[]), price=Price(yen_each=3))
    crowd = [buyer(number) for number in range(5)]
    ahead = terms(book)
    [tally] = counted(crowd, ahead)
    found = forecast_from(course_of(ahead), tally, Assumed())
    assert [
        (one.code, one.about, one.number) for one in found.cautions if one.code == "campaign_yen_max"
    ] == [("campaign_yen_max", "next", 3)]


def findings(book: Playbook, **more: Any) -> Findings:
    given: dict[str, Any] = {"reachable": 9, "sizes": {}, "entered": {}, "targeted": {}, "sent": {}, "reasons": set(), "months": [], "eventful": False}  # fmt: skip
    return Findings(book, **{**given, **more})


def codes(found: Findings) -> list[tuple[Code, str]]:
    return [(caution.code, caution.about) for caution in cautions(found)]


def test_empty_and_small_segments_are_warned_of_only_where_something_is_sent_to_them() -> None:
    book = playbook(campaigns={"a": campaign("news", segment="buyers"), "b": campaign("news", segment="everybody", on=False)}, caps=[])  # fmt: skip
    assert codes(findings(book)) == [("segment_empty", "buyers")]
    assert codes(findings(book, sizes={"buyers": 3})) == [("segment_small", "buyers")]
    assert codes(findings(book, sizes={"buyers": 30})) == []


def test_a_scenario_that_nobody_enters_is_warned_of_only_where_somebody_could() -> None:
    entered_by_segment = msgspec.structs.replace(scenario("purchase"), entry=Entry("", 60, segment="buyers"))
    book = playbook(scenarios={"event": scenario("purchase"), "segment": entered_by_segment}, caps=[])
    sizes = {"buyers": 99}
    assert codes(findings(book, sizes=sizes)) == [("nobody_enters", "segment")]
    assert codes(findings(book, sizes=sizes, eventful=True)) == [("nobody_enters", "event"), ("nobody_enters", "segment")]  # fmt: skip
    assert codes(findings(book, sizes=sizes, eventful=True, entered={"event": 1, "segment": 1})) == []


def test_a_campaign_that_reaches_nobody_and_a_cap_that_holds_nothing_are_warned_of() -> None:
    book = playbook(campaigns={"a": campaign("news")})
    found = findings(book, sizes={"everybody": 99}, targeted={"a": 9})
    assert codes(found) == [("nothing_sent", "a"), ("cap_never_reached", "promotion_weekly")]
    quiet = findings(book, sizes={"everybody": 99}, targeted={"a": 9}, sent={"a": 1}, reasons={"capped:promotion_weekly"})  # fmt: skip
    assert codes(quiet) == []
    assert codes(findings(playbook(caps=[]), reachable=0)) == [("nobody_reachable", "")]


@pytest.mark.parametrize("code", get_args(Code))
def test_every_warning_can_be_told_in_both_languages(code: Code) -> None:
    caution = Caution(code, "here", 3)
    assert told(caution)
    assert re.search("[ぁ-ん]", caution_in_words(caution))


@pytest.mark.parametrize("reason", REFUSALS)
def test_every_reason_of_the_gate_has_japanese_words(reason: str) -> None:
    assert re.search("[ぁ-んァ-ン一-龥]", reason_in_words(reason))


@pytest.mark.parametrize("reason", DETAILED)
def test_a_reason_names_its_rule_in_japanese_too(reason: str) -> None:
    assert "rule_x" in reason_in_words(f"{reason}:rule_x")


def compared() -> Forecast:
    old, new = playbook(), msgspec.structs.replace(busy_book(), price=Price(15_000, 2, 3.0, 5, 20))
    people = [buyer(number) for number in range(3)]
    tallies = counted(people, terms(new), terms(old))
    return forecast_from(course_of(terms(new)), tallies[0], Assumed(linked=True), old, tallies[1])


def test_the_page_stands_alone_and_is_in_japanese() -> None:
    page = page_of(compared())
    assert '<html lang="ja">' in page
    assert not re.search(r"(?:src|href)=|url\(|@import|<script", page)
    assert "シナリオとキャンペーン" in page
    assert "決めた通数の上限を超えます" in page
    assert "いまの版との違い" in page


def test_a_name_that_looks_like_markup_stays_a_name_on_the_page() -> None:
    book = playbook(campaigns={"<b>x": campaign("news", once=terms(playbook()).end)})
    [tally] = counted([buyer(1)], terms(book))
    page = page_of(forecast_from(course_of(terms(book)), tally, Assumed()))
    assert "<b>x" not in page
    assert "&lt;b&gt;x" in page


def test_every_layer_of_a_day_is_drawn_to_scale() -> None:
    picture = stacked_days(
        ["2026-11-01", "2026-11-02"], {"a": [10, 0], "b": [30, 20]}, {"a": "red", "b": "blue"}
    )
    drawn = re.findall(r'height="([0-9.]+)" fill="(\w+)"', str(picture))
    heights = [(fill, float(height)) for height, fill in drawn]
    assert [fill for fill, _ in heights] == ["red", "blue", "blue"]
    assert heights[1][1] == pytest.approx(3 * heights[0][1], rel=0.01)
    assert heights[2][1] == pytest.approx(2 * heights[0][1], rel=0.01)


def test_a_bar_tells_its_sum() -> None:
    assert ">1,234<" in str(bars([("reason", [("red", 1_000), ("blue", 234)])]))


@pytest.mark.parametrize("forecast", [compared(), busy_forecast()])
def test_the_terminal_shows_every_source_segment_and_month(forecast: Forecast) -> None:
    file = io.StringIO()
    show(forecast, Console(file=file, width=120))
    text = file.getvalue()
    names = [*(s.name for s in forecast.sources), *(s.name for s in forecast.segments), *(m.month for m in forecast.months)]  # fmt: skip
    assert all(name in text for name in names)
    assert ("Everybody is taken to have a LINE user" in text) == forecast.assumed.linked


def test_json_has_all_of_it() -> None:
    assert msgspec.json.decode(msgspec.json.encode(compared()), type=Forecast) == compared()


def test_segments_that_only_one_of_both_has_are_shown_with_what_there_is() -> None:
    old, new = (
        playbook(segments={"gone": "orders.count > 0"}),
        playbook(segments={"fresh": "orders.count > 0"}),
    )
    tallies = counted([buyer(1)], terms(new), terms(old))
    forecast = forecast_from(course_of(terms(new)), tallies[0], Assumed(), old, tallies[1])
    sizes = {size.name: (size.old, size.new, size.after) for size in forecast.segments}
    assert (sizes["gone"], sizes["fresh"], sizes["buyers"]) == ((1, None, None), (None, 1, 1), (1, 1, 1))


def test_sends_are_compared_with_the_other_version_source_by_source() -> None:
    one = playbook(campaigns={"a": campaign("news", once=terms(playbook()).end)})
    other = playbook(campaigns={"a": campaign("news", once=terms(playbook()).end, on=False)})
    tallies = counted([buyer(1), buyer(2)], terms(one), terms(other))
    [source] = forecast_from(course_of(terms(one)), tallies[0], Assumed(), other, tallies[1]).sources
    assert (source.sent, source.sent_before) == ({"promotion": 2}, 0)


def test_what_is_switched_off_is_named_apart() -> None:
    book = playbook(campaigns={"a": campaign("news"), "b": campaign("news", on=False)})
    [tally] = counted([buyer(1)], terms(book))
    forecast = forecast_from(course_of(terms(book)), tally, Assumed())
    file = io.StringIO()
    show(forecast, Console(file=file, width=120))
    assert [source.on for source in forecast.sources] == [True, False]
    assert "switched off: b" in file.getvalue()
    assert page_of(forecast).count("停止中") == 1


def test_of_many_segments_those_that_differ_are_shown_first() -> None:
    many = {f"s{number:02}": "orders.count > 0" for number in range(30)}
    old, new = playbook(segments=many), playbook(segments={**many, "s29": "orders.count > 7"})
    tallies = counted([buyer(1)], terms(new), terms(old))
    file = io.StringIO()
    show(
        forecast_from(course_of(terms(new)), tallies[0], Assumed(), old, tallies[1]),
        Console(file=file, width=120),
    )
    assert "s29" in file.getvalue()
    assert "s28" not in file.getvalue()
    assert "and 20 smaller ones" in file.getvalue()
