"""The published schemas: what the forms say, true of every ready playbook, and of use to who mistypes."""

import copy
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from functions.playbook.schemas import SCHEMAS, schema_file, schema_of
from functions.playbook.sources import read_source
from tests.playbook.test_lint import Folder
from tests.playbook.test_message_limits import BASES

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
FOLDERS = {"scenarios": "scenario", "campaigns": "campaign", "messages": "message", "surveys": "survey"}
FILES = sorted(PLAYBOOKS.glob("*/**/*.yaml"))
VALIDATORS = {name: jsonschema.Draft7Validator(schema_of(name)) for name in SCHEMAS}


def kind_of(path: Path) -> str:
    return FOLDERS.get(path.parent.name, path.stem)


def data_of(path: Path) -> Any:
    source, faults = read_source(path, path.name)
    assert source is not None
    assert faults == []
    return source.data


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_published_schema_is_what_the_forms_say(name: str) -> None:
    """Where it is not: `musubi schema --write playbooks/schema`."""
    published = PLAYBOOKS / "schema" / f"{name}.schema.json"
    assert published.read_text(encoding="utf-8") == schema_file(name)


def test_nothing_is_published_beside_the_schemas() -> None:
    assert sorted(path.name for path in (PLAYBOOKS / "schema").iterdir()) == sorted(
        f"{name}.schema.json" for name in SCHEMAS
    )


def test_schemas_within_a_playbook_are_none_of_the_checks_business(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for name in SCHEMAS:
        folder.write(f"schema/{name}.schema.json", schema_file(name))
    assert (folder.faults, folder.warnings) == ([], [])


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft7Validator.check_schema(schema_of(name))


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_of_every_form_is_explained(name: str) -> None:
    schema = schema_of(name)
    forms = [schema, *(one for title, one in schema.get("definitions", {}).items() if title.endswith("Form"))]
    forms += [full for form in forms for full in form.get("anyOf", ())]
    silent = [
        f"{form.get('title', '')}.{key}"
        for form in forms
        for key, written in form.get("properties", {}).items()
        if not written.get("description")
    ]
    assert silent == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PLAYBOOKS)))
def test_every_file_of_a_ready_playbook_is_as_its_schema_says(path: Path) -> None:
    errors = [
        f"{list(error.path)}: {error.message}"
        for error in VALIDATORS[kind_of(path)].iter_errors(data_of(path))
    ]
    assert errors == []


@pytest.mark.parametrize("base", BASES)
def test_every_message_that_line_takes_is_as_the_schema_says(base: str) -> None:
    assert VALIDATORS["message"].is_valid({"kind": "support", "content": [BASES[base]]})


SCENARIO: dict[str, Any] = {
    "name": "a",
    "desired_action": "buy",
    "target": "1 → 2",
    "owner": "crm",
    "on": True,
    "priority": "upsell",
    "entry": {"event": "purchase", "fresh_for": "2d"},
    "reentry": "after 90d",
    "steps": [{"wait": {"day": 1, "at": "10:00"}}, {"send": {"message": "a"}}, "end"],
}
MESSAGE: dict[str, Any] = {"kind": "support", "content": [{"type": "text", "text": "a"}]}
SEGMENTS: dict[str, Any] = {"a": "orders.count > 1", "b": {"when": "true", "report": True}}
WRONG: list[tuple[str, dict[str, Any], list[Any], Any]] = [
    ("scenario", SCENARIO, ["ownr"], "x"),
    ("scenario", SCENARIO, ["entry", "fresh_for"], "2 days"),
    ("scenario", SCENARIO, ["reentry"], "sometimes"),
    ("scenario", SCENARIO, ["steps", 0, "wait", "at"], "25:00"),
    ("scenario", SCENARIO, ["steps", 1, "tag"], {"add": "x"}),
    ("scenario", SCENARIO, ["steps", 2], "stop"),
    ("scenario", SCENARIO, ["steps"], []),
    ("segments", SEGMENTS, ["a"], 3),
    ("segments", SEGMENTS, ["b", "wen"], "x"),
    ("message", MESSAGE, ["kind"], "promo"),
    ("message", MESSAGE, ["content", 0, "type"], "texts"),
    ("message", MESSAGE, ["content", 0, "quickreply"], {}),
    ("message", MESSAGE, ["content"], []),
    ("message", MESSAGE, ["discount_reason"], "because"),
    ("message", MESSAGE, ["fallbacks"], {"a": {"b": "c"}}),
]


@pytest.mark.parametrize(("name", "sound", "place", "value"), WRONG)
def test_a_schema_refuses_what_the_form_refuses(
    name: str, sound: dict[str, Any], place: list[Any], value: Any
) -> None:
    assert VALIDATORS[name].is_valid(sound)
    spoilt = copy.deepcopy(sound)
    inner = spoilt
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    assert not VALIDATORS[name].is_valid(spoilt)


def test_a_template_may_stand_where_a_word_is_chosen() -> None:
    content = [{"type": "flex", "altText": "a", "contents": {"type": "bubble", "size": "{{ size }}"}}]
    assert VALIDATORS["message"].is_valid({"kind": "support", "content": content})
