"""The synthesized template, once a session."""

import json
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


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """What goes to AWS."""
    return synthesize("aws", tmp_path_factory.mktemp("aws"))


@pytest.fixture(scope="session")
def local_template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """What goes to the embedded engine."""
    return synthesize("local", tmp_path_factory.mktemp("local"))
