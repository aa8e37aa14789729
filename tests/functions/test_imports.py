"""What a cold start loads: each function imports what it needs and no more."""

import subprocess
import sys

import pytest

HEAVY = {"linebot", "pydantic", "jinja2", "yaml", "aws_cdk", "duckdb", "pandas"}
ALLOWED = {"send": {"linebot", "pydantic", "jinja2"}, "link": {"jinja2"}}
"""line-bot-sdk is built on pydantic; only `send` needs it. `link` speaks to LINE by itself, and shows pages."""


def loaded_by(module: str) -> set[str]:
    """The top-level packages in memory after importing a module in a fresh interpreter."""
    code = f"import {module}, sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    return set(
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
    )


@pytest.mark.parametrize(
    "function",
    [
        "webhook",
        "ingest",
        "decide",
        "tick",
        "evaluate",
        "send",
        "redrive",
        "link",
        "click",
        "insight",
        "facts",
    ],
)
def test_a_handler_loads_nothing_heavy_that_it_does_not_need(function: str) -> None:
    loaded = loaded_by(f"functions.{function}.handler")
    assert loaded & HEAVY <= ALLOWED.get(function, set())
    assert "boto3" in loaded


@pytest.mark.parametrize(
    "function",
    [
        "webhook",
        "ingest",
        "decide",
        "tick",
        "evaluate",
        "send",
        "redrive",
        "link",
        "click",
        "insight",
        "facts",
    ],
)
def test_importing_a_handler_builds_no_client_and_reads_no_setting(function: str) -> None:
    code = (
        "import boto3, os\n"
        "def no_client(*a, **k): raise SystemExit('a client was built at import')\n"
        "boto3.client = boto3.resource = boto3.Session.client = no_client\n"
        f"import functions.{function}.handler\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": "."})
