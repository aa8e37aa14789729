"""What a cold start of each function takes: processor time and memory, in fresh processes out of the real bundles.

Baselines of the same run: the interpreter alone, boto3 with one client, Powertools' logger, and each handler as it would
come up without the bundle's bytecode. The least of each counts, for what else the machine does only adds.
"""

import json
import subprocess
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from infra.bundle import ENGINE_PYTHON, build_bundle, local_platform
from infra.contents import CORE, FILES, MEASURE, ROOT, Contents
from ops.bench import servers, world
from ops.bench.cold_events import Representative
from ops.bench.measure import Measure

PROBE: Final = Path(__file__).with_name("cold_probe.py")
TURNS: Final = 3
SECONDS_MAX: Final = 120
OTHERS: Final = {"load": FILES, "measure": MEASURE}
BASELINES: Final = {"nothing": [], "boto3": ["boto3"], "Powertools' logger": ["aws_lambda_powertools"]}
FAILED: Final = 500


class Start(msgspec.Struct):
    """One function's cold start. Milliseconds are processor time; `import_ms` above boto3's own, `plain_ms` the same
    without bytecode. `calls`: requests by service, of the first invocation and of one in a warm worker. MB: in memory
    after that step, and `peak_mb` at most. `warm_ms` is the first invocation's where there is no other."""

    bare_ms: float = 0.0
    bare_mb: float = 0.0
    boto3_ms: float = 0.0
    boto3_mb: float = 0.0
    import_ms: float = 0.0
    import_mb: float = 0.0
    plain_ms: float = 0.0
    modules: int = 0
    packages: list[str] = []
    wiring_ms: float = 0.0
    wiring_mb: float = 0.0
    first_ms: float = 0.0
    first_calls: dict[str, float] = {}
    warm_ms: float = 0.0
    warm_calls: dict[str, float] = {}
    peak_mb: float = 0.0

    @property
    def cold_ms(self) -> float:
        """All that comes before the answer of a first invocation."""
        return self.bare_ms + self.boto3_ms + self.import_ms + self.wiring_ms + self.first_ms


class Ceiling(msgspec.Struct, frozen=True):
    """`ratio`: import above boto3's, by boto3's own; so that a slower machine has the same. `modules` beyond boto3's, and
    `mb` at most in memory after an invocation."""

    ratio: float
    modules: int
    mb: float


WEBHOOK_MS_MAX: Final = 60.0
CEILINGS: Final[Mapping[str, Ceiling]] = {
    "click": Ceiling(0.6, 190, 65),
    "decide": Ceiling(1.2, 300, 80),
    "evaluate": Ceiling(0.85, 265, 84),
    "facts": Ceiling(0.55, 175, 86),
    "ingest": Ceiling(0.8, 265, 78),
    "insight": Ceiling(0.55, 175, 74),
    "link": Ceiling(0.8, 230, 78),
    "load": Ceiling(0.85, 270, 82),
    "measure": Ceiling(26.0, 1_060, 180),
    "redrive": Ceiling(0.6, 185, 76),
    "send": Ceiling(1.3, 335, 88),
    "tick": Ceiling(0.6, 175, 74),
    "webhook": Ceiling(0.55, 170, 64),
}
"""Of each function, with about a third to spare in time and a tenth in modules."""
NEVER: Final = ("linebot", "pydantic")


class Found(msgspec.Struct):
    """All starts by function, and the baselines: milliseconds and MB."""

    starts: dict[str, Start]
    baselines: dict[str, tuple[float, float]]


def handlers() -> list[str]:
    """The names of all functions that have a handler."""
    return sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))


STEPS: Final = TURNS * 13


def measured(advance: Callable[[], None]) -> Found:
    """Every function by turns; what is compiled beside and what is not, too."""
    with ExitStack() as stack:
        up = stack.enter_context(servers.started())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="musubi-bench-cold-")))
        events = Representative(world.build(up), up.run_dir)
        probe = _Probe(folder, events.environment(), int(urlsplit(up.line_url).port or 0))
        runs: defaultdict[str, list[Start]] = defaultdict(list)
        bare: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
        for turn in range(TURNS):
            for name, before in BASELINES.items():
                bare[name].append(probe.baseline(before))
            for name in handlers():
                runs[name].append(probe.start(name, events.of(name) if turn else []))
                advance()
    return Found(
        {name: _least(each) for name, each in runs.items()}, {name: min(each) for name, each in bare.items()}
    )


