"""ID tokens: HS256 with the channel secret after a web login, ES256 with LINE's own key in LIFF; and their check."""

import datetime as dt
from typing import Any, Protocol

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey

from ops.line_sandbox.answers import JsonObject

ISSUER = "https://access.line.me"
ID_TOKEN_VALIDITY = dt.timedelta(hours=1)
ALGORITHMS = ("HS256", "ES256")


class IdTokenError(Exception):
    """The token is not to be trusted; the message is LINE's `error_description`."""


class _Headed(Protocol):
    def headers(self) -> dict[str, Any]: ...


class IdTokenKey:
    """LINE's own key pair, made anew for each sandbox."""

    def __init__(self) -> None:
        self._key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)

    def public(self) -> JsonObject:
        """The JWKS document `{keys: [...]}` without anything private."""
        return {"keys": [dict(self._key.as_dict(private=False))]}

    def sign_for_web(self, claims: JsonObject, channel_secret: str) -> str:
        """HS256, without a kid."""
        return jwt.encode({"typ": "JWT", "alg": "HS256"}, claims, OctKey.import_key(channel_secret))

    def sign_for_liff(self, claims: JsonObject) -> str:
        """ES256, with the kid of the published key."""
        return jwt.encode({"typ": "JWT", "alg": "ES256", "kid": self._key.kid}, claims, self._key)

    def claims(self, token: str, channel_secret: str) -> JsonObject:
        """The claims of a token with a good signature of either kind; IdTokenError otherwise.

        The algorithm decides the key, never the token's sender: HS256 is checked with the secret alone, ES256 with the
        published key alone.
        """

        def key_for(token: _Headed) -> OctKey | ECKey:
            is_web = token.headers().get("alg") == "HS256"
            return OctKey.import_key(channel_secret) if is_web else self._key

        try:
            claims = jwt.decode(token, key_for, algorithms=ALGORITHMS).claims
        except (JoseError, ValueError):
            raise IdTokenError("Invalid IdToken.") from None
        return dict(claims)


def check_claims(
    claims: JsonObject, now: dt.datetime, client_id: str, nonce: str | None, user_id: str | None
) -> None:
    """LINE's checks in LINE's order; IdTokenError for the first that fails. None: not asked for."""
    expires_at = claims.get("exp")
    if claims.get("iss") != ISSUER:
        raise IdTokenError("Invalid IdToken Issuer.")
    if not isinstance(expires_at, int) or now.timestamp() >= expires_at:
        raise IdTokenError("IdToken expired.")
    if claims.get("aud") != client_id:
        raise IdTokenError("Invalid IdToken Audience.")
    if nonce is not None and claims.get("nonce") != nonce:
        raise IdTokenError("Invalid IdToken Nonce.")
    if user_id is not None and claims.get("sub") != user_id:
        raise IdTokenError("Invalid IdToken Subject Identifier.")
