"""deployments.yaml is read whole or not at all, and every fault is told with its line."""

from pathlib import Path

import pytest

from infra.bundle import ROOT
from infra.deployments import Deployments, DeploymentsError, read_deployments

SOUND = """\
accounts:
  shop: {provider: acme, playbook: ec}
  salon: {provider: beauty, playbook: ec}
environments:
  dev:
    accounts:
      shop: {channel: "1650000001"}
  prod:
    aws_account: 012345678901
    region: ap-northeast-1
    parameters: {send_concurrency: 4, line_push_per_second: 100}
    accounts:
      shop: {channel: "1650000002", send_concurrency: 8}
      salon: {channel: "1650000003"}
"""


def read(tmp_path: Path, text: str) -> Deployments:
    (tmp_path / "ec").mkdir(exist_ok=True)
    (tmp_path / "ec" / "playbook.yaml").touch()
    path = tmp_path / "deployments.yaml"
    path.write_text(text, encoding="utf-8")
    found = read_deployments(path)
    assert found is not None
    return found


def test_without_a_file_there_is_the_one_stack(tmp_path: Path) -> None:
    assert read_deployments(tmp_path / "deployments.yaml") is None


def test_the_example_is_sound() -> None:
    found = read_deployments(ROOT / "deployments.example.yaml")
    assert found is not None
    assert [one.stack for one in found.every] == ["Musubi-dev-shop", "Musubi-prod-shop", "Musubi-prod-salon"]


def test_an_account_takes_its_environments_parameters_unless_it_says_otherwise(tmp_path: Path) -> None:
    found = read(tmp_path, SOUND)
    shop, salon = found.named("prod/shop"), found.named("prod/salon")
    assert (shop.parameters["SendConcurrency"], salon.parameters["SendConcurrency"]) == ("8", "4")
    assert shop.parameters["LinePushPerSecond"] == "100"
    assert found.named("dev/shop").parameters["SendConcurrency"] is None
    assert shop.aws_account == "012345678901", "digits are text: nothing turns into an octal"


def test_no_two_deployments_share_an_account_id_that_send_ids_are_made_of(tmp_path: Path) -> None:
    ids = [one.account_id for one in read(tmp_path, SOUND).every]
    assert ids == ["dev-shop", "prod-shop", "prod-salon"]


def test_a_deployment_that_was_there_before_can_be_taken_over(tmp_path: Path) -> None:
    shop = read(tmp_path, SOUND.replace('"1650000002"', '"1650000002", stack: Musubi, id: main')).named(
        "prod/shop"
    )
    assert (shop.stack, shop.parameters["Account"]) == ("Musubi", "main")


@pytest.mark.parametrize(
    ("sound", "broken", "line", "told"),
    [
        ("playbook: ec}\n  salon", "playbook: ec, colour: red}\n  salon", 2, "'colour' is no word"),
        ("  salon: {provider", "  shop: {provider", 3, "'shop' is written twice, first on line 2"),
        ("  salon: {provider", "  Salon: {provider", 3, "a name takes"),
        ("provider: beauty, ", "", 3, "'provider' is missing"),
        ("beauty, playbook: ec", "beauty, playbook: gone", 3, "there is no playbook.yaml in 'gone'"),
        ("  dev:", "  d-ev:", 5, "a name takes"),
        ('channel: "1650000001"', "channel: shop", 7, "digits alone"),
        ("012345678901", "12345", 9, "twelve digits"),
        ("ap-northeast-1", "Tokyo", 10, "a region such as"),
        ("send_concurrency: 4", "send_concurrency: 1", 11, "greater than or equal to 2"),
        ("send_concurrency: 4", "send_concurrenzy: 4", 11, "'send_concurrenzy' is no word"),
        ("send_concurrency: 8", "link_url: http://x.example", 13, "it takes an address such as https"),
        ('salon: {channel: "1650000003"}', "saloon: {channel: 1650000003}", 14, "'accounts' has no 'saloon'"),
        ('"1650000003"', '"1650000002"', 14, "is that of prod/shop as well"),
        ('"1650000003"', '"1650000003", stack: Musubi-prod-shop', 14, "one would replace the other"),
        ('"1650000003"', '"1650000003", id: prod-shop', 14, "the same ids"),
        ("  salon: {provider", "  all: {provider", 3, "stands for every account"),
        ("environments:", "environments: 3\nx:", 4, "'environments' is '3'"),
        ("accounts:\n  shop", "accounts: [\n  shop", 3, "this is no YAML"),
    ],
)
def test_each_fault_is_told_with_its_line(
    tmp_path: Path, sound: str, broken: str, line: int, told: str
) -> None:
    assert sound in SOUND
    with pytest.raises(DeploymentsError) as refused:
        read(tmp_path, SOUND.replace(sound, broken, 1))
    lines = str(refused.value).splitlines()
    assert any(one.startswith(f"deployments.yaml:{line}: ") and told in one for one in lines), lines


def test_all_faults_are_told_at_once_in_the_order_of_their_lines(tmp_path: Path) -> None:
    with pytest.raises(DeploymentsError) as refused:
        read(tmp_path, SOUND.replace("012345678901", "1").replace("beauty", "B").replace("Tokyo", "x"))
    assert [line.split(":")[1] for line in str(refused.value).splitlines()] == ["3", "9"]
