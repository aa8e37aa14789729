"""What each function's cold start imports: processor time and memory, in fresh processes, beside boto3 alone."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from typing import Final

import msgspec

from infra.bundle import ROOT
from ops.bench.measure import Measure

REPETITIONS: Final = 7
BASE: Final = "boto3"
WEBHOOK_MS_MAX: Final = 60.0
CEILINGS: Final = {"webhook": (WEBHOOK_MS_MAX, 10.0), "send": (900.0, 80.0)}
"""Milliseconds and MB above boto3 alone. Only `send` speaks to LINE, through its SDK."""
CEILING: Final = (120.0, 20.0)
NEVER: Final = ("linebot", "pydantic")
SECONDS_MAX = 60
_CODE: Final = """
import json, pathlib, resource, sys, time
began = time.process_time()
import {module}
took = time.process_time() - began
# What getrusage tells begins with the size of the process that forked this one; the system's own figure does not.
status = pathlib.Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else []
memory = next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)
memory = memory or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
loaded = sorted({{name.split(".")[0] for name in sys.modules}} & {{{never}}})
print(json.dumps({{"ms": took * 1000, "mb": memory / 1024, "loaded": loaded}}))
"""


class Imported(msgspec.Struct):
    """A module, imported in a fresh process: processor milliseconds, peak MB, and what it brought that it must not."""

    ms: float
    mb: float
    loaded: list[str] = []


def handlers() -> list[str]:
    """The names of all functions that have a handler."""
    return sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))


def imported(advance: Callable[[], None]) -> dict[str, Imported]:
    """boto3 and every handler by turns; the least of each, for what else the machine does only adds."""
    modules = {BASE: BASE, **{name: f"functions.{name}.handler" for name in handlers()}}
    runs: defaultdict[str, list[Imported]] = defaultdict(list)
    for turn in range(REPETITIONS + 1):
        for name, module in modules.items():
            one = _fresh(module)
            if turn:  # the first turn writes what was compiled
                runs[name].append(one)
        advance()
    return {name: _least(each) for name, each in runs.items()}


def _fresh(module: str) -> Imported:
    code = _CODE.format(module=module, never=", ".join(map(repr, NEVER)))
    environment = {"PATH": os.defpath, "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=True, timeout=SECONDS_MAX
    )  # fmt: skip
    return msgspec.convert(json.loads(done.stdout), Imported)


def _least(runs: list[Imported]) -> Imported:
    return Imported(min(one.ms for one in runs), min(one.mb for one in runs), runs[0].loaded)


def rows(found: dict[str, Imported]) -> list[Measure]:
    """Each handler against its ceiling over boto3 alone, and what the webhook must not bring."""
    base = found[BASE]
    told = f"boto3 alone: {base.ms:.0f} ms, {base.mb:.0f} MB"
    measures = []
    for name, one in found.items():
        if name == BASE:
            continue
        ms_max, mb_max = CEILINGS.get(name, CEILING)
        measures += [
            Measure(f"import of {name}, CPU above boto3's", one.ms - base.ms, "ms", ms_max, told),
            Measure(f"import of {name}, memory above boto3's", one.mb - base.mb, "MB", mb_max, told),
        ]
    unwanted = len(found["webhook"].loaded)
    measures.append(Measure("webhook imports of line-bot-sdk or pydantic", unwanted, "packages", 0, told))
    return measures
