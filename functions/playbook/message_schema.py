"""LINE's rules on message objects → JSON Schema, for editors. Lengths are left to the check: texts are templates."""

from typing import Any

from functions.domain.message_limits import MESSAGE, OBJECTS_MAX
from functions.domain.message_limits.rules import (
    Flag,
    Items,
    Matching,
    Named,
    Number,
    Object,
    OneOf,
    Rule,
    Typed,
)

Schema = dict[str, Any]
TEMPLATE: Schema = {"type": "string", "pattern": r"\{[{%]"}
"""A text that is filled in: it may come to anything."""


def content_schema() -> tuple[Schema, dict[str, Schema]]:
    """The schema of a message's `content`, and the definitions to which it refers."""
    writing = _Writing()
    items = writing.schema(MESSAGE)
    content = {"type": "array", "minItems": 1, "maxItems": OBJECTS_MAX, "items": items}
    return content, writing.definitions


class _Writing:
    """The definitions so far. A component holds components: each typed object is written once, and referred to."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}
        self._names: dict[int, str] = {}

    def schema(self, rule: Rule) -> Schema:
        match rule:
            case Matching():
                return {"type": "string", "description": rule.told}
            case OneOf():
                return {"anyOf": [{"enum": list(rule.words)}, TEMPLATE]}
            case Number():
                return _number(rule)
            case Flag():
                return {"type": "boolean"}
            case Items():
                items = self.schema(rule.of)
                return {"type": "array", "minItems": rule.least, "maxItems": rule.most, "items": items}
            case Named():
                return {"type": "object", "additionalProperties": self.schema(rule.of)}
            case Object():
                return self._object(rule)
            case Typed():
                return {"anyOf": [self._reference(rule, kind) for kind in rule.types]}
        return {"type": "string"}

    def _reference(self, rule: Typed, kind: str) -> Schema:
        one = rule.types[kind]
        if id(one) not in self._names:
            name = self._names[id(one)] = self._new_name(f"{rule.what}_{kind}".replace(" ", "_"))
            self.definitions[name] = {}
            written = self._object(one)
            written["properties"]["type"] = {"const": kind}
            written["required"] = ["type", *(key for key in written.get("required", ()) if key != "type")]
            self.definitions[name] = written
        return {"$ref": f"#/definitions/{self._names[id(one)]}"}

    def _new_name(self, name: str) -> str:
        number = sum(known.partition("-")[0] == name for known in self.definitions)
        return f"{name}-{number + 1}" if number else name

    def _object(self, rule: Object) -> Schema:
        schema: Schema = {
            "type": "object",
            "properties": {key: self.schema(of) for key, of in rule.fields.items()},
            "additionalProperties": False,
        }
        return {**schema, "required": list(rule.needed)} if rule.needed else schema


def _number(rule: Number) -> Schema:
    schema: Schema = {"type": "integer" if rule.whole else "number"}
    if rule.least is not None:
        schema["minimum"] = rule.least
    return schema if rule.most is None else {**schema, "maximum": rule.most}
