"""The forms of a playbook's files → JSON Schemas, so that an editor completes, explains and underlines.

Draft 7, which every YAML editor reads. A schema tells form alone: what names refer to, and what the trade holds, is
the matter of `musubi check`.
"""

import json
from typing import Any, get_args

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from functions.domain.playbook import Kind
from functions.playbook.meanings import MEANINGS
from functions.playbook.message_models import MessageForm
from functions.playbook.message_schema import content_schema
from functions.playbook.models import CampaignForm, EventForm, ExperimentForm, SegmentForm
from functions.playbook.quantities import Name, duration_of
from functions.playbook.scenario_models import ScenarioForm
from functions.playbook.settings_models import SettingsForm
from functions.playbook.survey_models import SurveyForm

DIALECT = "http://json-schema.org/draft-07/schema#"
_FILES: dict[str, Any] = {
    "playbook": SettingsForm,
    "events": dict[Name, EventForm],
    "segments": dict[str, SegmentForm],
    "scenario": ScenarioForm,
    "campaign": CampaignForm,
    "message": MessageForm,
    "experiments": dict[Name, ExperimentForm],
    "survey": SurveyForm,
}
SCHEMAS = tuple(_FILES)
_SHORT: dict[str, dict[str, Any]] = {
    "SegmentForm": {"type": "string", "minLength": 1},
    "StepForm": {"const": "end"},
    "ExclusionForm": {"type": "array", "minItems": 1, "items": {"enum": list(get_args(Kind))}},
}
"""Forms that may be written in short, and how."""


class _Generating(GenerateJsonSchema):
    """pydantic's own, less the titles that say nothing, with defaults as they would be written."""

    def field_title_should_be_set(self, _schema: Any) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        written = super().default_schema(schema)
        default = written.pop("default", None)
        if isinstance(default, int) and written.get("type") == "string":
            default = duration_of(default) if default else None
        return written if default in (None, "", [], {}) else {**written, "default": default}


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema of one of `SCHEMAS`."""
    form: TypeAdapter[Any] = TypeAdapter(_FILES[name])
    schema = form.json_schema(ref_template="#/definitions/{model}", schema_generator=_Generating)
    definitions = {one: _form(one, found) for one, found in schema.pop("$defs", {}).items()}
    schema = _explained(getattr(_FILES[name], "__name__", ""), schema)
    if name == "message":
        content, objects = content_schema()
        schema["properties"]["content"].update(content)
        definitions |= objects
    titled = {"$schema": DIALECT, **schema, "title": f"Musubi: {name}"}
    return {**titled, "definitions": definitions} if definitions else titled


def _form(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A form within a file: its keys explained, and in short where it may be."""
    full = _explained(name, schema)
    if name == "StepForm":
        full = {**full, "minProperties": 1, "maxProperties": 1}
    if name not in _SHORT:
        return full
    return {"description": full.pop("description", ""), "anyOf": [_SHORT[name], full]}


def _explained(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Each key with its meaning. What stands beside a reference is not read in draft 7, so the reference moves in."""
    explained = dict(schema)
    for key, meaning in MEANINGS.get(name, {}).items():
        if key in schema.get("properties", {}):
            written = schema["properties"][key]
            inner = {"allOf": [written]} if "$ref" in written else written
            explained["properties"] = {**explained["properties"], key: {"description": meaning, **inner}}
    return explained


def schema_file(name: str) -> str:
    """The schema as its file holds it."""
    return json.dumps(schema_of(name), ensure_ascii=False, indent=2) + "\n"
