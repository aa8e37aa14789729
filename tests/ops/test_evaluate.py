"""`musubi evaluate`: a file of events → the size of every segment."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops.cli import main
from ops.evaluate import evaluate

EC = Path(__file__).parents[2] / "playbooks" / "ec"
AT = "2026-11-20T00:00:00Z"
HEAD = "event_id,customer_id,name,occurred_at,order_id,amount,category,tag\n"
ROWS = [
    "e1,anna,purchase,2026-10-01T00:00:00Z,o1,4800,skincare,",
    "e2,ben,purchase,2026-10-01T00:00:00Z,o2,30000.5,food,",
    "e3,ben,purchase,2026-11-19T00:00:00+09:00,o3,30000.5,,",
    "e3,ben,purchase,2026-11-19T00:00:00+09:00,o3,30000.5,,",
    "e4,cleo,tag_added,2026-11-01T00:00:00Z,,,,vip",
    "e5,dora,purchase,2026-11-20T00:00:01Z,o5,100,,",
]
EXPECTED = {"buyers": 2, "f2_candidates": 1, "first_purchase": 1, "repeat": 1, "vip": 2, "never_bought": 1}


def run(file: Path, *options: str, at: str = AT) -> Result:
    return CliRunner().invoke(evaluate, [str(EC), "--events", str(file), "--at", at, *options])


def csv_file(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "events.csv"
    path.write_text(HEAD + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def test_a_csv_file_is_folded_and_counted(tmp_path: Path) -> None:
    result = run(csv_file(tmp_path, *ROWS), "--format", "json")
    assert result.exit_code == 0
    sizes = json.loads(result.stdout)
    assert {name: sizes[name] for name in EXPECTED} == EXPECTED
    assert len(sizes) == 36
    assert "1 events after --at were left out" in result.stderr


def test_jsonl_gives_the_same_as_csv(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    events = []
    for row in ROWS:
        event_id, customer_id, name, occurred_at, order_id, amount, category, tag = row.split(",")
        given = {"order_id": order_id, "amount": float(amount or 0) or None, "category": category, "tag": tag}
        properties = {key: value for key, value in given.items() if value}
        events.append({"event_id": event_id, "customer_id": customer_id, "name": name, "occurred_at": occurred_at, "properties": properties})  # fmt: skip
    path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    assert json.loads(run(path, "--format", "json").stdout) == json.loads(
        run(csv_file(tmp_path, *ROWS), "--format", "json").stdout
    )


def test_the_order_of_the_rows_does_not_matter(tmp_path: Path) -> None:
    straight = run(csv_file(tmp_path, *ROWS), "--format", "json").stdout
    assert run(csv_file(tmp_path, *reversed(ROWS)), "--format", "json").stdout == straight


def test_time_alone_moves_people_between_segments(tmp_path: Path) -> None:
    file = csv_file(tmp_path, ROWS[0])
    day_30 = json.loads(run(file, "--format", "json", at="2026-10-31T23:59:59Z").stdout)
    day_31 = json.loads(run(file, "--format", "json", at="2026-11-01T00:00:00Z").stdout)
    assert (day_30["f2_candidates"], day_31["f2_candidates"]) == (0, 1)


def test_rejected_events_are_counted_and_the_first_shown_with_their_lines(tmp_path: Path) -> None:
    bad = [
        "e7,eve,purchased,2026-10-01T00:00:00Z,o,1,,",
        "e8,eve,purchase,2026-10-01T00:00:00Z,,1,,",
        "e9,eve,purchase,2026-10-01T00:00:00Z,o,many,,",
        "ea,eve,purchase,yesterday,o,1,,",
        "eb,eve,purchase",
        "ec,eve,purchase,2026-10-01,o,1,,",
    ]
    result = run(csv_file(tmp_path, *ROWS, *bad), "--format", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["buyers"] == 2
    shown = result.stderr.splitlines()
    assert shown[0] == "6 events were rejected; the first:"
    assert [line.split(": ")[:2] for line in shown[1:6]] == [
        ["  line 8", "unknown_event"],
        ["  line 9", "missing_property"],
        ["  line 10", "wrong_type"],
        ["  line 11", "malformed"],
        ["  line 12", "malformed"],
    ]


def test_a_line_that_is_no_json_is_rejected_alone(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"event_id": \n\n[]\n', encoding="utf-8")
    result = run(path)
    assert result.exit_code == 0
    assert "  line 1: malformed" in result.stderr
    assert "  line 3: malformed" in result.stderr


def test_text_is_for_people(tmp_path: Path) -> None:
    result = run(csv_file(tmp_path, *ROWS))
    assert re.search(r"^buyers +2$", result.stdout, re.MULTILINE)
    assert result.stdout.endswith("3 customers\n")


@pytest.mark.parametrize(
    ("directory", "content", "at", "part"),
    [
        (EC, None, AT, "cannot be read"),
        (EC / "nowhere", HEAD, AT, "no such directory"),
        (EC, HEAD, "2026-11-20", "has no zone"),
        (EC, "event_id,name\n", AT, "lacks the column customer_id, occurred_at"),
        (EC, "", AT, "lacks the column"),
    ],
)
def test_a_mistake_is_one_line_on_standard_error_and_exit_code_2(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    directory: Path,
    content: str | None,
    at: str,
    part: str,
) -> None:
    file = tmp_path / "events.csv"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", str(directory), "--events", str(file), "--at", at])
    shown = capsys.readouterr()
    assert (caught.value.code, shown.out) == (2, "")
    assert len(shown.err.splitlines()) == 1
    assert part in shown.err


def test_a_bar_goes_to_a_terminal_and_never_into_the_answer(tmp_path: Path) -> None:
    arguments = [str(EC), "--events", str(csv_file(tmp_path, *ROWS)), "--at", AT, "--format", "json"]
    result = CliRunner().invoke(evaluate, arguments, env={"TTY_COMPATIBLE": "1"})
    assert "folding" in result.stderr
    assert json.loads(result.stdout)["buyers"] == 2
    assert "folding" not in run(csv_file(tmp_path, *ROWS)).stderr
