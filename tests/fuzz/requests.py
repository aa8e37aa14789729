"""A request for one operation of docs/openapi.json: drawn by schemathesis from the description, or from what we know of the
code; then a proof is put in, right or wrong, and the body last of all is what LINE's signature is of."""

from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, quote

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok

from functions.ports.tokens import Purpose
from ops.openapi.document import document
from tests.fuzz.bodies import (
    agents,
    crm_events,
    deep,
    encoded,
    forms,
    kinds,
    languages,
    line_events,
    links,
    lists_of,
    more_headers,
    strange,
    texts,
    written,
)
from tests.fuzz.front_door import Asked, Flag
from tests.fuzz.proofs import TOKENS
from tests.fuzz.wallet import PROOFS, Proof, Wallet

BASE = "https://api.fuzz.example"
FORM = "application/x-www-form-urlencoded"
Operation = Any
AnyCase = Case[Any]


@dataclass(frozen=True)
class Drawn:
    """A request before its proof is in. `query`, `form`: names and values; `body`: where it is no form of ours."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    form: dict[str, list[str]]
    proof: Proof
    flag: Flag
    case: AnyCase


def asked(drawn: Drawn, wallet: Wallet) -> Asked:
    """The request with its proof."""
    body = drawn.body or b""
    query, headers, path = dict(drawn.query), list(drawn.headers), drawn.path
    place = TOKENS.get((drawn.method, drawn.path))
    if place is not None:
        where, name, purpose, _ = place
        token = wallet.token(_purpose(purpose), drawn.proof, _first(drawn, where, name))
        if where == "query":
            query[name] = [token]
        elif where == "cookie":
            headers.append(("cookie", f"{name}={token}"))
            query.setdefault("state", [_state(wallet, token)])
        elif drawn.body is None:
            body = encoded({**drawn.form, name: [token]}).encode("utf-8", "surrogatepass")
    if path.startswith("/c/") and drawn.proof != "as drawn":
        path = f"/c/{wallet.token('click', drawn.proof, '')}"
    if path in ("/events", "/links"):
        drawn_key = next((value for key, value in headers if key.lower() == "authorization"), "")
        headers = _without(headers, "authorization")
        headers.append(("Authorization", wallet.bearer(drawn.proof, drawn_key)))
    if path == "/webhook":
        drawn_key = next((value for key, value in headers if key.lower() == "x-line-signature"), "")
        headers = _without(headers, "x-line-signature")
        headers.append(("X-Line-Signature", wallet.signature(drawn.proof, body, drawn_key)))
    return Asked(drawn.method, path, encoded(query), tuple(headers), body, drawn.flag)


def _purpose(name: str) -> Purpose:
    return name  # type: ignore[return-value]


def _state(wallet: Wallet, token: str) -> str:
    """The state that a login's cookie names, as LINE would bring it back; nothing where the cookie is none."""
    said = wallet.said("state", token)
    return str(said["s"]) if said else "state"


def _first(drawn: Drawn, where: str, name: str) -> str:
    values = {"query": drawn.query, "form": drawn.form}.get(where, {}).get(name) or [""]
    return values[0]


def _without(headers: list[tuple[str, str]], name: str) -> list[tuple[str, str]]:
    return [one for one in headers if one[0].lower() != name]


@st.composite
def by_description(draw: st.DrawFn, operation: Operation, mode: GenerationMode) -> Drawn:
    """What schemathesis makes of the description: as it says, or against what it says."""
    case = draw(operation.as_strategy(generation_mode=mode))
    sent = requests.Request(**case.as_transport_kwargs(base_url=BASE)).prepare()
    path, _, query = (sent.path_url or "/").partition("?")
    body = sent.body if isinstance(sent.body, bytes) else str(sent.body or "").encode()
    headers = tuple((str(name), _text(value)) for name, value in sent.headers.items())
    is_form = _text(sent.headers.get("content-type", "")).startswith(FORM)
    form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True) if is_form else {}
    return Drawn(
        operation.method.upper(),
        path if "{" in operation.path else operation.path,
        parse_qs(query, keep_blank_values=True),
        headers,
        None if is_form else body,
        form,
        draw(proofs),
        draw(flags),
        case,
    )


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


@st.composite
def by_knowledge(draw: st.DrawFn, operation: Operation) -> Drawn:
    """What we know that code stumbles over."""
    method, path = operation.method.upper(), operation.path
    headers = [
        ("accept-language", draw(languages)),
        ("user-agent", draw(agents)),
        *draw(more_headers),
    ]
    body = (
        draw(_bodies(path)) if method == "POST" else draw(st.sampled_from([None, None, None, b"x" * 20_000]))
    )
    is_form = path.startswith("/link/") and body is None and method == "POST"
    headers.append(("content-type", FORM if is_form else draw(kinds)))
    names = st.sampled_from(["lang", "code", "error", "state", "liff.state", "p", "t", "f", "s", "é"])
    found = st.one_of(texts, st.sampled_from(["good-1", "access_denied", "en", "?t=x&t=y"]))
    query = draw(st.dictionaries(names, st.lists(found, min_size=1, max_size=2), max_size=3))
    if path == "/c/{token}":
        path = f"/c/{quote(draw(texts), safe='', errors='replace') or 'x'}"
    return Drawn(
        method,
        path,
        query,
        tuple(headers),
        body,
        draw(forms()) if is_form else {},
        draw(proofs),
        draw(flags),
        operation.Case(path_parameters={"token": "x"} if "{" in operation.path else {}),
    )


def _bodies(path: str) -> st.SearchStrategy[bytes | None]:
    if path.startswith("/link/"):
        return st.one_of(st.none(), st.none(), st.none(), strange)
    if path == "/links":
        good = st.builds(lambda value, plain: written(value, ascii_only=plain), links, st.booleans())
        nested = deep().map(lambda text: f'{{"customer_id": {text}}}'.encode())
    else:
        good = lists_of(line_events() if path == "/webhook" else crm_events())
        nested = deep().map(lambda text: _around(path, text))
    return st.one_of(good, good, nested, strange)


def _around(path: str, text: str) -> bytes:
    """Something deep in an event that is fine otherwise."""
    begin = '{"event_id": "d1", "customer_id": "C-deep", "name": "purchase", "occurred_at": "2026-11-01T00:00:00Z",'
    event = f'{begin} "properties": {{"order_id": "1", "amount": 1, "note": {text}}}}}'
    return f'{{"events": [{event if path == "/events" else text}]}}'.encode()


def drawn_for(operation: Operation) -> st.SearchStrategy[Drawn]:
    """Requests for an operation, of all sorts."""
    return st.one_of(
        by_knowledge(operation),
        by_knowledge(operation),
        by_description(operation, GenerationMode.POSITIVE),
        by_description(operation, GenerationMode.NEGATIVE),
    )


proofs: st.SearchStrategy[Proof] = st.one_of(st.just("right"), st.sampled_from(PROOFS))
flags: st.SearchStrategy[Flag] = st.sampled_from(["as it is", "as it is", "as it is", "encoded", "broken"])


@cache
def operations() -> list[Operation]:
    """Every operation of our description."""
    schema = schemathesis.openapi.from_dict(document())
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
