"""Every route, by path and method: who may call it, what it takes, and every status that its handler answers."""

from functions.link.login import CANCELLED
from functions.link.preferences import HOURS
from functions.tokens import TOKEN_CHARACTERS_MAX
from ops.openapi.answers import (
    JSON,
    LANG,
    THROTTLED,
    Part,
    form,
    json_answer,
    machines,
    message,
    page,
    pages,
    query,
    redirect,
    ref,
)

_TOKEN: Part = {"type": "string", "maxLength": TOKEN_CHARACTERS_MAX}
_CONSENT: Part = {
    "consent": {"type": "array", "items": {"type": "string"}, "description": "The purposes ticked."},
    "lang": {"enum": ["ja", "en"]},
}


def _body(schema: str) -> Part:
    return {"required": True, "content": {JSON: {"schema": ref("schemas", schema)}}}


def _operation(tag: str, name: str, summary: str, security: list[Part], **more: object) -> Part:
    return {"tags": [tag], "operationId": name, "summary": summary, "security": security, **more}


def _for_servers() -> dict[str, Part]:
    return {
        "/webhook": {
            "post": _operation(
                "servers",
                "webhook",
                "LINE's webhook.",
                [{"lineSignature": []}],
                requestBody=_body("Webhook"),
                responses={"200": message("Taken in."), **machines()},
            )
        },
        "/events": {
            "post": _operation(
                "servers",
                "events",
                "What happened to customers, as the CRM or the shop knows it. At most 500 events and 1 MB.",
                [{"ingestKey": []}],
                requestBody=_body("Events"),
                responses={
                    "202": json_answer("What was taken in, and what was not, one by one.", "TakenIn"),
                    **machines(),
                },
            )
        },
        "/links": {
            "post": _operation(
                "servers",
                "links",
                "Begin to link a customer who is logged in at the shop. At most 16 KB.",
                [{"ingestKey": []}],
                requestBody=_body("LinksRequest"),
                responses={"201": json_answer("Every way to link, for ten minutes.", "Ways"), **machines()},
            )
        },
    }


def _shown(name: str, summary: str, security: list[Part], *troubles: int, **success: Part) -> Part:
    """A page that is asked for by its address. `success`: `s200` or `s303` and the answer."""
    responses = {status.removeprefix("s"): answer for status, answer in success.items()}
    return _operation(
        "pages", name, summary, security, parameters=[LANG], responses=responses | pages(400, *troubles)
    )


def _sent(name: str, summary: str, fields: Part, responses: Part, *troubles: int) -> Part:
    """A form of ours. Its field `t` is what is signed, so that no security scheme stands here."""
    body = form(["t"], {"t": _TOKEN, **fields})
    return _operation(
        "pages", name, summary, [], requestBody=body, responses=responses | pages(400, 410, *troubles)
    )


def _linking() -> dict[str, Part]:
    callback = _shown(
        "callback",
        "LINE leads back here. It ends the login that this very browser began, once.",
        [{"login": []}],
        409,
        410,
        s200=page("Linked, welcomed, or cancelled at LINE."),
    )
    callback["parameters"] = [
        query("state", "The login's.", required=False),
        query("code", "LINE's authorization code.", required=False),
        query("error", f"Why LINE did not: {CANCELLED} where somebody cancelled.", required=False),
    ]
    return {
        "/link/start": {
            "get": _shown(
                "start", "What linking means, and the button.", [{"ticket": []}], 410, s200=page("The page.")
            )
        },
        "/link/login": {
            "post": _sent(
                "login",
                "The start page's button: on to LINE Login.",
                _CONSENT,
                {"303": redirect("To LINE's login page.", sets_cookie=True)},
            )
        },
        "/link/callback": {"get": callback},
        "/link/in": {
            "get": _shown(
                "arrive",
                "Somebody comes by a poster: on to LINE.",
                [{"poster": []}],
                s303=redirect("To LINE's login page, or to where the account is added.", sets_cookie=True),
            )
        },
        "/link/dialog": {
            "get": _shown(
                "dialog",
                "From the chat to the shop's own login page.",
                [{"friend": []}],
                404,
                410,
                s303=redirect("To the shop's login page, with `musubi` for POST /links to return."),
            )
        },
    }


def _within_line() -> dict[str, Part]:
    script = {"description": "The script.", "content": {"text/javascript": {"schema": {"type": "string"}}}}
    show = _shown("liff", "The page within LINE (LIFF).", [{"ticket": []}], 404, 410, s200=page("The page."))
    show["parameters"] = [LANG, query("liff.state", "Where LIFF puts the address at first.", required=False)]
    return {
        "/link/liff": {
            "get": show,
            "post": _sent(
                "linkInLiff",
                "LIFF hands over an ID token, which LINE has to confirm.",
                {"id_token": {"type": "string"}, **_CONSENT},
                {"200": page("Linked, or to be decided by somebody.")},
            ),
        },
        "/link/liff.js": {
            "get": _operation(
                "pages", "liffScript", "The LIFF page's script.", [], responses={"200": script, **pages()}
            )
        },
    }


def _choosing() -> dict[str, Part]:
    friend: list[Part] = [{"friend": []}]
    fields: Part = {
        "topic": {"type": "array", "items": {"type": "string"}, "description": "The topics ticked."},
        "everything": {"enum": ["on"], "description": "Stop everything."},
        "start": {"enum": ["", *HOURS]},
        "end": {"enum": ["", *HOURS]},
        "lang": {"enum": ["ja", "en"]},
    }
    return {
        "/link/manage": {
            "get": _shown("manage", "What one is tied to, masked.", friend, 410, s200=page("The page."))
        },
        "/link/unlink": {
            "post": _sent("unlink", "End the tie that the page showed.", {}, {"200": page("Done.")}, 409)
        },
        "/link/preferences": {
            "get": _shown(
                "preferences",
                "What somebody wants to get.",
                [{"preferences": []}],
                410,
                s200=page("The form."),
            ),
            "post": _sent("choose", "The form, once.", fields, {"200": page("Saved.")}, 409),
        },
    }


def _clicks() -> dict[str, Part]:
    token = {
        "name": "token",
        "in": "path",
        "required": True,
        "description": "Signed by the sender: where it leads, whose it is and until when.",
        "schema": {"type": "string", "minLength": 1},
    }
    responses = {
        "302": redirect("To the address that is signed in the token."),
        "404": ref("responses", "NoPage"),
        "410": ref("responses", "Over"),
        "429": ref("responses", THROTTLED),
        "503": ref("responses", "Later"),
    }
    answers = {"parameters": [token], "responses": responses}
    return {
        "/c/{token}": {
            "get": _operation("pages", "click", "A tracked link of a message.", [], **answers),
            "head": _operation("pages", "look", "The same, looked at by a machine.", [], **answers),
        }
    }


def paths() -> dict[str, Part]:
    """Path → method → operation."""
    return {**_for_servers(), **_linking(), **_within_line(), **_choosing(), **_clicks()}
