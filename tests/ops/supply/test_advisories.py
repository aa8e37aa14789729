"""A clean answer and no answer are not the same."""

from typing import Any

import pytest

from ops.supply.advisories import FOUND, UNASKED, read, told

CLEAN: dict[str, Any] = {"name": "six", "version": "1.17.0", "vulns": []}
SKIPPED: dict[str, Any] = {"name": "uv", "skip_reason": "Dependency not found"}
BAD: dict[str, Any] = {
    "name": "jinja2", "version": "3.1.2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1.3"], "aliases": []}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("dependencies", "code", "says"),
    [
        ([CLEAN], 0, "1 packages looked at, 0 vulnerabilities known"),
        ([CLEAN, BAD], FOUND, "jinja2 3.1.2: PYSEC-1, mended in 3.1.3"),
        ([SKIPPED], UNASKED, "NOT CHECKED: the advisory database cannot be reached from here"),
        ([CLEAN, SKIPPED], UNASKED, "NOT CHECKED: uv"),
        ([BAD, SKIPPED], FOUND, "jinja2 3.1.2: PYSEC-1"),
    ],
)
def test_what_is_known_and_what_was_not_asked_are_told_apart(
    dependencies: list[dict[str, Any]], code: int, says: str
) -> None:
    found, text = told("core", read({"dependencies": dependencies, "fixes": []}))
    assert (found, says in text) == (code, True)


def test_no_answer_at_all_is_said_plainly() -> None:
    assert told("core", None)[0] == UNASKED
