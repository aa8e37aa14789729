"""`python -m ops.supply.licences [--write]`: which licence each package is under, and whether it may be used here.

A package states its licence in its metadata: as an SPDX expression, in a field of free text, or by a classifier. What
says too little ("BSD License") was read in the package's own licence file, and stands in READ.
"""

import importlib.metadata
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from license_expression import ExpressionError, LicenseSymbol, get_spdx_licensing

from infra.bundle import ENGINE_PYTHON, ROOT
from ops.supply.locks import BUNDLES, MACHINE, locked

PAGE: Final = ROOT / "docs" / "licences.md"

ACCEPTED: Final = frozenset({
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "MIT-CMU",
    "MPL-2.0", "PSF-2.0", "Zlib",
})  # fmt: skip
"""SPDX ids. All but MPL-2.0 ask for their notice alone; MPL-2.0 for the source of its own files, which we do not change."""

WORDS: Final = {
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "2-clause BSD": "BSD-2-Clause",
    "BSD 3-Clause License": "BSD-3-Clause",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""What metadata call the licences of which there is one version alone."""

READ: Final = {
    "aenum": "BSD-3-Clause",
    "aws-lambda-powertools": "MIT AND MIT-0",
    "colorama": "BSD-3-Clause",
    "contourpy": "BSD-3-Clause",
    "cycler": "BSD-3-Clause",
    "itsdangerous": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
    "kiwisolver": "BSD-3-Clause",
    "matplotlib": "PSF-2.0",
    "pysocks": "BSD-3-Clause",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "pywin32": "PSF-2.0",
    "scipy": "BSD-3-Clause",
    "segno": "BSD-3-Clause",
}
"""Packages whose metadata say too little, or that are of no use on this platform; read in their licence files."""

EXPRESSION_MAX: Final = 200
"""Characters; what is longer is the licence itself."""

_LICENSING = get_spdx_licensing()


def licence_of(name: str) -> str:
    """The SPDX expression of a package, or "" where neither its metadata nor READ say it."""
    if name in READ:
        return READ[name]
    found = _metadata(name)
    if found is None:
        return ""
    classifiers = [
        one.rsplit(" :: ", 1)[-1] for one in found.get_all("Classifier") or () if one[:7] == "License"
    ]
    stated = (found[field] for field in ("License-Expression", "License") if field in found)
    for told in (*stated, *classifiers):
        if told and (spdx := _spdx(WORDS.get(told, told))):
            return spdx
    return ""


def _metadata(name: str) -> importlib.metadata.PackageMetadata | None:
    """Of this environment, or of the embedded engine's, which is one of its own."""
    try:
        return importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        site = (ENGINE_PYTHON.parent.parent / "lib").glob("python3.*/site-packages")
        of_engine = importlib.metadata.distributions(name=name, path=[str(one) for one in site])
        return next((one.metadata for one in of_engine), None)


def _spdx(told: str) -> str:
    """Told again as SPDX writes it; "" where it is no expression of known licences."""
    if len(told) > EXPRESSION_MAX or _LICENSING.validate(told).errors:
        return ""
    return str(_LICENSING.parse(told))


def is_accepted(expression: str) -> bool:
    """Whether we may use what is under it: all of `A AND B`, either of `A OR B`."""
    try:
        parsed = _LICENSING.parse(expression)
    except ExpressionError:
        return False
    if parsed is None:
        return False
    answers = {
        one: _LICENSING.TRUE if one.key in ACCEPTED else _LICENSING.FALSE
        for one in parsed.symbols
        if isinstance(one, LicenseSymbol)
    }
    return bool(parsed.subs(answers, simplify=True) == _LICENSING.TRUE)


def packages(locks: Iterable[Path]) -> list[str]:
    """All names in these lock files, each once, in order."""
    return sorted({one.name for lock in locks for one in locked(lock)})


def faults(names: Iterable[str]) -> list[str]:
    """A line for each package that may not be used as it is, and what to do about it."""
    found = []
    for name in names:
        licence = licence_of(name)
        if not licence:
            found.append(
                f"{name}: its metadata name no licence; read its licence file and write it into READ"
            )
        elif not is_accepted(licence):
            found.append(
                f"{name}: {licence} is not among ACCEPTED; take another package, or ask who may accept it"
            )
    return found


def page() -> str:
    """docs/licences.md."""
    bundled = {name: packages([lock]) for name, lock in BUNDLES.items()}
    deployed = sorted({one for names in bundled.values() for one in names})
    machine = [one for one in packages(MACHINE.values()) if one not in deployed]
    rows = [
        f"| {one} | {licence_of(one)} | {', '.join(b for b in bundled if one in bundled[b])} |"
        for one in deployed
    ]
    return "\n".join([
        "# Licences",
        "",
        "Musubi itself is under the Apache License 2.0 ([LICENSE](../LICENSE)). This page is written by `make licences` from",
        "what the installed packages say of themselves, and `make test` refuses a package whose licence is not known or not",
        f"among those accepted: {', '.join(sorted(ACCEPTED))}.",
        "Versions and hashes are in `requirements/`; `make sbom` lists both for the bundles, as CycloneDX.",
        "",
        "## What is deployed",
        "",
        "| package | licence | in the bundles |",
        "|---|---|---|",
        *rows,
        "",
        "The wheels of NumPy and SciPy carry OpenBLAS (BSD-3-Clause) and GCC's runtime libraries (GPL-3.0-or-later WITH",
        "GCC-exception-3.1, which lets anything be built upon them), as libraries of their own.",
        "",
        "## What stays on a person's machine",
        "",
        "| package | licence |",
        "|---|---|",
        *(f"| {one} | {licence_of(one)} |" for one in machine),
        "",
        "From npm, for deploying alone: `aws-cdk` (Apache-2.0). For the page tests Debian's `chromium`, where it is installed.",
        "",
    ])  # fmt: skip


def main(arguments: list[str]) -> int:
    """1 and a line for each fault; writes the page with --write."""
    found = faults(packages([*BUNDLES.values(), *MACHINE.values()]))
    for one in found:
        print(one, file=sys.stderr)
    if not found and "--write" in arguments:
        PAGE.write_text(page(), encoding="utf-8")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
