"""What looks like a secret is found, unless somebody looked at it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.supply import leaks

# Put together here, so that this file itself holds none.
TOKEN = "AKIA" + "QW3E5RT7Y9UI1OP2"
CHANNEL_SECRET = "f3a9c1d27b" + "5e8064a1c9d3e7f2b80156"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("build/\n", encoding="utf-8")
    return tmp_path


def found(root: Path) -> set[tuple[str, int]]:
    return {(one.file, one.line) for one in leaks.leaks_in(root, leaks.tracked(root))}


@pytest.mark.parametrize(
    "line",
    [
        f'key = "{TOKEN}"',
        f'{{"channel_secret": "{CHANNEL_SECRET}"}}',
        "-----BEGIN RSA " + "PRIVATE KEY-----",
        "LINE_API_PASS" + 'WORD = "hunter2-and-more"',
    ],
)  # fmt: skip
def test_a_secret_is_found_with_its_file_and_line(checkout: Path, line: str) -> None:
    (checkout / "settings.py").write_text(f"# settings\n{line}\n", encoding="utf-8")
    assert found(checkout) == {("settings.py", 2)}


def test_a_line_that_says_that_it_is_none_is_spared(checkout: Path) -> None:
    (checkout / "a.py").write_text(f'key = "{TOKEN}"  # pragma: allowlist secret\n', encoding="utf-8")
    assert found(checkout) == set()


def test_the_name_of_a_secret_is_none(checkout: Path) -> None:
    (checkout / "a.py").write_text(
        'SECRET = "line"\nfields = {"Secret": "channel_secret"}\n', encoding="utf-8"
    )
    assert found(checkout) == set()


def test_locks_and_what_git_ignores_are_not_looked_at(checkout: Path) -> None:
    (checkout / "requirements").mkdir()
    (checkout / ".gitignore").write_text("local.json\nbuild/\n", encoding="utf-8")
    for name in ("requirements/dev.txt", "local.json"):
        (checkout / name).write_text(f'key = "{TOKEN}"\n', encoding="utf-8")
    assert found(checkout) == set()


def test_the_baseline_knows_a_value_wherever_its_line_moves_but_in_no_other_file(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "a.py").write_text(f'key = "{TOKEN}"\n', encoding="utf-8")
    assert leaks.main(["--write"], checkout) == 0
    (checkout / "a.py").write_text(f'\n\nkey = "{TOKEN}"\n', encoding="utf-8")
    assert leaks.main([], checkout) == 0
    (checkout / "b.py").write_text(f'key = "{TOKEN}"\n', encoding="utf-8")
    assert leaks.main([], checkout) == 1
    told = capsys.readouterr().err
    assert "b.py:1: looks like a secret" in told
    assert TOKEN not in told + (checkout / leaks.BASELINE).read_text(encoding="utf-8")


def test_what_has_not_changed_is_not_looked_at_again_and_still_counts(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (("a.py", f'key = "{TOKEN}"'), ("b.py", ""), ("gone.py", "")):
        (checkout / name).write_text(text, encoding="utf-8")
    first = leaks.remembered(checkout, leaks.tracked(checkout))
    looked: list[str] = []
    really = leaks.leaks_in

    def looking(root: Path, files: list[str]) -> Iterator[leaks.Leak]:
        looked.extend(files)
        return really(root, files)

    monkeypatch.setattr(leaks, "leaks_in", looking)
    assert leaks.remembered(checkout, leaks.tracked(checkout)) == first != []
    assert looked == []
    (checkout / "b.py").write_text(f'key = "{TOKEN}"', encoding="utf-8")
    (checkout / "gone.py").unlink()
    assert [one.file for one in leaks.remembered(checkout, leaks.tracked(checkout))] == ["a.py", "b.py"]
    assert looked == ["b.py"]


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"a.py": 1}'])
def test_a_broken_memory_is_no_memory(checkout: Path, text: str) -> None:
    (checkout / "build").mkdir()
    (checkout / leaks.SEEN).write_text(text, encoding="utf-8")
    (checkout / "a.py").write_text(f'key = "{TOKEN}"', encoding="utf-8")
    assert [one.file for one in leaks.remembered(checkout, leaks.tracked(checkout))] == ["a.py"]
