"""The lock files: which packages, in which versions, are installed where."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.markers import Environment, default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra.contents import CORE, FILES, MEASURE, ROOT

ON_LAMBDA: Final = {
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "aarch64",
    "os_name": "posix",
    "platform_python_implementation": "CPython",
    "implementation_name": "cpython",
    "python_version": "3.13",
    "python_full_version": "3.13.0",
}
"""The markers' values where the bundles run (infra/bundle.py, AWS)."""
BUNDLES: Final = {"core": CORE.lock, "files": FILES.lock, "measure": MEASURE.lock}
"""What each Lambda bundle is made from."""
MACHINE: Final = {name: ROOT / "requirements" / f"{name}.txt" for name in ("dev", "engine", "setup")}
"""What is installed on a person's machine, and never deployed."""


@dataclass(frozen=True, slots=True)
class Locked:
    """One package of a lock file; `requirement` bears its name, its one version and its marker."""

    requirement: Requirement

    @property
    def name(self) -> str:
        """The name as registries compare it: small letters, hyphens."""
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        """The one version."""
        return str(self.requirement.specifier).removeprefix("==")

    def is_for(self, environment: Mapping[str, str]) -> bool:
        """Whether it is installed where the markers have these values."""
        marker = self.requirement.marker
        return marker is None or marker.evaluate({**_here(), **environment})


def _here() -> dict[str, str]:
    here: Environment = default_environment()
    return {str(name): str(value) for name, value in here.items()}


def locked(path: Path) -> list[Locked]:
    """Every line of a lock file that names a package, in its order; one that differs by platform comes twice."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Locked(Requirement(line.rstrip(" \\"))) for line in lines if line[:1].isalnum()]
