"""`musubi init` and `musubi accounts`, as a person types them."""

import json
from pathlib import Path

import pytest

from infra.bundle import ROOT
from infra.deployments import read_deployments
from ops.engine.errors import LocalError
from ops.setting_up import webhooks
from ops.setting_up.command import READY
from ops.target import Target
from tests.ops.stopped import run

HOOK = "https://abc.example/webhook"


@pytest.fixture(autouse=True)
def stacks(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Which stacks stand, with their webhook's address."""
    standing: dict[str, str] = {}

    def target(stack: str, _region: str | None) -> Target:
        if stack not in standing:
            raise LocalError(f"There is no stack {stack}")
        return Target({"WebhookUrl": standing[stack]}, {}, None)  # type: ignore[arg-type]

    monkeypatch.setattr(webhooks, "aws_target", target)
    return standing


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "deployments.yaml"


def begin(
    capsys: pytest.CaptureFixture[str], file: Path, name: str, channel: str, *more: str
) -> tuple[int, str, str]:
    return run(capsys, "init", name, "--channel", channel, "--file", str(file), *more)


def test_a_new_account_can_be_deployed_and_its_playbook_is_sound(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = begin(capsys, file, "prod/salon", "1650000001", "--playbook", "store")
    assert code == 0
    found = read_deployments(file)
    assert found is not None
    (one,) = found.every
    assert (one.name, one.channel, one.region, one.stack) == (
        "prod/salon", "1650000001", "ap-northeast-1", "Musubi-prod-salon",
    )  # fmt: skip
    assert run(capsys, "check", str(one.playbook))[0] == 0
    for command in (
        f"musubi check {one.playbook}",
        "npx cdk deploy Musubi-prod-salon",
        "musubi apply",
        "musubi doctor",
    ):
        assert command in out


def test_where_the_stack_stands_the_webhook_address_is_told(
    file: Path, stacks: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    stacks["Musubi-prod-shop"] = HOOK
    _, out, _ = begin(capsys, file, "prod/shop", "1650000001")
    assert out.rstrip().endswith(HOOK)
    assert "cdk deploy" not in out


def test_a_second_environment_takes_the_accounts_playbook(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begin(capsys, file, "dev/shop", "1650000001")
    (file.parent / "playbooks" / "shop" / "events.yaml").write_text("ours: now\n", encoding="utf-8")
    assert begin(capsys, file, "prod/shop", "1650000002")[0] == 0
    assert (file.parent / "playbooks" / "shop" / "events.yaml").read_text(encoding="utf-8") == "ours: now\n"
    found = read_deployments(file)
    assert found is not None
    assert [one.name for one in found.every] == ["dev/shop", "prod/shop"]


@pytest.mark.parametrize(
    ("name", "channel", "told"),
    [
        ("prod/shop", "1650000009", "is in the file already"),
        ("dev/other", "1650000001", "a channel belongs to one deployment"),
        ("dev/All Caps", "1650000009", "a name takes"),
        ("shop", "1650000009", "ENVIRONMENT/ACCOUNT"),
        ("dev/taken", "1650000009", "is there already, and stays as it is"),
        ("dev/other", "no digits", "it takes the channel id"),
    ],
)
def test_a_mistake_is_one_line_and_changes_nothing(
    file: Path, capsys: pytest.CaptureFixture[str], name: str, channel: str, told: str
) -> None:
    begin(capsys, file, "prod/shop", "1650000001")
    (file.parent / "playbooks" / "taken").mkdir()
    before = {one: one.stat().st_mtime_ns for one in file.parent.rglob("*")}
    text = file.read_text(encoding="utf-8")
    code, _, err = begin(capsys, file, name, channel)
    assert (code, told in err) == (2, True), err
    assert {
        one: one.stat().st_mtime_ns for one in file.parent.rglob("*") if one != file and one.is_file()
    } == {one: at for one, at in before.items() if one != file and one.is_file()}
    assert file.read_text(encoding="utf-8") == text


def test_accounts_are_listed_with_the_webhook_of_those_that_are_deployed(
    file: Path, stacks: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    begin(capsys, file, "dev/shop", "1650000001")
    begin(capsys, file, "prod/shop", "1650000002")
    stacks["Musubi-prod-shop"] = HOOK
    _, out, _ = run(capsys, "accounts", "--file", str(file), "--format", "json")
    told = {one["name"]: one for one in json.loads(out)}
    assert told["prod/shop"]["webhook_url"] == HOOK
    assert (told["dev/shop"]["webhook_url"], told["dev/shop"]["why"]) == (
        None,
        "There is no stack Musubi-dev-shop",
    )
    assert told["dev/shop"]["region"] == "ap-northeast-1"
    _, out, _ = run(capsys, "accounts", "--file", str(file))
    assert all(word in out for word in ("dev/shop", "prod/shop", "1650000002"))


def test_without_a_file_the_way_to_one_is_told(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "accounts", "--file", str(file))
    assert (code, "musubi init" in err) == (2, True)


def test_the_ready_playbooks_are_those_that_there_are() -> None:
    assert sorted(one.parent.name for one in (ROOT / "playbooks").glob("*/playbook.yaml")) == sorted(READY)
