"""docs/architecture.md names files that are there, and every function; the README's commands exist."""

import re
import xml.etree.ElementTree as ET

import pytest

from infra.bundle import ROOT
from ops.cli import musubi

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
PICTURE = ROOT / "docs" / "architecture.svg"
FUNCTIONS = sorted(one.parent.name for one in (ROOT / "functions").glob("*/handler.py"))
PATHS = sorted({one for one in re.findall(r"`([\w./-]+/[\w./-]*|\.importlinter)`", PAGE) if "…" not in one})


@pytest.mark.parametrize("path", PATHS)
def test_every_path_that_it_names_is_there(path: str) -> None:
    assert (ROOT / path).exists()


def test_it_names_many_paths() -> None:
    assert len(PATHS) > 60


@pytest.mark.parametrize(
    "page", ["docs/architecture.md", "README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]
)
def test_every_link_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [one for one in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in one]
    assert [one for one in links if not ((ROOT / page).parent / one).exists()] == []


def test_files_named_beside_others_are_there() -> None:
    for name in ("turns.py", "sql.py"):
        assert (ROOT / "functions" / "domain" / "segments" / name).exists()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_told_of_and_drawn(name: str) -> None:
    drawn = {one.text for one in ET.parse(PICTURE).iter("{http://www.w3.org/2000/svg}text")}
    assert f"`{name}`" in PAGE
    assert name in drawn


def test_every_command_of_the_readme_exists() -> None:
    named = set(re.findall(r"^\$ musubi ([a-z]+)", README, re.MULTILINE))
    assert len(named) > 25
    assert named <= set(musubi.list_commands(None))  # type: ignore[arg-type]


def test_every_target_of_the_readme_exists() -> None:
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"^\$ make ([a-z-]+)", README, re.MULTILINE)) <= made
