"""Authorization requests: what stands in the address to which a browser is sent for a login."""

import re
from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

from ops.line_sandbox.settings import Settings

Lang = Literal["ja", "en"]
SCOPES = frozenset({"profile", "openid", "email"})
PARAMETERS_MAX = 40
# What may stand in an address: printable ASCII but blanks, quotes, angle brackets and backslashes.
ADDRESS = re.compile(r"https?://[!#-;=?-\[\]^_a-~]+")
# A path that leads out of the one it begins with: browsers take %2e for a dot.
UPWARD = re.compile(r"/(\.|%2e){1,2}(/|$)", re.IGNORECASE)
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class UnusableRequestError(Exception):
    """Channel or callback address are wrong: LINE shows an error page and sends the browser nowhere."""


class RefusedRequestError(Exception):
    """Any other fault: the browser goes back to `location`, which names the error."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """A request that can be put before the user. `liff_id` is there where a LIFF page asks."""

    client_id: str
    redirect_uri: str
    state: str
    scopes: tuple[str, ...]
    nonce: str = ""
    challenge: str = ""
    bot_prompt: Literal["", "normal", "aggressive"] = ""
    prompt: Literal["", "none", "consent", "login"] = ""
    max_age: str = ""
    liff_id: str = ""
    lang: Lang = "ja"


def read_request(query: str, accept_language: str, settings: Settings) -> AuthorizationRequest:
    """The request; UnusableRequestError or RefusedRequestError where it is none."""
    pairs = _pairs(query)
    given = dict(pairs)
    _check_destination(given, settings)
    fault = _fault(pairs, given)
    if fault:
        raise RefusedRequestError(
            error_location(given["redirect_uri"], given.get("state", ""), *fault, settings)
        )
    return AuthorizationRequest(
        client_id=given["client_id"],
        redirect_uri=given["redirect_uri"],
        state=given["state"],
        scopes=tuple(given["scope"].split()),
        nonce=given.get("nonce", ""),
        challenge=given.get("code_challenge", ""),
        bot_prompt=cast(Literal["", "normal", "aggressive"], given.get("bot_prompt", "")),
        prompt=cast(Literal["", "none", "consent", "login"], given.get("prompt", "")),
        max_age=given.get("max_age", ""),
        liff_id=given.get("app_id", ""),
        lang=language(given.get("ui_locales", "").split(), accept_language),
    )


def with_parameters(address: str, parameters: dict[str, str]) -> str:
    """The address with further query parameters behind its own."""
    return f"{address}{'&' if '?' in address else '?'}{urlencode(parameters)}"


def error_location(redirect_uri: str, state: str, code: str, description: str, settings: Settings) -> str:
    """The callback that tells of an error; `code` in lower case."""
    shown = code.upper() if settings.login_error_case == "upper" else code
    parameters = {"error": shown, "error_description": description}
    return with_parameters(redirect_uri, {**parameters, "state": state} if state else parameters)


def language(wanted: list[str], accept_language: str) -> Lang:
    """Japanese or English: the first of the wanted tags, then of the browser's; else Japanese."""
    for tag in (*wanted, *(one.partition(";")[0].strip() for one in accept_language.split(","))):
        primary = tag.lower().partition("-")[0]
        if primary in ("ja", "en"):
            return cast(Lang, primary)
    return "ja"


def origin_of(address: str) -> str:
    """Scheme, host and port of an address; empty for an empty one."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=PARAMETERS_MAX)
    except ValueError:
        raise UnusableRequestError("There are too many parameters.") from None


def _check_destination(given: dict[str, str], settings: Settings) -> None:
    if given.get("client_id") != settings.login_channel_id:
        raise UnusableRequestError("Invalid client_id value. There is no such LINE Login channel.")
    redirect_uri = given.get("redirect_uri", "")
    if not _is_registered(redirect_uri, given.get("app_id"), settings):
        raise UnusableRequestError(
            "Invalid redirect_uri value. Check if it is registered in a LINE developers site."
        )


def _is_registered(redirect_uri: str, liff_id: str | None, settings: Settings) -> bool:
    """A callback of the channel whatever its query, or a page under the LIFF app's."""
    if not ADDRESS.fullmatch(redirect_uri) or "#" in redirect_uri:
        return False
    bare = redirect_uri.partition("?")[0]
    if liff_id is None:
        return bare in {one.partition("?")[0] for one in settings.login_redirect_uris}
    if UPWARD.search(bare):
        return False
    endpoint = settings.liff_endpoint_url.partition("?")[0].rstrip("/")
    return bool(endpoint) and liff_id == settings.liff_id and (bare + "/").startswith(endpoint + "/")


def _fault(pairs: list[tuple[str, str]], given: dict[str, str]) -> tuple[str, str] | None:
    """The error code and its description; None for a request that can be answered."""
    if len(given) < len(pairs):
        return "invalid_request", "A parameter is given twice."
    if not given.get("response_type") or not given.get("state"):
        return "invalid_request", "response_type and state are required."
    if given["response_type"] != "code":
        return "unsupported_response_type", "response_type must be code."
    return _scope_fault(given.get("scope", "").split()) or _choice_fault(given) or _challenge_fault(given)


def _scope_fault(scopes: list[str]) -> tuple[str, str] | None:
    usable = not set(scopes) - SCOPES and ("openid" in scopes or "profile" in scopes)
    if not usable or ("email" in scopes and "openid" not in scopes):
        return "invalid_scope", "The requested scope is invalid."
    return None


def _choice_fault(given: dict[str, str]) -> tuple[str, str] | None:
    choices = {
        "bot_prompt": ("normal", "aggressive"),
        "prompt": ("none", "consent", "login"),
        "code_challenge_method": ("S256",),
    }
    for name, values in choices.items():
        if name in given and given[name] not in values:
            return "invalid_request", f"{name} must be {' or '.join(values)}."
    if not given.get("max_age", "0").isdecimal():
        return "invalid_request", "max_age must be a number of seconds."
    return None


def _challenge_fault(given: dict[str, str]) -> tuple[str, str] | None:
    if ("code_challenge" in given) != ("code_challenge_method" in given):
        return "invalid_request", "code_challenge and code_challenge_method go together."
    if "code_challenge" in given and not CHALLENGE.fullmatch(given["code_challenge"]):
        return "invalid_request", "code_challenge must be a SHA-256 in base64url."
    if "app_id" in given and "code_challenge" not in given:
        return "invalid_request", "A LIFF page needs a code_challenge."
    return None
