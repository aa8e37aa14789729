"""The format is what was recorded of it, and differs from the one before by what both bear."""

import copy
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from functions.domain.stored import FORMAT
from tests.stored import record
from tests.stored.agreed import AGREED
from tests.stored.kinds import schemas
from tests.stored.names import names
from tests.stored.shapes import HOW, faults_between, recorded

BEFORE = recorded(FORMAT - 1)
NOW = schemas()


def test_what_is_stored_is_as_it_was_recorded_of_this_format() -> None:
    faults = faults_between(recorded(FORMAT), NOW)
    assert not faults, "\n".join(["what is stored has changed:", *faults, HOW])
    then = recorded(FORMAT)
    grew = [name for name, shape in NOW["$defs"].items() if shape != then["$defs"].get(name)]
    assert not grew, f"{', '.join(grew)}: more is stored than was recorded of format {FORMAT}.{HOW}"
    assert then == NOW, f"other kinds are stored than were recorded of format {FORMAT}.{HOW}"
    assert recorded(FORMAT, "values") == record.values(), f"other values are written than were recorded.{HOW}"


def test_code_of_the_format_before_reads_what_this_code_writes_and_the_other_way_round() -> None:
    faults = [one for one in faults_between(BEFORE, NOW) if one not in AGREED.get(FORMAT, {})]
    assert not faults, "\n".join([f"formats {FORMAT - 1} and {FORMAT} do not bear each other:", *faults, HOW])


def test_nothing_is_agreed_that_is_no_difference() -> None:
    assert AGREED.get(FORMAT, {}).keys() <= set(faults_between(BEFORE, NOW))
    assert all(AGREED[FORMAT].values())


@pytest.mark.parametrize("kind", BEFORE["kinds"])
def test_what_this_code_writes_is_valid_by_the_schema_of_the_format_before(kind: str) -> None:
    schema = {**BEFORE["kinds"][kind], "$defs": BEFORE["$defs"]}
    jsonschema.Draft202012Validator(schema).validate(record.values()[kind])


@pytest.mark.parametrize("format_number", range(1, FORMAT + 1))
def test_names_are_made_as_they_were(format_number: int) -> None:
    """Or a message would be sent once more under another name, and what is stored under the old one not be found."""
    made = names()
    assert {name: made.get(name) for name in recorded(format_number, "names")} == recorded(
        format_number, "names"
    )


def changed(struct: str, **change: Any) -> dict[str, Any]:
    """This code's schema with another shape of one struct."""
    after = copy.deepcopy(NOW)
    after["$defs"][struct].update(change)
    return after


def test_a_field_with_a_default_is_no_fault() -> None:
    more = {**NOW["$defs"]["Journey"]["properties"], "mood": {"type": "string", "default": ""}}
    assert faults_between(NOW, changed("Journey", properties=more)) == []


def test_each_kind_of_harm_is_told() -> None:
    journey, claim = NOW["$defs"]["Journey"], NOW["$defs"]["Claim"]
    fields = journey["properties"]
    less = {name: one for name, one in fields.items() if name != "sent"}
    words = {**fields, "status": {**fields["status"], "enum": [*fields["status"]["enum"], "paused"]}}
    untyped = {**fields, "occurrence": {"type": "string"}}
    meant = {**fields, "variant": {"type": "string", "default": "a"}}
    moved = [claim["prefixItems"][1], *claim["prefixItems"]]
    told = [
        faults_between(NOW, changed("Journey", properties=less)),
        faults_between(NOW, changed("Journey", properties={**less, "passed": fields["sent"]})),
        faults_between(NOW, changed("Journey", required=[*journey["required"], "at"])),
        faults_between(NOW, changed("Journey", required=journey["required"][1:])),
        faults_between(NOW, changed("Journey", properties=words)),
        faults_between(NOW, changed("Journey", properties=untyped)),
        faults_between(NOW, changed("Journey", properties=meant)),
        faults_between(NOW, changed("Claim", prefixItems=claim["prefixItems"][:-1])),
        faults_between(NOW, changed("Claim", prefixItems=moved, minItems=claim["minItems"] + 1)),
    ]
    assert [one[0] for one in told] == [
        "Journey.sent is gone",
        "Journey.sent is gone",
        "Journey.at has no default, and items of before lack it",
        "Journey.journey_id need not be there, and code of before needs it",
        "Journey.status may say 'paused', which code of before does not read",
        'Journey.occurrence was {"type": "integer"} and is {"type": "string"}',
        "Journey.variant: what is not written means 'a', and meant ''",
        "Claim[11] is gone",
        told[8][0],
    ]
    assert any("has no default" in one for one in told[8])


def test_a_format_is_not_recorded_anew_where_its_other_code_would_not_bear_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / str(FORMAT)).mkdir()
    monkeypatch.setattr(record, "FIXTURES", tmp_path)
    less = {name: one for name, one in NOW["$defs"]["Journey"]["properties"].items() if name != "sent"}
    monkeypatch.setattr(record, "schemas", lambda: changed("Journey", properties=less))
    assert record.main() == 2
    told = capsys.readouterr().err
    assert "Journey.sent is gone" in told
    assert "Raise FORMAT in functions/domain/stored.py" in told
    assert list((tmp_path / str(FORMAT)).iterdir()) == []
