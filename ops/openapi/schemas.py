"""What goes over HTTP in JSON, with the limits that the code itself has."""

from typing import Any, get_args

import msgspec

from functions.domain.events import ANONYMOUS_IDS, BUILT_IN, ID_CHARACTERS_MAX, Event, Status
from functions.domain.linking_attempts import CODE_ALPHABET, CODE_CHARACTERS
from functions.ingest.flow import EVENTS_MAX
from functions.link.shop import PURPOSES_MAX, VERSION_CHARACTERS_MAX
from functions.tokens import TOKEN_CHARACTERS_MAX
from ops.openapi.answers import Part, ref

FAULT_CODES = (
    "in_future",
    "malformed",
    "missing_property",
    "too_large",
    "too_old",
    "unknown_event",
    "wrong_type",
)
FROM_OUTSIDE = ("event_id", "customer_id", "name", "occurred_at", "status", "source", "properties")
"""The fields of an event that a CRM says; the others are ours."""
_MEANINGS = {
    "event_id": "The source's own. The same id of the same customer counts once, however often it is sent.",
    "customer_id": f"The CRM's own; '{ANONYMOUS_IDS}' is reserved.",
    "name": f"A word of the playbook's events.yaml, or a built-in one: {', '.join(sorted(BUILT_IN))}.",
    "occurred_at": "An instant with its zone, at most a day ahead.",
    "status": "provisional may stop a message, confirmed may cause one.",
    "source": "The system that says so; its freshness is watched where playbook.yaml names it.",
    "properties": "What the dictionary says of this event; what it does not name is kept.",
}


def _event() -> Part:
    """The domain's event, as it comes from outside: bounded ids, and nothing of what is ours."""
    _, parts = msgspec.json.schema_components([Event], ref_template="#/components/schemas/{name}")
    told = parts["Event"]["properties"]
    properties = {name: {**told[name], "description": _MEANINGS[name]} for name in FROM_OUTSIDE}
    for name in ("event_id", "customer_id", "name"):
        properties[name] |= {"minLength": 1, "maxLength": ID_CHARACTERS_MAX}
    required = [name for name in parts["Event"]["required"] if name in FROM_OUTSIDE]
    return {"type": "object", "required": required, "properties": properties}


def _object(required: list[str], properties: Part, **more: Any) -> Part:
    return {"type": "object", "required": required, "properties": properties, **more}


def _text(maximum: int, minimum: int = 0) -> Part:
    return {"type": "string", "minLength": minimum, "maxLength": maximum}


def _taken_in() -> Part:
    fault = _object(
        ["index", "event_id", "code", "message"],
        {
            "index": {"type": "integer", "minimum": 0, "description": "The event's place in the request."},
            "event_id": {"type": ["string", "null"]},
            "code": {"enum": list(FAULT_CODES)},
            "message": {
                "type": "string",
                "description": "What is wrong and how to mend it; never the value that was wrong.",
            },
        },
        additionalProperties=False,
    )
    rejected = {"type": "array", "items": fault, "description": "Kept for repair: musubi rejects list."}
    accepted = {"type": "integer", "minimum": 0}
    return _object(
        ["accepted", "rejected"], {"accepted": accepted, "rejected": rejected}, additionalProperties=False
    )


def _links_request() -> Part:
    return _object(
        ["customer_id"],
        {
            "customer_id": {**_text(ID_CHARACTERS_MAX, 1), "description": _MEANINGS["customer_id"]},
            "consent": {
                "type": "array",
                "maxItems": PURPOSES_MAX,
                "items": {"type": "string"},
                "description": "Purposes of the playbook that the customer agreed to at the shop.",
            },
            "consent_version": {
                **_text(VERSION_CHARACTERS_MAX),
                "description": "The version of the words agreed to.",
            },
            "return_url": {
                "type": "string",
                "format": "uri",
                "description": "Where the last page leads back to, under linking.return_to of the playbook.",
            },
            "reward": {"type": "boolean", "description": "Whether a reward is asked for."},
            "lang": {"enum": ["ja", "en"]},
            "return": {
                **_text(TOKEN_CHARACTERS_MAX),
                "description": "What the login page was opened with (`musubi`), where LINE's dialog led there.",
            },
        },
        additionalProperties=False,
    )


def _ways() -> Part:
    address: Part = {"type": ["string", "null"]}
    return _object(
        ["login_url", "liff_url", "code", "expires_at", "ticket"],
        {
            "login_url": {**address, "description": "The start page; null where there is no Login channel."},
            "liff_url": {**address, "description": "The same within LINE; null where there is no LIFF app."},
            "code": {
                "type": "string",
                "pattern": f"^[{CODE_ALPHABET}]{{{CODE_CHARACTERS}}}$",
                "description": "To be typed into the chat.",
            },
            "expires_at": {"type": "string", "format": "date-time"},
            "ticket": {"type": "string", "description": "The signed text that the addresses carry."},
            "dialog_url": {
                "type": "string",
                "description": "LINE's account-link dialog; only after `return`.",
            },
        },
        additionalProperties=False,
    )


def schemas() -> dict[str, Part]:
    """Name → JSON Schema (2020-12)."""
    events = {"type": "array", "items": ref("schemas", "Event"), "maxItems": EVENTS_MAX}
    return {
        "Message": _object(["message"], {"message": {"type": "string"}}),
        "Webhook": _object(
            ["events"],
            {
                "destination": {"type": "string", "description": "The account's own user id."},
                "events": {
                    "type": "array",
                    "items": {"type": "object"},
                    "description": "LINE's, as it has them.",
                },
            },
        ),
        "Event": _event(),
        "Events": _object(["events"], {"events": events}),
        "TakenIn": _taken_in(),
        "LinksRequest": _links_request(),
        "Ways": _ways(),
    }


def statuses() -> tuple[str, ...]:
    """What `status` may be, as the domain has it."""
    return get_args(Status)
