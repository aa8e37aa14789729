"""`musubi check`: faults one a line on standard error and exit code 2, else a summary."""

from pathlib import Path

from click.testing import CliRunner

from ops.check import check

EC = Path(__file__).parents[2] / "playbooks" / "ec"


def test_a_sound_playbook_is_summed_up_on_standard_output() -> None:
    result = CliRunner().invoke(check, [str(EC)])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(
        f"{EC} is sound: 16 events, 36 segments, 18 scenarios, 2 campaigns, 54 messages; version "
    )
    assert len(result.stdout.splitlines()) == 1


def test_a_missing_directory_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    result = CliRunner().invoke(check, [str(tmp_path / "nowhere")])
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert "there is no such directory" in result.stderr


def spoilt(target: Path, name: str, old: str, new: str) -> Path:
    for path in EC.rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        copy = target / path.relative_to(EC)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text.replace(old, new) if path.name == name else text, encoding="utf-8")
    return target


def test_faults_are_one_line_each_with_file_and_line(tmp_path: Path) -> None:
    directory = spoilt(tmp_path, "weekly.yaml", "segment: buyers", "segment: byers\nhue: 3")
    result = CliRunner().invoke(check, [str(directory)])
    assert (result.exit_code, result.stdout) == (2, "")
    lines = result.stderr.splitlines()
    assert lines == [f"{directory}/campaigns/weekly.yaml:5: hue is not known here; take it out"]


def test_warnings_are_listed_and_do_not_fail(tmp_path: Path) -> None:
    directory = spoilt(tmp_path, "f2_day14_coupon.yaml", "discount_reason: first purchase\n", "")
    result = CliRunner().invoke(check, [str(directory)])
    assert result.exit_code == 0
    assert f"{directory}/messages/f2_day14_coupon.yaml:9: warning: a discount here" in result.stderr
    assert "is sound" in result.stdout
