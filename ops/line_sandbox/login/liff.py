"""LIFF's server side: the script, the address that opens the app, and the session of who opens it inside LINE."""

from pathlib import Path

from ops.line_sandbox.answers import NOT_STORED, Answer, Content, JsonObject, redirect, refused
from ops.line_sandbox.calls import Call, Request
from ops.line_sandbox.login.api import id_token_claims
from ops.line_sandbox.login.book import Grant
from ops.line_sandbox.login.requests import AuthorizationRequest, origin_of, with_parameters
from ops.line_sandbox.world import World

SDK_PATH = "/liff/edge/2/sdk.js"
SESSION_PATH = "/liff/v1/session"
SCRIPT = Path(__file__).parent / "sdk.js"
SCOPES = ("openid", "profile")


def sdk(_request: Request) -> Answer:
    """The stand-in for LIFF's script; it speaks to the host it came from."""
    script = Content("text/javascript; charset=utf-8", SCRIPT.read_bytes())
    headers = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
    return Answer(200, headers=headers, content=script)


def opened(world: World, request: Request) -> Answer | None:
    """`/{liffId}…`, as https://liff.line.me answers it: to the app's page, what was added kept in `liff.state`."""
    settings = world.settings
    address = f"/{settings.liff_id}"
    if request.method != "GET" or not (request.path + "/").startswith(address + "/"):
        return None
    if not settings.liff_endpoint_url:
        return None
    added = request.path.removeprefix(address) + (f"?{request.query}" if request.query else "")
    if added in ("", "/"):
        return redirect(settings.liff_endpoint_url)
    return redirect(with_parameters(settings.liff_endpoint_url, {"liff.state": added}))


def session(world: World, call: Call) -> Answer:
    """`{inClient, idToken?, accessToken?}`: tokens where the phone's user opens the app inside LINE.

    Only the app's own page gets an answer: 403 for another origin, 404 for another LIFF id.
    """
    settings = world.settings
    if not settings.liff_endpoint_url or call.query("liffId") != settings.liff_id:
        raise refused(404, "channel not found.")
    if call.request.headers.get("origin") != origin_of(settings.liff_endpoint_url):
        raise refused(403, "The page is not the LIFF app's endpoint.")
    body: JsonObject = {"inClient": False, "clientId": settings.login_channel_id}
    with world.lock:
        if world.phone.user_id and not world.phone.external_browser:
            body |= _tokens(world, call, world.phone.user_id)
    return Answer(200, body, headers=NOT_STORED)


def _tokens(world: World, call: Call, user_id: str) -> JsonObject:
    world.friends.meet(user_id)
    asked = AuthorizationRequest(
        client_id=world.settings.login_channel_id,
        redirect_uri=world.settings.liff_endpoint_url,
        state="",
        scopes=SCOPES,
        liff_id=world.settings.liff_id,
    )
    grant = Grant(asked, user_id, call.now, "linesso")
    access_token, _ = world.login.issue_tokens(grant)
    id_token = world.login.id_token_key.sign_for_liff(id_token_claims(world, grant))
    return {"inClient": True, "idToken": id_token, "accessToken": access_token}
