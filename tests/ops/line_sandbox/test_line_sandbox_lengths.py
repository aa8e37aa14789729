"""How LINE counts characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.line_sandbox.lengths import graphemes, json_bytes, utf16_units


@pytest.mark.parametrize(
    ("text", "units"),
    [("abc", 3), ("日本語", 3), ("☎", 1), ("😀", 2), ("👨‍👩‍👧", 8), ("\r\n", 2), ("", 0)],
)
def test_texts_count_utf16_units_so_that_an_emoji_beyond_the_basic_plane_counts_two(
    text: str, units: int
) -> None:
    assert utf16_units(text) == units


@given(st.text())
def test_utf16_units_are_what_the_codec_says(text: str) -> None:
    assert utf16_units(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("label", 5),
        ("\r\n", 1),
        ("a\nb", 3),
        ("が", 1),
        ("か\u3099", 1),
        ("e\u0301\u0323", 1),
        ("😀", 1),
        ("👍🏽", 1),
        ("❤\ufe0f", 1),
        ("👨‍👩‍👧‍👦", 1),
        ("🏳\ufe0f‍🌈", 1),
        ("🇯🇵", 1),
        ("🇯🇵🇫🇷", 2),
        ("🇯🇵🇫", 2),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", 1),
        ("1\ufe0f\u20e3", 1),
        ("각", 1),
        ("\u1100\u1161\u11a8", 1),
        ("한국", 2),
        ("a\u200db", 2),
        ("葛\U000e0100", 1),
    ],
)
def test_labels_count_what_a_reader_sees_as_one_character(text: str, count: int) -> None:
    assert graphemes(text) == count


@given(st.text(max_size=50))
def test_there_are_never_more_graphemes_than_code_points(text: str) -> None:
    assert (text != "") <= graphemes(text) <= len(text)


def test_json_is_measured_in_bytes_of_utf8() -> None:
    assert json_bytes({"a": "あ"}) == len('{"a":""}') + 3
