"""The bill of materials is CycloneDX, and says of each bundle what is in it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from ops.supply.bom import bom_of
from ops.supply.locks import BUNDLES, ON_LAMBDA, locked

AT = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture(scope="module")
def written() -> str:
    return str(JsonV1Dot6(bom_of(BUNDLES, AT)).output_as_string())


@pytest.fixture(scope="module")
def read(written: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(written)
    return told


def test_it_is_valid_by_the_published_schema(written: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(written) is None


def test_every_bundle_depends_on_what_its_lock_installs_on_lambda(read: dict[str, Any]) -> None:
    depends = {one["ref"]: set(one.get("dependsOn", ())) for one in read["dependencies"]}
    assert depends["musubi-line"] == {f"musubi-line-{name}" for name in BUNDLES}
    for name, lock in BUNDLES.items():
        wanted = {f"pkg:pypi/{one.name}@{one.version}" for one in locked(lock) if one.is_for(ON_LAMBDA)}
        assert depends[f"musubi-line-{name}"] == wanted


def test_every_component_names_its_licence(read: dict[str, Any]) -> None:
    assert all(one["licenses"] for one in read["components"])
    assert "NOASSERTION" not in json.dumps(read)


def test_the_same_locks_have_the_same_number() -> None:
    assert bom_of(BUNDLES, AT).serial_number == bom_of(BUNDLES, AT).serial_number
    assert bom_of(BUNDLES, AT).serial_number != bom_of({"core": BUNDLES["core"]}, AT).serial_number
