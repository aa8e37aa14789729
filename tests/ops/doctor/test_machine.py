"""What is missing on a machine, each with how to mend it."""

from dataclasses import replace

import pytest

from ops.doctor.findings import Status
from ops.doctor.machine import Machine, findings, look

WELL = Machine(
    python=(3, 11), node="20.1.0", cdk="2.1", cdk_wanted="2.1", has_engine=True, has_browser=True, free_gb=9.0,
    can_listen=True,
)  # fmt: skip


def test_on_a_machine_that_has_everything_nothing_is_to_mend() -> None:
    assert {one.status for one in findings(WELL)} == {"ok"}


@pytest.mark.parametrize(
    ("seen", "check", "status"),
    [
        (replace(WELL, python=(3, 10)), "python", "mend"),
        (replace(WELL, node=""), "node", "mend"),
        (replace(WELL, node="18.19.1"), "node", "mend"),
        (replace(WELL, has_engine=False), "engine", "mend"),
        (replace(WELL, free_gb=1.0), "disk", "mend"),
        (replace(WELL, can_listen=False), "ports", "mend"),
        (replace(WELL, cdk=""), "cdk", "note"),
        (replace(WELL, cdk="2.0"), "cdk", "note"),
        (replace(WELL, has_browser=False), "browser", "note"),
    ],
)
def test_each_lack_is_one_finding_that_says_how_to_mend_it(seen: Machine, check: str, status: Status) -> None:
    off = [one for one in findings(seen) if one.status != "ok"]
    assert [(one.check, one.status) for one in off] == [(check, status)]
    assert off[0].how


def test_this_machine_can_be_looked_at_and_runs_what_it_runs() -> None:
    seen = look()
    assert seen.python >= (3, 11)
    assert seen.node.split(".")[0].isdigit()
    assert seen.can_listen
    assert seen.cdk_wanted.startswith("2.")
