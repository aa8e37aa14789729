"""The description of our HTTP functions: it says what the code does, all of it, and nothing else."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema

from functions.domain.events import TOO_OLD
from functions.link import shop
from ops.openapi.document import FILE, document, text
from ops.openapi.schemas import FAULT_CODES
from tests.fakes.link_world import LinkWorld

DOCUMENT = document()
OPERATIONS = {
    (method.upper(), path): operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


def schema(name: str) -> Any:
    """A component, whose pointers lead into the document."""
    return {"components": DOCUMENT["components"], **DOCUMENT["components"]["schemas"][name]}


def valid(name: str, value: Any) -> bool:
    return bool(jsonschema.Draft202012Validator(schema(name)).is_valid(value))


def test_the_published_description_is_that_of_the_code() -> None:
    """`python -m ops.openapi` writes it."""
    assert FILE.read_text(encoding="utf-8") == text()


def test_every_page_is_described_and_every_described_page_exists() -> None:
    described = {(method, path) for method, path in OPERATIONS if path.startswith("/link/")}
    assert described == set(LinkWorld().link._routes())


def test_every_schema_is_one_and_every_pointer_leads_somewhere() -> None:
    for name in DOCUMENT["components"]["schemas"]:
        jsonschema.Draft202012Validator.check_schema(schema(name))
    for kind, name in re.findall(r'"#/components/(\w+)/(\w+)"', text()):
        assert name in DOCUMENT["components"][kind]


def test_every_operation_has_a_name_of_its_own_and_says_who_may_call_it() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(names) == len(set(names)) == len(OPERATIONS)
    used = {name for one in OPERATIONS.values() for way in one["security"] for name in way}
    assert used == set(DOCUMENT["components"]["securitySchemes"])
    for (_, path), operation in OPERATIONS.items():
        if operation["tags"] == ["servers"]:
            assert operation["security"], path
            assert {"401", "413", "503"} <= set(operation["responses"])


def test_the_real_payloads_are_as_described() -> None:
    for path in Path("events/webhook").glob("*.json"):
        assert valid("Webhook", json.loads(path.read_text(encoding="utf-8"))), path
    assert valid("Events", json.loads(Path("events/ingest/purchase.json").read_text(encoding="utf-8")))
    assert valid("LinksRequest", json.loads(json.loads(Path("events/link/links.json").read_text())["body"]))
    assert valid("Ways", LinkWorld().ways())


def test_what_is_not_taken_in_is_not_as_described() -> None:
    event = {"event_id": "e", "customer_id": "c", "name": "purchase", "occurred_at": "2026-11-01T00:00:00Z"}
    assert valid("Events", {"events": [event] * 500})
    assert not valid("Events", {"events": [event] * 501})
    strange: list[dict[str, Any]] = [
        {"event_id": ""},
        {"customer_id": "c" * 129},
        {"status": "maybe"},
        {"properties": []},
    ]
    for wrong in strange:
        assert not valid("Event", {**event, **wrong})
    for name in event:
        assert not valid("Event", {key: value for key, value in event.items() if key != name})


def test_the_shops_request_has_the_fields_that_the_door_reads() -> None:
    assert set(DOCUMENT["components"]["schemas"]["LinksRequest"]["properties"]) == set(shop._TYPES)


def test_every_code_of_a_rejected_event_is_named() -> None:
    source = Path("functions/domain/events.py").read_text(encoding="utf-8")
    assert set(re.findall(r'Fault\(\s*"(\w+)"', source)) | {TOO_OLD} == set(FAULT_CODES)


def test_the_guide_names_every_door() -> None:
    told = Path("docs/http-api.md").read_text(encoding="utf-8")
    assert [path for _, path in OPERATIONS if f"`{path}`" not in told and f" {path}`" not in told] == []
