"""`make e2e` collects the files that have tests of the engine and no others: none may be left out."""

import re

from infra.bundle import ROOT
from tests.e2e.conftest import LONGEST_FIRST

MARK = "mark." + "e2e"  # in two, so that this file is none of them


def test_every_file_with_tests_of_the_engine_is_collected() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (named,) = re.findall(r"^ENGINE_TESTS := (.+)$", makefile, re.MULTILINE)
    homes = [ROOT / one for one in named.split()]
    marked = [path for path in (ROOT / "tests").rglob("*.py") if MARK in path.read_text(encoding="utf-8")]
    assert len(marked) > 20
    assert [one for one in marked if not any(one.is_relative_to(home) for home in homes)] == []


def test_the_files_that_begin_first_exist() -> None:
    assert [name for name in LONGEST_FIRST if not (ROOT / "tests" / "e2e" / f"{name}.py").exists()] == []
