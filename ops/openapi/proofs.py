"""By what a request proves who it is from, as security schemes of an OpenAPI 3.1 document."""

from ops.openapi.answers import Part

SECURITY: dict[str, Part] = {
    "ingestKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "The deployment's ingest key, for servers only. While it is rotated, two are valid.",
    },
    "lineSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "x-line-signature",
        "description": "base64(HMAC-SHA256(channel secret, raw body)): LINE signs each webhook.",
    },
    "ticket": {
        "type": "apiKey",
        "in": "query",
        "name": "t",
        "description": "Signed by us for ten minutes: the attempt that POST /links began. The pages' forms send it on.",
    },
    "friend": {
        "type": "apiKey",
        "in": "query",
        "name": "f",
        "description": "Signed by us for 14 days: the friend to whom a message in the chat was sent.",
    },
    "preferences": {
        "type": "apiKey",
        "in": "query",
        "name": "p",
        "description": "Signed by us for 400 days: the friend whose choice it is.",
    },
    "poster": {
        "type": "apiKey",
        "in": "query",
        "name": "s",
        "description": "Signed by us: the source that a poster or an advertisement names (musubi links source).",
    },
    "login": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-musubi_link",
        "description": "Signed by us for ten minutes: the login that this very browser began.",
    },
}
