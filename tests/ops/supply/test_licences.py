"""No package comes in whose licence nobody knows, or nobody accepted."""

from pathlib import Path

import pytest

from infra.bundle import ROOT
from ops.supply import licences
from ops.supply.locks import BUNDLES, MACHINE, ON_LAMBDA, locked


def test_every_locked_package_is_under_an_accepted_licence() -> None:
    assert licences.faults(licences.packages([*BUNDLES.values(), *MACHINE.values()])) == []


def test_the_page_is_what_the_packages_say() -> None:
    assert licences.PAGE.read_text(encoding="utf-8") == licences.page(), "run `make licences`"


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for packages of the test's own."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def install(place: Path, name: str, *lines: str) -> None:
    folder = place / f"{name}-1.0.dist-info"
    folder.mkdir()
    told = "\n".join(["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *lines])
    (folder / "METADATA").write_text(told + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (("License-Expression: MIT",), ""),
        (("License: MIT License",), ""),
        (("Classifier: License :: OSI Approved :: Apache Software License",), ""),
        (("License-Expression: GPL-3.0-only OR MIT",), ""),
        (("License-Expression: GPL-3.0-only AND MIT",), "GPL-3.0-only AND MIT is not among ACCEPTED"),
        (("License-Expression: AGPL-3.0-or-later",), "AGPL-3.0-or-later is not among ACCEPTED"),
        (("License-Expression: Apache-2.0 WITH LLVM-exception",), "is not among ACCEPTED"),
        (("License: see the file", "Classifier: License :: OSI Approved :: BSD License"), "name no licence"),
        ((), "name no licence"),
    ],
)
def test_a_new_package_is_taken_or_refused_by_its_licence(
    packages: Path, lines: tuple[str, ...], fault: str
) -> None:
    install(packages, "newcomer", *lines)
    found = licences.faults(["newcomer"])
    assert found == [] if not fault else fault in found[0]


def test_a_package_that_is_not_installed_has_no_licence() -> None:
    assert "name no licence" in licences.faults(["nobody-has-this"])[0]


def test_what_was_read_by_hand_is_still_locked() -> None:
    assert set(licences.READ) <= set(licences.packages([*BUNDLES.values(), *MACHINE.values()]))


def test_our_own_licence_is_the_whole_of_apache_2_and_named_alike_everywhere() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Version 2.0, January 2004" in text
    assert all(f"\n   {number}. " in text for number in range(1, 10))
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert '"license": "Apache-2.0"' in (ROOT / "package.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("bundle", BUNDLES)
def test_on_lambda_each_package_has_one_version(bundle: str) -> None:
    """numpy and SciPy are locked twice, for older and for newer interpreters."""
    read = [one for one in locked(BUNDLES[bundle]) if one.is_for(ON_LAMBDA)]
    names = {one.name for one in read}
    assert len(names) == len(read)
    assert {"aws-lambda-powertools", "msgspec", "tzdata"} < names
    assert all(one.version[0].isdigit() for one in read)


def test_what_is_for_another_platform_is_not_for_lambda(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text(
        "one==1 ; sys_platform == 'win32' \\\n    --hash=sha256:00\ntwo==2 \\\n    # via one\n",
        encoding="utf-8",
    )
    assert [one.name for one in locked(lock) if one.is_for(ON_LAMBDA)] == ["two"]
