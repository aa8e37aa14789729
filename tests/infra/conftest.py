"""The synthesized template, once a session, whichever of its workers asks first."""

import fcntl
import json
import os
from pathlib import Path
from typing import Any

import pytest

from infra.app import STACK_NAME, build_app

Template = dict[str, Any]


def synthesize(target: str, outdir: Path) -> Template:
    """The stack's template with the bundle for `target`."""
    app, _ = build_app(str(outdir), {"target": target})
    app.synth()
    template: Template = json.loads((outdir / f"{STACK_NAME}.template.json").read_text(encoding="utf-8"))
    return template


def synthesized(target: str, factory: pytest.TempPathFactory) -> Template:
    """The same, as the first of the tests' workers has made it: each synthesis is seconds of processor."""
    base = factory.getbasetemp()
    home = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    kept = home / f"template-{target}.json"
    with (home / f"template-{target}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_text(json.dumps(synthesize(target, factory.mktemp(target))), encoding="utf-8")
    template: Template = json.loads(kept.read_text(encoding="utf-8"))
    return template


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """What goes to AWS."""
    return synthesized("aws", tmp_path_factory)


@pytest.fixture(scope="session")
def local_template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """What goes to the embedded engine."""
    return synthesized("local", tmp_path_factory)
