"""What a server asks LINE Login: tokens for a code, whether an ID token is good, who the user is, whether a friend."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace

from ops.line_sandbox.answers import NOT_STORED, Answer, JsonObject, RefusedError, oauth_error, refused
from ops.line_sandbox.calls import Call
from ops.line_sandbox.friends import Friend
from ops.line_sandbox.login.book import ACCESS_TOKEN_VALIDITY, Grant
from ops.line_sandbox.login.forms import read_form
from ops.line_sandbox.login.id_tokens import ID_TOKEN_VALIDITY, ISSUER, IdTokenError, check_claims
from ops.line_sandbox.world import World

BAD_PARAMETERS = oauth_error(400, "invalid_request", "some parameters missed or invalid")
NAMELESS = "LINE user"


def token(world: World, call: Call) -> Answer:
    """Tokens for an authorization code or a refresh token."""
    form = read_form(call.request)
    if form is None:
        return BAD_PARAMETERS
    exchange = GRANT_TYPES.get(form.get("grant_type", ""))
    if exchange is None:
        return oauth_error(400, "unsupported_grant_type", "unsupported grant_type")
    with world.lock:
        return exchange(world, call, form)


def verify_id_token(world: World, call: Call) -> Answer:
    """The claims of an ID token of either kind; 400 with LINE's reason where it is not to be trusted."""
    form = read_form(call.request)
    if form is None or "id_token" not in form or "client_id" not in form:
        return BAD_PARAMETERS
    try:
        claims = world.login.id_token_key.claims(form["id_token"], world.settings.login_channel_secret)
        check_claims(claims, call.now, form["client_id"], form.get("nonce"), form.get("user_id"))
    except IdTokenError as fault:
        return oauth_error(400, "invalid_request", str(fault))
    return Answer(200, claims, headers=NOT_STORED)


def verify_access_token(world: World, call: Call) -> Answer:
    """`{scope, client_id, expires_in}` of an access token."""
    with world.lock:
        grant = world.login.grant_of_access(call.query("access_token"), call.now)
    if grant is None:
        return oauth_error(400, "invalid_request", "access token expired")
    left = grant.at + ACCESS_TOKEN_VALIDITY - call.now
    body = {"scope": _shown_scope(grant), "client_id": grant.request.client_id}
    return Answer(200, {**body, "expires_in": int(left.total_seconds())}, headers=NOT_STORED)


def revoke(world: World, call: Call) -> Answer:
    """The access token ends; 200 without a body, also for one that LINE does not know."""
    form = read_form(call.request)
    if form is None or "access_token" not in form:
        return BAD_PARAMETERS
    if not _is_channel(world, form):
        return oauth_error(400, "invalid_client", "invalid client_secret")
    with world.lock:
        world.login.revoke(form["access_token"])
    return Answer(200, headers=NOT_STORED)


def certs(world: World, _call: Call) -> Answer:
    """The public keys of ES256 tokens, as JWKS."""
    return Answer(200, world.login.id_token_key.public())


def user_info(world: World, call: Call) -> Answer:
    """`{sub, name?}`; the token needs the scope `openid`."""
    grant, friend = _bearer(world, call, "openid")
    body: JsonObject = {"sub": friend.user_id}
    if "profile" in grant.request.scopes:
        body["name"] = friend.display_name or NAMELESS
    return Answer(200, body, headers=NOT_STORED)


def profile(world: World, call: Call) -> Answer:
    """`{userId, displayName}`; the token needs the scope `profile`."""
    _, friend = _bearer(world, call, "profile")
    body: JsonObject = {"userId": friend.user_id, "displayName": friend.display_name or NAMELESS}
    return Answer(200, body, headers=NOT_STORED)


def friendship(world: World, call: Call) -> Answer:
    """`{friendFlag}`: whether the user has added the account and does not block it."""
    _, friend = _bearer(world, call, "profile")
    return Answer(200, {"friendFlag": friend.state == "friend"}, headers=NOT_STORED)


def id_token_claims(world: World, grant: Grant) -> JsonObject:
    """What an ID token says that is issued at the grant's instant."""
    request, friend = grant.request, _friend(world, grant.user_id)
    issued_at = int(grant.at.timestamp())
    claims: JsonObject = {
        "iss": ISSUER,
        "sub": grant.user_id,
        "aud": request.client_id,
        "exp": issued_at + int(ID_TOKEN_VALIDITY.total_seconds()),
        "iat": issued_at,
        "amr": [grant.amr],
    }
    if request.max_age:
        claims["auth_time"] = issued_at
    if request.nonce:
        claims["nonce"] = request.nonce
    if "profile" in request.scopes:
        claims["name"] = friend.display_name or NAMELESS
    return claims


