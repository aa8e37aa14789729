"""The whole document."""

import json
from pathlib import Path
from typing import Any

from ops.openapi.answers import SHARED
from ops.openapi.operations import paths
from ops.openapi.proofs import SECURITY
from ops.openapi.schemas import schemas

VERSION = "1"
"""Changes where what was right becomes wrong: a field that is now required, an answer that is gone."""
FILE = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"


def document() -> dict[str, Any]:
    """OpenAPI 3.1, as values."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Musubi",
            "version": VERSION,
            "description": "LINE's webhooks, the CRM's events, the ways to link, and tracked links. docs/http-api.md.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {
                "url": "https://{host}",
                "description": "The stack's outputs name it.",
                "variables": {"host": {"default": "api.example.com"}},
            }
        ],
        "tags": [
            {"name": "servers", "description": "For LINE's servers, the CRM's and the shop's."},
            {"name": "pages", "description": "For people's browsers: pages in Japanese and English."},
        ],
        "paths": paths(),
        "components": {
            "schemas": schemas(),
            "responses": dict(SHARED),
            "securitySchemes": SECURITY,
        },
    }


def text() -> str:
    """The file."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"
