"""How people write spans and instants."""

import datetime as dt

import pytest

from ops.engine.errors import LocalError
from ops.local.instants import parse_instant, parse_span, text_of


@pytest.mark.parametrize(
    ("text", "seconds"), [("7d", 604_800), ("12h", 43_200), ("30m", 1_800), ("90s", 90), ("1d12h", 129_600)]
)
def test_a_span_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert parse_span(text) == dt.timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "7", "d", "-1d", "7 d", "1w", "1.5h"])
def test_anything_else_is_no_span(text: str) -> None:
    with pytest.raises(LocalError, match="A span of time is written as"):
        parse_span(text)


def test_an_instant_keeps_its_moment_in_utc() -> None:
    assert text_of(parse_instant("2026-11-22T19:00:00+09:00")) == "2026-11-22T10:00:00Z"


@pytest.mark.parametrize("text", ["tomorrow", "2026-11-22T10:00:00"])
def test_an_instant_without_an_offset_is_refused(text: str) -> None:
    with pytest.raises(LocalError):
        parse_instant(text)
