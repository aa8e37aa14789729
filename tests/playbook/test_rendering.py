"""Rendering: strict, bounded, deterministic, and with nothing to call."""

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.message_limits import content_faults
from functions.rendering import RENDERED_CHARACTERS_MAX, JinjaRenderer, RenderError, variables_of


def rendered(text: str, **values: Any) -> str:
    (message,) = JinjaRenderer().render([{"type": "text", "text": text}], values)
    return str(message["text"])


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("{{ name }}様", {"name": "山田"}, "山田様"),
        ("{{ name | default('お客') }}様", {}, "お客様"),
        ("{{ points | comma }}ポイント", {"points": 4800}, "4,800ポイント"),
        ("{% if vip %}特別に{% endif %}ご案内", {"vip": True}, "特別にご案内"),
        ("{% for item in items %}{{ item }}{% if not loop.last %}と{% endif %}{% endfor %}", {"items": ["a", "b"]}, "aとb"),
        ("{{ items | join }}", {"items": ["a", "b"]}, "a、b"),
        ("末尾の改行\n", {}, "末尾の改行\n"),
        ("{{ name }}\n", {"name": "山田"}, "山田\n"),
        ("<b>{{ name }}</b>", {"name": "<&>"}, "<b><&></b>"),
        ("{{ name }}", {"name": "{{ secret }}"}, "{{ secret }}"),
    ],
)  # fmt: skip
def test_values_stand_where_they_are_asked_for(text: str, values: dict[str, Any], expected: str) -> None:
    assert rendered(text, **values) == expected


@pytest.mark.parametrize(
    "text",
    [
        "{{ name",
        "{{ name }}",
        "{{ 'a' * 1000000000 }}",
        "{{ x * 2 }}",
        "{{ 9 ** 9 }}",
        "{{ '%1000000000d' % x }}",
        "{{ range(3) }}",
        "{{ lipsum() }}",
        "{{ [1, 2] | random }}",
        "{{ 'a' | center(1000000000) }}",
        "{{ '{:1000000000}'.format(x) }}",
        "{{ many | join(many | join | join) }}",
        "{{ 'a'.ljust(1000000000) }}",
        "{{ x.__class__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ nothing.field }}",
        "{{ none }}",
        "{{ values }}",
        "{{ values.items }}",
        "{{ 1 / 0 }}",
        "{{ x is odd_looking }}",
        "{% set y = x %}{{ y }}",
        "{% macro f() %}{% endmacro %}",
        "{% include 'other' %}",
        "{% import 'other' as o %}",
        "{% for a in many %}{% for b in many %}{% endfor %}{% endfor %}",
        "{% for a in many recursive %}{{ loop(many) }}{% endfor %}",
        "{% for a in many %}" + "x" * 500 + "{% endfor %}",
        "(" * 3 + "{{ " + "(" * 2000 + "x" + ")" * 2000 + " }}",
    ],
)
def test_what_is_not_part_of_the_language_is_an_error(text: str) -> None:
    with pytest.raises(RenderError):
        rendered(text, x=7, many=["a"] * 100, values={"a": 1})


def test_an_error_never_shows_a_value() -> None:
    with pytest.raises(RenderError) as caught:
        rendered("{{ phone | comma }}", phone="090-0000-0000")
    assert "090" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_what_is_filled_in_is_bounded_over_the_whole_message() -> None:
    half = {"type": "text", "text": "{{ half }}"}
    values = {"half": "x" * (RENDERED_CHARACTERS_MAX // 2)}
    assert len(JinjaRenderer().render([half, half, {"type": "text", "text": "as it stands"}], values)) == 3
    with pytest.raises(RenderError, match=str(RENDERED_CHARACTERS_MAX)):
        JinjaRenderer().render([half, half, {"type": "text", "text": "{{ half | first }}"}], values)


def test_every_string_is_rendered_however_deep_and_nothing_else_is_touched() -> None:
    content = [
        {"type": "flex", "contents": {"body": {"contents": [{"text": "{{ x }}", "flex": 1, "wrap": True}]}}}
    ]
    (message,) = JinjaRenderer().render(content, {"x": "y"})
    assert message["contents"]["body"]["contents"] == [{"text": "y", "flex": 1, "wrap": True}]
    assert content[0]["contents"]["body"]["contents"][0]["text"] == "{{ x }}"  # type: ignore[index]


@given(
    st.text(max_size=50),
    st.dictionaries(st.sampled_from(["name", "x"]), st.text(max_size=20) | st.integers()),
)
def test_the_same_values_give_the_same_text_or_the_same_error(text: str, values: dict[str, Any]) -> None:
    def once() -> str:
        try:
            return rendered(f"{text}{{{{ name }}}}", **values)
        except RenderError as error:
            return f"error: {error}"

    assert once() == once()


V2 = {
    "type": "textV2",
    "text": "{{ name }}様{smile}{% if vip %}{{ '{' }}{% endif %}",
    "substitution": {"smile": {"type": "emoji", "productId": "p", "emojiId": "1"}},
}


def test_braces_of_a_value_are_shown_and_those_of_the_text_stay_placeholders() -> None:
    (message,) = JinjaRenderer().render([V2], {"name": "{smile}", "vip": True})
    assert message["text"] == "{{smile}}様{smile}{{"


@given(st.text("{}ab ", min_size=1, max_size=20))
def test_no_value_makes_a_text_with_placeholders_that_line_refuses(name: str) -> None:
    assert content_faults(JinjaRenderer().render([V2], {"name": name, "vip": False})) == []


def test_a_missing_value_is_an_error_in_a_text_with_placeholders_too() -> None:
    with pytest.raises(RenderError):
        JinjaRenderer().render([V2], {"vip": False})


def test_the_variables_of_a_template_are_those_it_asks_for_from_outside() -> None:
    text = "{{ a }}{% for b in c %}{{ b }}{{ loop.index }}{% endfor %}{{ d.e | default(f) }}"
    assert variables_of(text) == {"a", "c", "d", "f"}


def test_rendering_does_without_pydantic() -> None:
    code = "import sys, functions.rendering; sys.exit('pydantic' in sys.modules or 'yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