def _exchange_code(world: World, call: Call, form: dict[str, str]) -> Answer:
    """The code must be the channel's, unused and young; a failed try leaves it as it is."""
    if not {"code", "redirect_uri", "client_id"} <= form.keys():
        return BAD_PARAMETERS
    grant = world.login.grant_of_code(form["code"], call.now)
    if not _may_exchange(world, form, grant):
        return oauth_error(400, "invalid_client", "invalid client_secret")
    if grant is None or grant.request.client_id != form["client_id"]:
        return oauth_error(400, "invalid_grant", "invalid authorization code")
    if grant.request.redirect_uri != form["redirect_uri"]:
        return oauth_error(400, "invalid_grant", "redirect_uri does not match")
    if not _proves(form.get("code_verifier", ""), grant.request.challenge):
        return oauth_error(400, "invalid_grant", "invalid code_verifier")
    granted = replace(grant, at=call.now)
    access, refresh = world.login.use_code(form["code"], call.now)
    body = {**_tokens(granted, access, refresh), **_id_token(world, granted)}
    return Answer(200, body, headers=NOT_STORED, accepted=True)


def _may_exchange(world: World, form: dict[str, str], grant: Grant | None) -> bool:
    """A web login's code needs the secret. A LIFF page cannot keep one: there, the verifier alone proves who asks."""
    is_for_web = not grant.request.liff_id if grant else "client_secret" in form
    return _is_channel(world, form) if is_for_web else True


def _refresh(world: World, call: Call, form: dict[str, str]) -> Answer:
    if not _is_channel(world, form):
        return oauth_error(400, "invalid_client", "invalid client_secret")
    renewed = world.login.renew(form.get("refresh_token", ""), call.now)
    if renewed is None:
        return oauth_error(400, "invalid_grant", "invalid refresh token")
    access, grant = renewed
    return Answer(200, _tokens(grant, access, form["refresh_token"]), headers=NOT_STORED, accepted=True)


GRANT_TYPES: dict[str, Callable[[World, Call, dict[str, str]], Answer]] = {
    "authorization_code": _exchange_code,
    "refresh_token": _refresh,
}


def _tokens(grant: Grant, access: str, refresh: str) -> JsonObject:
    return {
        "access_token": access,
        "expires_in": int(ACCESS_TOKEN_VALIDITY.total_seconds()),
        "refresh_token": refresh,
        "scope": _shown_scope(grant),
        "token_type": "Bearer",
    }


def _id_token(world: World, grant: Grant) -> JsonObject:
    if "openid" not in grant.request.scopes:
        return {}
    claims, key = id_token_claims(world, grant), world.login.id_token_key
    if grant.request.liff_id:
        return {"id_token": key.sign_for_liff(claims)}
    return {"id_token": key.sign_for_web(claims, world.settings.login_channel_secret)}


def _shown_scope(grant: Grant) -> str:
    """LINE never names `email`, also where it was granted."""
    return " ".join(scope for scope in grant.request.scopes if scope != "email")


def _is_channel(world: World, form: dict[str, str]) -> bool:
    settings = world.settings
    known = form.get("client_id") == settings.login_channel_id
    secret = form.get("client_secret", "").encode()
    return hmac.compare_digest(secret, settings.login_channel_secret.encode()) and known


def _proves(verifier: str, challenge: str) -> bool:
    """RFC 7636, S256. Without a challenge there is nothing to prove, and a verifier is too much."""
    if not challenge:
        return not verifier
    digest = hashlib.sha256(verifier.encode()).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), challenge)


def _bearer(world: World, call: Call, scope: str) -> tuple[Grant, Friend]:
    """Whose access token stands in the header; RefusedError with 401, or with 403 where the scope is missing."""
    kind, _, access_token = call.request.headers.get("authorization", "").partition(" ")
    with world.lock:
        grant = world.login.grant_of_access(access_token, call.now) if kind == "Bearer" else None
        if grant is None:
            raise refused(401, "invalid token")
        if scope not in grant.request.scopes:
            raise RefusedError(Answer(403, {"message": f"The scope {scope} is needed."}))
        return grant, _friend(world, grant.user_id)


def _friend(world: World, user_id: str) -> Friend:
    return world.friends.find(user_id) or Friend(user_id=user_id, state="left")
