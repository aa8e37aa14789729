"""Every lesson that others paid for has its tests."""

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LESSONS = {
    1: "send, then record, in one retried unit",
    2: "409 treated as a failure; no retry key at all",
    3: "check, then insert, as uniqueness",
    4: "partial enqueue failures ignored",
    5: "the checkpoint advances when a batch is fetched",
    6: '"finished" with people unsent',
    7: "one bad recipient makes the whole batch send again",
    8: "overlapping schedulers; a full rebuild whatever has changed",
    9: "a fixed UTC offset; caps by calendar day",
    10: "a look-back shorter than the longest pause or replay",
    11: "slow by design",
    12: "security added later",
}


@pytest.mark.parametrize(("number", "lesson"), LESSONS.items())
def test_every_lesson_is_a_test_that_says_what_went_wrong(number: int, lesson: str) -> None:
    (module,) = HERE.glob(f"test_{number:02}_*.py")
    tree = ast.parse(module.read_text(encoding="utf-8"))
    tests = [one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")]
    assert (ast.get_docstring(tree) or "").startswith(f"{number}. "), lesson
    assert tests, lesson
    assert [one.name for one in tests if not ast.get_docstring(one)] == []
