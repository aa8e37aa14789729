"""The forge's workflow runs what is in the repository, with actions that cannot be exchanged."""

import re

import yaml

from infra.bundle import ROOT

WORKFLOW = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")


def test_every_action_is_pinned_by_commit_with_its_release_beside_it() -> None:
    uses = re.findall(r"uses: (.*)", WORKFLOW)
    assert uses
    assert all(re.fullmatch(r"[a-z-]+/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+ .*", one) for one in uses)


def test_one_action_has_one_commit() -> None:
    pinned = re.findall(r"uses: (\S+)@(\S+)", WORKFLOW)
    assert len({name for name, _ in pinned}) == len(set(pinned))


def test_it_may_read_and_do_nothing_else_and_runs_the_whole_suite() -> None:
    read = yaml.safe_load(WORKFLOW)
    assert read["permissions"] == {"contents": "read"}
    assert "permissions" not in read["jobs"]["test"]
    assert ".ci/run" in [step.get("run") for step in read["jobs"]["test"]["steps"]]


def test_every_target_that_it_makes_exists() -> None:
    targets = re.findall(r"run: make (\S+)", WORKFLOW)
    made = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert targets
    assert set(targets) <= set(made)