class _Probe:
    """Fresh processes on the engine's interpreter, each with one bundle unpacked."""

    def __init__(self, folder: Path, environment: Mapping[str, str], line_port: int) -> None:
        self._folder = folder
        self._environment = environment
        self._line_port = line_port
        # Lambda's boto3 is taken to be compiled; that of the engine's environment is made so.
        self._python("-m", "compileall", "-q", *_site_packages())

    def baseline(self, before: list[str]) -> tuple[float, float]:
        """Processor milliseconds and MB of an interpreter with these modules."""
        found = self._run({"before": before, "function": "", "compiled": True, "events": []}, CORE)
        return found["bare_ms"] + sum(found[f"{name}_ms"] for name in before), found["peak_mb"]

    def start(self, function: str, events: list[dict[str, Any]]) -> Start:
        """One cold start with these invocations, and one without bytecode and without any."""
        contents = OTHERS.get(function, CORE)
        order = {"before": ["boto3"], "function": function, "compiled": True, "events": events}
        found = self._run(order, contents)
        plain = self._run({**order, "compiled": False, "events": []}, contents)
        _check(function, found.get("answers", []))
        return msgspec.convert({**found, "plain_ms": plain["import_ms"]}, Start)

    def _run(self, order: dict[str, Any], contents: Contents) -> dict[str, Any]:
        stdin = json.dumps({**order, "line_port": self._line_port})
        answer: dict[str, Any] = json.loads(self._python("-P", "-B", str(PROBE), bundle=self._unpacked(contents), stdin=stdin))  # fmt: skip
        return answer

    def _python(self, *arguments: str, bundle: Path | None = None, stdin: str = "") -> str:
        environment = dict(self._environment) | ({"PYTHONPATH": str(bundle)} if bundle else {})
        done = subprocess.run(
            [ENGINE_PYTHON, *arguments], input=stdin, env=environment, cwd=self._folder, capture_output=True, text=True,
            check=False, timeout=SECONDS_MAX,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"a cold start failed:\n{done.stderr}")
        return done.stdout

    def _unpacked(self, contents: Contents) -> Path:
        folder = self._folder / (contents.name or "core")
        if not folder.exists():
            with zipfile.ZipFile(build_bundle(local_platform(), ROOT / "functions", contents)) as archive:
                archive.extractall(folder)
        return folder


def _site_packages() -> list[str]:
    within = [path.parent for path in ENGINE_PYTHON.parent.parent.glob("lib/python*/site-packages/boto3")]
    names = ("boto3", "botocore", "s3transfer", "urllib3", "jmespath", "dateutil")
    return [str(folder / name) for folder in within for name in names if (folder / name).exists()]


def _check(function: str, answers: list[Any]) -> None:
    for answer in answers:
        told = answer if isinstance(answer, dict) else {}
        if told.get("batchItemFailures") or told.get("statusCode", 0) >= FAILED or "error" in told:
            raise RuntimeError(f"{function} did not do what it was invoked for: {str(answer)[:300]}")


def _least(runs: list[Start]) -> Start:
    """The least of each number; what was invoked counts where it was."""
    invoked = [one for one in runs if one.first_ms] or runs
    last = invoked[-1]
    times = ("bare_ms", "boto3_ms", "import_ms", "plain_ms", "bare_mb", "boto3_mb", "import_mb")
    least = {name: min(getattr(one, name) for one in runs) for name in times}
    least |= {
        name: min(getattr(one, name) for one in invoked) for name in ("wiring_ms", "first_ms", "warm_ms")
    }
    least |= {name: min(getattr(one, name) for one in invoked) for name in ("wiring_mb", "peak_mb")}
    found = msgspec.structs.replace(last, **least)
    return found if found.warm_ms else msgspec.structs.replace(found, warm_ms=found.first_ms, warm_calls=found.first_calls)  # fmt: skip


def rows(found: Found) -> list[Measure]:
    """Each function against its ceilings, and what the webhook must not bring."""
    measures: list[Measure] = []
    for name, one in found.starts.items():
        ceiling = CEILINGS[name]
        told = f"boto3 in the same process: {one.boto3_ms:.0f} ms; without bytecode {one.plain_ms / one.boto3_ms:.2f} ×"
        measures += [
            Measure(f"import of {name}, CPU by that of boto3", one.import_ms / one.boto3_ms, "×", ceiling.ratio, told),
            Measure(f"import of {name}, modules beside boto3's", one.modules, "modules", ceiling.modules, f"{one.import_mb - one.boto3_mb:.1f} MB above boto3's {one.boto3_mb:.0f}"),
            Measure(f"memory of {name} at most", one.peak_mb, "MB", ceiling.mb, f"boto3 alone {one.boto3_mb:.0f}, imported {one.import_mb:.0f}, wired {one.wiring_mb:.0f}"),
        ]  # fmt: skip
    webhook = found.starts["webhook"]
    unwanted = len(set(webhook.packages) & set(NEVER))
    return [
        *measures,
        Measure("import of webhook, CPU above boto3's", webhook.import_ms, "ms", WEBHOOK_MS_MAX, f"boto3: {webhook.boto3_ms:.0f} ms"),
        Measure("webhook imports of line-bot-sdk or pydantic", unwanted, "packages", 0, f"{webhook.modules} modules in all"),
    ]  # fmt: skip
