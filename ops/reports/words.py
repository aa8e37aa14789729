"""Numbers and names in the marketers' language."""

import datetime as dt

from functions.domain.playbook import Kind
from ops.plan.words import kind_in_words, reason_in_words
from ops.reports.content import Cell, Figure, Unit

__all__ = ["changed", "day_in_words", "kind_in_words", "number", "reason_in_words", "span_in_words"]

NONE = "—"
_SMALL_YEN = 10
_SMALL_RATIO = 0.01
WEEKDAYS = "月火水木金土日"
_LARGE = 100
TITLES = {"daily": "日次の健康診断", "weekly": "週次の振り返り", "monthly": "月次の経営報告"}
AGAINST = {"daily": "前の週の同じ曜日", "weekly": "前の週", "monthly": "前の月"}
KINDS: tuple[Kind, ...] = ("support", "notification", "promotion")


def number(value: Cell, unit: Unit, *, sign: bool = False) -> str:
    """A value with its unit, as people read it; the sign of a change too where it is asked for."""
    if value is None:
        return NONE
    if isinstance(value, str):
        return value
    if not value and unit == "ratio":
        return "0ポイント" if sign else "0%"
    return _number(value, unit, sign=sign).replace("-", "−")


def _number(value: float, unit: Unit, *, sign: bool) -> str:
    plus = "+" if sign else ""
    match unit:
        case "yen":
            return f"{value:{plus},.1f}円" if 0 < abs(value) < _SMALL_YEN else f"{value:{plus},.0f}円"
        case "ratio" if sign:
            return f"{value * 100:+.{_digits(value)}f}ポイント"
        case "ratio":
            return f"{value * 100:.{_digits(value)}f}%"
        case "days":
            return f"{value:{plus},.1f}日"
        case _:
            whole = float(value).is_integer() or abs(value) >= _LARGE
            return f"{value:{plus},.0f}" if whole else f"{value:{plus},.1f}"


def _digits(ratio: float) -> int:
    """Rates below a percent need two digits to differ at all."""
    return 2 if abs(ratio) < _SMALL_RATIO else 1


def changed(figure: Figure) -> str:
    """How a figure changed, in a few characters; empty where nothing is known."""
    if figure.change is None:
        return ""
    if figure.change == 0:
        return "変わらず"
    if figure.unit == "ratio" or figure.relative is None:
        return number(figure.change, figure.unit, sign=True)
    if abs(figure.relative) < _SMALL_RATIO:
        return number(figure.change, figure.unit, sign=True)
    return f"{figure.relative * 100:+,.0f}%".replace("-", "−")


def day_in_words(day: dt.date) -> str:
    """2026年5月9日(土)."""
    return f"{day.year}年{day.month}月{day.day}日({WEEKDAYS[day.weekday()]})"


def span_in_words(first: dt.date, last: dt.date) -> str:
    """From when until when."""
    if first == last:
        return day_in_words(first)
    return f"{day_in_words(first)}〜{last.month}月{last.day}日({WEEKDAYS[last.weekday()]})"
