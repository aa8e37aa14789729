"""`--account` names one of several deployments."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from infra.bundle import ROOT
from ops.deployment import chosen, deployment_options, region_of
from ops.errors import UserError

FILE = ROOT / "deployments.example.yaml"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / "local.json"
    path.write_text(
        json.dumps({"accounts": {"shop": {"state": "a.json"}, "salon": {"state": "b.json"}}}), "utf-8"
    )
    return path


def test_an_account_of_an_environment_is_its_stack_in_its_region(state: Path) -> None:
    assert chosen("prod/salon", None, state, FILE) == ("Musubi-prod-salon", state)
    assert region_of("Musubi-prod-salon", FILE) == "ap-northeast-1"
    assert region_of("Musubi", FILE) is None


def test_an_account_of_this_machine_is_its_state_file(state: Path) -> None:
    assert chosen("salon", None, state) == (None, Path("b.json"))


@pytest.mark.parametrize(
    ("account", "stack", "told"),
    [
        ("shop", "Musubi", "both name a deployment"),
        ("spa", None, "it has shop, salon"),
        ("prod/spa", None, "it deploys dev/shop, prod/shop, prod/salon"),
    ],
)
def test_a_mistake_is_one_line(state: Path, account: str, stack: str | None, told: str) -> None:
    with pytest.raises(UserError, match=told):
        chosen(account, stack, state, FILE)


def test_a_machine_with_one_account_says_so(tmp_path: Path) -> None:
    (tmp_path / "local.json").write_text("{}", "utf-8")
    with pytest.raises(UserError, match="leave --account out"):
        chosen("shop", None, tmp_path / "local.json")


def test_a_command_sees_the_account_as_a_state(state: Path) -> None:
    @click.command()
    @click.argument("word")
    @deployment_options
    def say(word: str, stack: str | None, state: Path) -> None:
        click.echo(f"{word} {stack} {state}")

    answer = CliRunner().invoke(say, ["x", "--local", str(state), "--account", "shop"])
    assert answer.output == "x None a.json\n"
    assert CliRunner().invoke(say, ["x", "--stack", "S", "--local", "l"]).output == "x S l\n"
