"""Lines are put into deployments.yaml, and everything that was there says what it said."""

import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ops.errors import UserError
from ops.setting_up.entry import NewAccount, with_entry

NEW = NewAccount(
    environment="prod", account="salon", channel="1650000003", provider="beauty", playbook="playbooks/salon",
    aws_account="123456789012", region="ap-northeast-1",
)  # fmt: skip
BEFORE = """\
# ours
accounts:              # each Official Account
  shop: {provider: acme, playbook: playbooks/ec}   # the shop

environments:
  dev:
    region: ap-northeast-1
    accounts:
      shop: {channel: "1650000001"}

  # the real one
  prod:
    accounts:
      shop:
        channel: "1650000002"
        bulk_concurrency: 40
      # more to come
"""


def read(text: str) -> Any:
    return yaml.load(text, Loader=yaml.BaseLoader)


def test_a_first_entry_makes_the_file() -> None:
    assert read(with_entry("", NEW)) == {
        "accounts": {"salon": {"provider": "beauty", "playbook": "playbooks/salon"}},
        "environments": {
            "prod": {
                "aws_account": "123456789012",
                "region": "ap-northeast-1",
                "accounts": {"salon": {"channel": "1650000003"}},
            }
        },
    }


def test_a_further_account_comes_behind_the_others_and_every_line_stays() -> None:
    text = with_entry(BEFORE, NEW)
    wanted = read(BEFORE)
    wanted["accounts"]["salon"] = {"provider": "beauty", "playbook": "playbooks/salon"}
    wanted["environments"]["prod"]["accounts"]["salon"] = {"channel": "1650000003"}
    assert read(text) == wanted
    kept = [line for line in text.splitlines() if "salon" not in line]
    assert kept == BEFORE.splitlines()


FOLDED = """\
accounts:
  shop:
    provider: acme
    playbook: >-
      playbooks/ec
environments:
  prod:
    accounts:
      shop:
        channel: |-
          1650000002
"""


def test_texts_of_several_lines_stay_whole() -> None:
    text = with_entry(FOLDED, NEW)
    assert read(text)["accounts"]["shop"] == read(FOLDED)["accounts"]["shop"]
    assert read(text)["accounts"].keys() == {"shop", "salon"}
    assert read(text)["environments"]["prod"]["accounts"].keys() == {"shop", "salon"}
    assert [line for line in text.splitlines() if "salon" not in line] == FOLDED.splitlines()


@pytest.mark.parametrize("account", ["shop", "salon"])
def test_a_further_environment_is_made(account: str) -> None:
    new = NewAccount(
        environment="staging", account=account, channel="1650000009", provider="acme", playbook="p",
        aws_account=None, region="eu-west-1",
    )  # fmt: skip
    told = read(with_entry(BEFORE, new))["environments"]
    assert told["staging"] == {"region": "eu-west-1", "accounts": {account: {"channel": "1650000009"}}}
    assert {name: told[name] for name in ("dev", "prod")} == read(BEFORE)["environments"]


def test_what_is_there_is_not_written_over() -> None:
    with pytest.raises(UserError, match="prod/salon is in the file already"):
        with_entry(with_entry(BEFORE, NEW), NEW)


def test_braces_get_their_lines_told_instead() -> None:
    with pytest.raises(UserError, match=re.escape('salon: {channel: "1650000003"}')):
        with_entry("accounts:\n  salon: {}\nenvironments:\n  prod: {accounts: {shop: {channel: '1'}}}\n", NEW)


NAMES = st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True)


@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=8, unique=True))
def test_entries_in_any_order_are_all_there(pairs: list[tuple[str, str]]) -> None:
    text, last = "", ""
    for number, (environment, account) in enumerate(pairs):
        new = NewAccount(
            environment=environment, account=account, channel=f"{number}", provider="acme", playbook=account,
            aws_account=None, region=None,
        )  # fmt: skip
        last, text = text, with_entry(text, new)
        assert [line for line in last.splitlines() if line not in text.splitlines()] == []
    told = read(text)
    assert {(e, a) for e, one in told["environments"].items() for a in one["accounts"]} == set(pairs)
    assert told["accounts"].keys() == {account for _, account in pairs}
