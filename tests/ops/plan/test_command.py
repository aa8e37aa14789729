"""`musubi plan`, as it is called."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from ops.plan.command import plan

EC = Path(__file__).parents[3] / "playbooks" / "ec"
AT = "2026-11-20T00:00:00Z"


def event(number: int, customer_id: str, name: str, at: str, **properties: Any) -> str:
    return json.dumps(
        {"event_id": f"e{number}", "customer_id": customer_id, "name": name, "occurred_at": at, "properties": properties}
    )  # fmt: skip


def file_of(folder: Path, *events: str, name: str = "events.jsonl") -> Path:
    path = folder / name
    path.write_text("\n".join(events) + "\n", encoding="utf-8")
    return path


def purchases(folder: Path, count: int = 3) -> Path:
    rows = [event(n, f"c{n}", "purchase", f"2026-10-0{n + 1}T00:00:00Z", order_id=f"o{n}", amount=900) for n in range(count)]  # fmt: skip
    return file_of(folder, *rows)


def run(*options: object, directory: Path = EC) -> Result:
    return CliRunner().invoke(plan, [str(directory), "--workers", "1", *map(str, options)])


def forecast(*options: object) -> dict[str, Any]:
    result = run(*options, "--format", "json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_file_of_events_gives_the_coming_weeks(tmp_path: Path) -> None:
    found = forecast("--events", purchases(tmp_path), "--linked", "--at", AT)
    weekly = next(source for source in found["sources"] if source["name"] == "weekly")
    assert (found["customers"], found["reachable"], len(found["days"])) == (3, 3, 29)
    assert (weekly["targeted"], sum(weekly["sent"].values())) == (12, 12)


def test_without_linked_nobody_of_a_plain_file_is_reached(tmp_path: Path) -> None:
    found = forecast("--events", purchases(tmp_path), "--at", AT)
    assert found["reachable"] == 0
    assert "nobody_reachable" in [caution["code"] for caution in found["cautions"]]


def test_the_forecast_begins_at_the_newest_event_unless_told(tmp_path: Path) -> None:
    assert forecast("--events", purchases(tmp_path), "--linked")["start"] == "2026-10-03T00:00:00Z"


def test_replayed_days_and_expected_events_start_scenarios(tmp_path: Path) -> None:
    history = purchases(tmp_path)
    assumed = file_of(tmp_path, event(9, "new", "purchase", "2026-11-21T03:00:00Z", order_id="o9"), name="expected.jsonl")  # fmt: skip
    expected = forecast("--events", history, "--linked", "--at", AT, "--assume", assumed)
    assert expected["assumed"] == {"linked": True, "replay_days": 0, "events": 1}
    again = forecast("--events", history, "--linked", "--at", "2026-10-04T00:00:00Z", "--replay-days", 7)
    for found in (expected, again):
        path = next(source for source in found["sources"] if source["name"] == "second_purchase")
        assert path["entered"] >= 1
        assert path["sent"]
    assert again["assumed"]["events"] == 12


def test_a_playbook_is_compared_with_another_folder(tmp_path: Path) -> None:
    found = forecast("--events", purchases(tmp_path), "--at", AT, "--against", EC)
    assert found["against"] == found["version"]
    assert found["differences"] == []
    assert all(size["old"] == size["new"] for size in found["segments"])


def test_the_page_is_written_where_asked(tmp_path: Path) -> None:
    result = run(
        "--events", purchases(tmp_path), "--linked", "--at", AT, "--html", tmp_path / "new" / "plan.html"
    )
    assert result.exit_code == 0
    assert "配信の見通し" in (tmp_path / "new" / "plan.html").read_text(encoding="utf-8")
    assert "No new events come in" in " ".join(result.stdout.split())
