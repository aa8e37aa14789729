"""POST /links: the shop's server says who the customer is. Nothing that a browser brings ever says it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from functions.domain.bearer_keys import bears
from functions.domain.events import ID_CHARACTERS_MAX
from functions.domain.instants import format_instant
from functions.domain.json_bodies import parsed
from functions.domain.line_events import is_anonymous
from functions.domain.linking_attempts import (
    CODE_ALPHABET,
    CODE_CHARACTERS,
    LAPSE_NOTICED,
    WAY_MAX,
    Attempt,
    is_code,
    may_return_to,
)
from functions.domain.playbook import Playbook
from functions.link.answers import Answer, Lang, json_of
from functions.link.completing import Completing
from functions.ports.errors import Rejected, Retryable
from functions.ports.timers import Timers

BODY_BYTES_MAX = 16 * 1024
PURPOSES_MAX = 20
VERSION_CHARACTERS_MAX = 64
DRAWS_MAX = 100
_TYPES: dict[str, tuple[type, str]] = {
    "customer_id": (str, "a string"),
    "consent": (list, "a list of purposes"),
    "consent_version": (str, "a string"),
    "return_url": (str, "a string"),
    "reward": (bool, "true or false"),
    "lang": (str, "'ja' or 'en'"),
    "return": (str, "the token that the shop's login page was opened with"),
}


class RequestFault(Rejected):
    """What is wrong with the shop's request; the message says how to mend it."""


class Randomness(Protocol):
    """What nobody can guess."""

    def token(self, size_bytes: int) -> str:
        """So many random bytes, URL-safe."""

    def pick(self, alphabet: str) -> str:
        """One sign of an alphabet."""


class Addresses(Protocol):
    """Where LINE's own pages are."""

    def dialog_url(self, link_token: str, nonce: str) -> str:
        """The account-link dialog."""


@dataclass(frozen=True, slots=True)
class ShopDoor:
    """The ports of this part. `has_login`, `liff_url`: whether a Login channel and a LIFF app are there."""

    ingest_keys: Callable[[], Sequence[str]]
    common: Completing
    timers: Timers
    random: Randomness
    addresses: Addresses
    has_login: Callable[[], bool]
    liff_url: Callable[[str], str]

    def links(self, body: bytes, authorization: str) -> Answer:
        """201 with every way to link · 400 · 401 · 413. Raises Retryable: the shop repeats."""
        if len(body) > BODY_BYTES_MAX:
            return json_of(413, {"message": f"The body is over {BODY_BYTES_MAX // 1024} KB."})
        if not bears(authorization, self.ingest_keys()):
            return json_of(
                401, {"message": "Send the header 'Authorization: Bearer <ingest key>' with the right key."}
            )
        try:
            asked = _read(body)
            _check(asked, self.common.playbooks.in_force().playbook)
            return json_of(201, self._begun(asked))
        except Rejected as fault:
            return json_of(400, {"message": str(fault)})

    def _begun(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        returning = self._returning(asked)
        now, linking = self.common.now(), self.common.linking()
        attempt = Attempt(
            attempt_id=self.random.token(16),
            customer_id=asked["customer_id"],
            expires_at=now + WAY_MAX,
            consent=list(dict.fromkeys(asked.get("consent", []))),
            consent_version=asked.get("consent_version", ""),
            reward=linking.reward and asked.get("reward", False),
            return_url=asked.get("return_url", ""),
            for_user=returning.get("u", ""),
        )
        self.common.attempts.begin(attempt)
        ways = self._ways(attempt, "en" if asked.get("lang") == "en" else "ja")
        return ways | (self._dialog(attempt, returning["k"]) if returning else {})

    def _returning(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Whom the token that came back from the shop's login page is for; empty where none did."""
        return self.common.tokens.read("return", asked["return"], WAY_MAX) if "return" in asked else {}

    def _ways(self, attempt: Attempt, lang: Lang) -> dict[str, Any]:
        ticket = self.common.tokens.sign("ticket", {"a": attempt.attempt_id, "c": attempt.consent})
        start = f"{self.common.base_url}/link/start?t={ticket}&lang={lang}"
        return {
            "login_url": start if self.has_login() else None,
            "liff_url": self.liff_url(ticket) or None,
            "code": self._code(attempt),
            "expires_at": format_instant(attempt.expires_at),
            "ticket": ticket,
        }

    def _code(self, attempt: Attempt) -> str:
        """A code that no other attempt has. Drawn anew where it looks like a word or a number."""
        for _ in range(DRAWS_MAX):
            code = "".join(self.random.pick(CODE_ALPHABET) for _ in range(CODE_CHARACTERS))
            if is_code(code) and self.common.attempts.name(attempt, "code", code):
                return code
        raise Retryable("no free code was drawn")

    def _dialog(self, attempt: Attempt, link_token: str) -> dict[str, Any]:
        """256 random bits that LINE gives back; and somebody looks whether it has."""
        nonce = self.random.token(32)
        if not self.common.attempts.name(attempt, "nonce", nonce):
            raise Retryable("a nonce came twice")
        now = self.common.now()
        self.timers.look_at_link(attempt.attempt_id, now + LAPSE_NOTICED, now)
        return {"dialog_url": self.addresses.dialog_url(link_token, nonce)}


def _read(body: bytes) -> dict[str, Any]:
    try:
        asked = parsed(body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise RequestFault('The body must be JSON such as {"customer_id": "C1", "consent": ["marketing"]}.')
    for name, value in asked.items():
        if name not in _TYPES:
            raise RequestFault(f"{name[:40]!r} is not known here; known: {', '.join(_TYPES)}.")
        kind, told = _TYPES[name]
        if not isinstance(value, kind):
            raise RequestFault(f"{name!r} must be {told}.")
    return asked


def _check(asked: Mapping[str, Any], playbook: Playbook) -> None:
    customer_id = asked.get("customer_id", "")
    if not customer_id or len(customer_id) > ID_CHARACTERS_MAX or is_anonymous(customer_id):
        raise RequestFault(
            f"'customer_id' must be the CRM's own, of 1 to {ID_CHARACTERS_MAX} characters; 'anon:' is reserved."
        )
    if not _is_text(customer_id) or not _is_text(asked.get("consent_version", "")):
        raise RequestFault("The request holds text that is no valid Unicode (half a character).")
    if len(asked.get("consent_version", "")) > VERSION_CHARACTERS_MAX:
        raise RequestFault(f"'consent_version' has at most {VERSION_CHARACTERS_MAX} characters.")
    if asked.get("lang", "ja") not in ("ja", "en"):
        raise RequestFault("'lang' must be 'ja' or 'en'.")
    _check_consent(asked.get("consent", []), playbook)
    if "return_url" in asked and not may_return_to(asked["return_url"], playbook.linking.return_to):
        raise RequestFault(
            "'return_url' must lie under one of the origins that linking.return_to of playbook.yaml names."
        )


def _check_consent(purposes: list[Any], playbook: Playbook) -> None:
    known = {one.purpose for one in playbook.linking.consent}
    known |= {purpose for needed in playbook.consent.values() for purpose in needed}
    if len(purposes) > PURPOSES_MAX or any(purpose not in known for purpose in map(str, purposes)):
        raise RequestFault(
            f"'consent' may name the playbook's purposes only: {', '.join(sorted(known)) or 'there are none'}."
        )


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
