"""What is in each of the Lambda bundles, in bytes, and why: of the bundle for AWS, as it is deployed."""

import zipfile
from collections import defaultdict
from typing import Final

from infra.bundle import AWS, build_bundle
from infra.contents import CORE, FILES, MEASURE, ROOT, Contents, package_of
from ops.bench.measure import Measure

MB: Final = 1_000_000
BUNDLES: Final = {"core": CORE, "files": FILES, "measure": MEASURE}
ZIPPED_MB_MAX: Final = {"core": 6.5, "files": 38.0, "measure": 70.0}


def sizes(contents: Contents) -> tuple[float, dict[str, list[int]]]:
    """MB as a zip, and by package the bytes unpacked: of all, and of what is compiled."""
    bundle = build_bundle(AWS, ROOT / "functions", contents)
    by_package: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    with zipfile.ZipFile(bundle) as archive:
        for entry in archive.infolist():
            package = by_package[package_of(entry.filename)]
            package[0] += entry.file_size
            package[1] += entry.file_size if entry.filename.endswith(".pyc") else 0
    return bundle.stat().st_size / MB, dict(by_package)


def rows() -> list[Measure]:
    """Each bundle as Lambda fetches it."""
    measures = []
    for name, contents in BUNDLES.items():
        zipped, packages = sizes(contents)
        whole, compiled = (sum(one[part] for one in packages.values()) / MB for part in (0, 1))
        told = f"unpacked {whole:.1f} MB, of which bytecode {compiled:.1f}"
        measures.append(Measure(f"bundle {name}, zipped", zipped, "MB", ZIPPED_MB_MAX[name], told))
    return measures


def table() -> str:
    """Package by package, the largest first; Markdown."""
    lines = ["| bundle | package | unpacked | of it bytecode | why |", "|---|---|---|---|---|"]
    for name, contents in BUNDLES.items():
        zipped, packages = sizes(contents)
        whole, compiled = (sum(one[part] for one in packages.values()) for part in (0, 1))
        lines.append(
            f"| **{name}** | **all** | **{whole / MB:.1f} MB** | **{compiled / MB:.1f} MB** | **{zipped:.1f} MB as a zip** |"
        )
        for package, (of_all, of_it) in sorted(packages.items(), key=lambda one: -one[1][0]):
            why = contents.packages.get(
                package, "versions and licences of all, for who looks for vulnerable ones"
            )
            lines.append(f"| {name} | {package} | {of_all / MB:.2f} MB | {of_it / MB:.2f} MB | {why} |")
    return "\n".join(lines)
