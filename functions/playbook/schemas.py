"""The forms of a playbook's files → JSON Schemas, so that an editor completes, explains and underlines.

Draft 7, which every YAML editor reads. A schema tells form alone: what names refer to, and what the trade holds, is
the matter of `musubi check`.
"""

import json
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from functions.playbook.message_models import MessageForm
from functions.playbook.message_schema import content_schema
from functions.playbook.models import CampaignForm, EventForm, SegmentForm, SettingsForm
from functions.playbook.quantities import Name, duration_of
from functions.playbook.scenario_models import ScenarioForm

DIALECT = "http://json-schema.org/draft-07/schema#"
_FILES: dict[str, Any] = {
    "playbook": SettingsForm,
    "events": dict[Name, EventForm],
    "segments": dict[str, SegmentForm],
    "scenario": ScenarioForm,
    "campaign": CampaignForm,
    "message": MessageForm,
}
SCHEMAS = tuple(_FILES)


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
    definitions = schema.pop("$defs", {})
    if name == "message":
        content, objects = content_schema()
        schema["properties"]["content"].update(content)
        definitions |= objects
    titled = {"$schema": DIALECT, **schema, "title": f"Musubi: {name}"}
    return {**titled, "definitions": definitions} if definitions else titled


def schema_file(name: str) -> str:
    """The schema as its file holds it."""
    return json.dumps(schema_of(name), ensure_ascii=False, indent=2) + "\n"
