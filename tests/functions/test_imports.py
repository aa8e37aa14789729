"""What a cold start loads: each function imports what it needs and no more."""

import subprocess
import sys
from functools import cache

import pytest

from ops.bench.cold import CEILINGS, handlers

HEAVY = {"linebot", "pydantic", "jinja2", "yaml", "aws_cdk", "duckdb", "pandas"}
ALLOWED = {"send": {"jinja2"}, "link": {"jinja2"}, "measure": {"duckdb"}}
EVERY = pytest.mark.parametrize("function", handlers())


@cache
def loaded_by(module: str) -> frozenset[str]:
    """All modules in memory after importing one in a fresh interpreter."""
    code = f"import {module}, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return frozenset(done.stdout.split())


@EVERY
def test_a_handler_loads_nothing_heavy_that_it_does_not_need(function: str) -> None:
    loaded = {name.partition(".")[0] for name in loaded_by(f"functions.{function}.handler")}
    assert loaded & HEAVY <= ALLOWED.get(function, set())
    assert "boto3" in loaded


@EVERY
def test_a_handler_loads_no_more_modules_than_its_ceiling(function: str) -> None:
    """What counting can tell of a cold start; `make bench` has its time and memory, and the ceilings."""
    beside = loaded_by(f"functions.{function}.handler") - loaded_by("boto3")
    assert len(beside) <= CEILINGS[function].modules, sorted(beside)


@EVERY
def test_importing_a_handler_builds_no_client_and_reads_no_setting(function: str) -> None:
    code = (
        "import boto3, os\n"
        "def no_client(*a, **k): raise SystemExit('a client was built at import')\n"
        "boto3.client = boto3.resource = boto3.Session.client = no_client\n"
        f"import functions.{function}.handler\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": "."})
