"""Deploying to AWS with the CDK's own command, from a fresh clone."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from infra.bundle import ROOT
from tests.infra.conftest import Template

NPM_FILES = ("package.json", "package-lock.json", ".npmrc")
SECONDS_MAX = 300


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)


def test_the_pinned_command_synthesizes_the_same_template(tmp_path: Path, template: Template) -> None:
    for name in NPM_FILES:
        shutil.copy(ROOT / name, tmp_path)
    installed = run("npm", "ci", "--ignore-scripts", cwd=tmp_path)
    assert installed.returncode == 0, installed.stderr
    cdk = tmp_path / "node_modules" / ".bin" / "cdk"
    done = run(str(cdk), "synth", "--quiet", "--output", str(tmp_path / "out"), cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out" / "Musubi.template.json").read_text(encoding="utf-8")) == template


def test_the_lock_names_no_place_to_download_from() -> None:
    locked = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    packages = [package for name, package in locked["packages"].items() if name]
    assert packages
    assert all("integrity" in package and "resolved" not in package for package in packages)


def test_without_the_command_a_missing_target_is_one_line(tmp_path: Path) -> None:
    environment = os.environ | {"CDK_OUTDIR": str(tmp_path), "CDK_CONTEXT_JSON": '{"target": "moon"}'}
    done = subprocess.run(
        [ROOT / ".venv" / "bin" / "python", "-m", "infra.app"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=SECONDS_MAX, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.strip() == "The bundle's target must be aws or local, but is 'moon'."
