"""What LINE Login remembers: consents that are asked for, codes, access tokens, and who agreed to what."""

import datetime as dt
import secrets
from dataclasses import dataclass, replace
from typing import TypeVar

from ops.line_sandbox.login.id_tokens import IdTokenKey
from ops.line_sandbox.login.requests import AuthorizationRequest

CODE_VALIDITY = dt.timedelta(minutes=10)
ACCESS_TOKEN_VALIDITY = dt.timedelta(days=30)
REFRESH_TOKEN_VALIDITY = dt.timedelta(days=90)
KEPT_MAX = 10_000
Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True)
class Consent:
    """A request put before the user, and who has agreed where only the offer to add the account is still open."""

    request: AuthorizationRequest
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a user agreed to, at which instant, and how that user logged in (`amr`)."""

    request: AuthorizationRequest
    user_id: str
    at: dt.datetime
    amr: str


class LoginBook:
    """All of it by unguessable names. Callers hold the world's lock."""

    def __init__(self) -> None:
        self.id_token_key = IdTokenKey()
        self._consents: dict[str, Consent] = {}
        self._codes: dict[str, Grant] = {}
        self._access: dict[str, Grant] = {}
        self._refresh: dict[str, Grant] = {}
        self._agreed: set[tuple[str, str]] = set()

    def ask(self, consent: Consent) -> str:
        """Keep an open consent; the ticket under which its answer comes."""
        return _keep(self._consents, consent)

    def open_consent(self, ticket: str) -> Consent | None:
        """The consent that waits for an answer; None where it has one, or there never was any."""
        return self._consents.get(ticket)

    def close_consent(self, ticket: str) -> Consent | None:
        """The same, and it waits no longer."""
        return self._consents.pop(ticket, None)

    def issue_code(self, grant: Grant) -> str:
        """An authorization code, good for ten minutes and one use."""
        self._agreed.add((grant.user_id, grant.request.client_id))
        return _keep(self._codes, grant)

    def has_agreed(self, user_id: str, client_id: str) -> bool:
        """Whether the user has agreed to the channel's permissions before."""
        return (user_id, client_id) in self._agreed

    def grant_of_code(self, code: str, now: dt.datetime) -> Grant | None:
        """What the code stands for; None where it is unknown, used or expired."""
        grant = self._codes.get(code)
        return grant if grant and now - grant.at <= CODE_VALIDITY else None

    def use_code(self, code: str, now: dt.datetime) -> tuple[str, str]:
        """Access and refresh token for the code, which is used up."""
        return self.issue_tokens(replace(self._codes.pop(code), at=now))

    def issue_tokens(self, grant: Grant) -> tuple[str, str]:
        """A new access token and its refresh token; both count from `grant.at`."""
        return _keep(self._access, grant), _keep(self._refresh, grant)

    def renew(self, refresh_token: str, now: dt.datetime) -> tuple[str, Grant] | None:
        """A new access token; None where the refresh token is unknown or expired."""
        grant = self._refresh.get(refresh_token)
        if grant is None or now - grant.at > REFRESH_TOKEN_VALIDITY:
            return None
        renewed = replace(grant, at=now)
        return _keep(self._access, renewed), renewed

    def grant_of_access(self, access_token: str, now: dt.datetime) -> Grant | None:
        """Whose access token it is, and for what; None where it is unknown, revoked or expired."""
        grant = self._access.get(access_token)
        return grant if grant and now - grant.at <= ACCESS_TOKEN_VALIDITY else None

    def revoke(self, access_token: str) -> None:
        """The access token is good for nothing any more."""
        self._access.pop(access_token, None)

    def clear(self) -> None:
        """Forget all; the key stays."""
        for memory in (self._consents, self._codes, self._access, self._refresh):
            memory.clear()
        self._agreed.clear()


def _keep(memory: dict[str, Kept], value: Kept) -> str:
    """Keep the value under a new name; of too many the oldest goes."""
    if len(memory) >= KEPT_MAX:
        del memory[next(iter(memory))]
    name = secrets.token_urlsafe(32)
    memory[name] = value
    return name
