"""`python -m ops.supply.bom`: build/sbom.json, what each Lambda bundle is made of, as CycloneDX 1.6 with licences.

Each bundle is a component of its own that depends on its packages, so that "which bundle has this package" has an answer.
Only what is installed on Lambda's platform is listed. A lock has the hashes of every wheel of a version and does not say
which one is taken, so that no hash is given here; installing is what checks them.
"""

import hashlib
import sys
import tomllib
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from infra.bundle import ROOT
from ops.supply.licences import licence_of
from ops.supply.locks import BUNDLES, ON_LAMBDA, Locked, locked

TO: Final = ROOT / "build" / "sbom.json"
OURS: Final = "Apache-2.0"
NAMESPACE: Final = uuid.UUID("0b8f5dd0-53a6-5c3d-9a5e-0c1f3f6f5b11")
"""Serial numbers derive from what the locks say: the same locks, the same number."""


def bom_of(bundles: dict[str, Path], made_at: datetime) -> Bom:
    """The whole bill of materials, its root the project itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    root = _ours(project["name"], project["version"])
    bom = Bom(serial_number=_serial(bundles.values()))
    bom.metadata.timestamp = made_at
    bom.metadata.component = root
    components: dict[str, Component] = {}
    parts = []
    for name, lock in bundles.items():
        bundle = _ours(f"{project['name']}-{name}", project["version"])
        needed = [one for one in locked(lock) if one.is_for(ON_LAMBDA)]
        made = [components.setdefault(f"{one.name}=={one.version}", _package(one)) for one in needed]
        bom.components.add(bundle)
        bom.register_dependency(bundle, made)
        parts.append(bundle)
    for one in components.values():
        bom.components.add(one)
    bom.register_dependency(root, parts)
    return bom


def _ours(name: str, version: str) -> Component:
    licence = LicenseFactory().make_from_string(OURS)
    return Component(
        name=name, version=version, type=ComponentType.APPLICATION, licenses=[licence], bom_ref=name
    )


def _package(one: Locked) -> Component:
    place = PackageURL("pypi", name=one.name, version=one.version)
    return Component(
        name=one.name,
        version=one.version,
        type=ComponentType.LIBRARY,
        purl=place,
        bom_ref=place.to_string(),
        licenses=[LicenseFactory().make_from_string(licence_of(one.name) or "NOASSERTION")],
    )


def _serial(locks: Iterable[Path]) -> uuid.UUID:
    read = hashlib.sha256(b"\0".join(lock.read_bytes() for lock in locks)).hexdigest()
    return uuid.uuid5(NAMESPACE, read)


def main() -> int:
    """Write the file; where it stands goes to standard output."""
    bom = bom_of(BUNDLES, datetime.now(UTC))
    TO.parent.mkdir(exist_ok=True)
    TO.write_text(JsonV1Dot6(bom).output_as_string(indent=2) + "\n", encoding="utf-8")
    print(f"{TO.relative_to(ROOT)}: {len(BUNDLES)} bundles, {len(bom.components) - len(BUNDLES)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
