"""The answers and parameters that several operations share, as parts of an OpenAPI 3.1 document."""

from collections.abc import Mapping, Sequence
from typing import Any

Part = dict[str, Any]

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
HTML = "text/html"


def ref(kind: str, name: str) -> Part:
    """A pointer to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def json_answer(description: str, schema: str) -> Part:
    """An answer in JSON, of a schema among the components."""
    return {"description": description, "content": {JSON: {"schema": ref("schemas", schema)}}}


def message(description: str) -> Part:
    """An answer that says in words what was wrong and how to mend it."""
    return json_answer(description, "Message")


def page(description: str) -> Part:
    """A page for people: nobody stores it, frames it, or is told its address."""
    headers = {
        "cache-control": {"required": True, "schema": {"const": "no-store"}},
        "referrer-policy": {"required": True, "schema": {"const": "no-referrer"}},
        "content-security-policy": {"required": True, "schema": {"type": "string"}},
    }
    return {
        "description": description,
        "headers": headers,
        "content": {HTML: {"schema": {"type": "string"}}},
    }


def redirect(description: str, *, sets_cookie: bool = False) -> Part:
    """A way on, which nobody stores."""
    headers: Part = {"location": {"required": True, "schema": {"type": "string", "format": "uri"}}}
    if sets_cookie:
        headers["set-cookie"] = {"schema": {"type": "string"}}
    return {"description": description, "headers": headers}


def query(name: str, description: str, *, required: bool = True, maximum: int = 2_000) -> Part:
    """A text in the address."""
    schema = {"type": "string", "maxLength": maximum}
    return {"name": name, "in": "query", "required": required, "description": description, "schema": schema}


LANG: Part = {
    "name": "lang",
    "in": "query",
    "description": "The page's language; else the browser's, of the two.",
    "schema": {"enum": ["ja", "en"]},
}

THROTTLED = "Throttled"
SHARED: Mapping[str, Part] = {
    "BadToken": page("The signed text is cut off, forged, for something else, or LINE did not confirm."),
    "Over": page("The signed text is too old, or the attempt was taken up by somebody else."),
    "Used": page("This form or login was used already."),
    "NoPage": page("There is nothing at this address."),
    "TooLong": page("The request has a body of more than 16 KB."),
    "Later": page("It cannot be told now: LINE, or what is kept, does not answer. Begin anew."),
    "NotTakenIn": message("Not taken in, or in part; send the same request again: nothing counts twice."),
    "Unauthorized": message("The signature or the key is missing or wrong. Nothing of the request was read."),
    "NoSuchBody": message("The body is not of the form that is described. Nothing was taken in."),
    "TooLarge": message("The body is too large. Nothing was taken in."),
    THROTTLED: message(
        "Too many requests at once; wait, and send it again. The front door answers, no function."
    ),
}
_BY_STATUS = {400: "BadToken", 404: "NoPage", 409: "Used", 410: "Over", 413: "TooLong", 503: "Later"}


def pages(*troubles: int) -> Part:
    """The troubles of a page, by status, and the front door's own."""
    told: Part = {
        str(status): ref("responses", _BY_STATUS[status]) for status in sorted({*troubles, 413, 503})
    }
    return told | {"429": ref("responses", THROTTLED)}


def machines() -> Part:
    """What every operation for servers may answer beside its success."""
    names = {
        400: "NoSuchBody",
        401: "Unauthorized",
        413: "TooLarge",
        429: THROTTLED,
        503: "NotTakenIn",
    }
    return {str(status): ref("responses", name) for status, name in names.items()}


def form(required: Sequence[str], fields: Part) -> Part:
    """A form that one of our own pages sends. A field that comes twice reads as if it were absent, but for lists."""
    schema = {"type": "object", "required": list(required), "properties": fields}
    return {"required": True, "content": {FORM: {"schema": schema}}}
