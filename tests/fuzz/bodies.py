"""Bodies and headers as no honest client sends them, and as one does."""

import json
from typing import Any
from urllib.parse import urlencode

from hypothesis import strategies as st

from tests.fuzz.deployment import CUSTOMER, USER

MARK = "Hanako-7f3a9c"
"""Somebody's name, wherever a request may hold one: no log line may have it."""
MARKUP = '"><x-fuzz onload=1>'
"""Markup: no page may have it as it is."""
MEGABYTE = 1024 * 1024
DEEP = (1, 50, 300, 480, 490, 900, *range(940, 1000, 2), 3_000, 100_000)

LONG = "\x7f" * 150_000
"""Six times as long where JSON writes it in ASCII."""
UNSAYABLE = ("\0", "\ud83d", "x\udc00", "\uffff", "a\ufffe", "\x85\u2028")
"""What some writer or other has no word for."""
KNOWN = (
    MARK,
    MARKUP,
    "",
    "é" * 200,
    "x" * 5_000,
    LONG,
    "../../etc/passwd",
    "' OR 1=1 --",
    "{{7*7}}",
    "%s%n",
    "\r\nset-cookie: a=b",
    USER,
    CUSTOMER,
    "anon:" + USER,
    "__proto__",
    "2026-11-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00",
    "marketing",
)
texts = st.one_of(st.text(max_size=40), st.sampled_from(UNSAYABLE), st.sampled_from(KNOWN))
numbers = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, -1, 2**63, 10**30, 10**400, 1e308, float("nan"), float("inf"), -0.0]),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=8,
)


@st.composite
def deep(draw: st.DrawFn) -> str:
    """JSON within JSON, some of it as deep as readers go, as text: nothing here writes it."""
    levels: int = draw(st.sampled_from(DEEP))
    begin: str
    end: str
    begin, end = draw(st.sampled_from([("[", "]"), ('{"a":', "}"), ('[{"k":', "}]")]))
    return begin * levels + "1" + end * levels


def written(value: Any, *, ascii_only: bool) -> bytes:
    """JSON, with what JSON has no word for."""
    return json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


@st.composite
def crm_events(draw: st.DrawFn) -> Any:
    """An event of the ingest contract in which some fields are not what they should be."""
    name = draw(
        st.sampled_from(["purchase", "line_linked", "profile_updated", "tag_added", "consent_given", "?"])
    )
    good = {
        "event_id": f"e{draw(st.integers(0, 9))}",
        "customer_id": f"{MARK}-{draw(st.integers(0, 9))}",
        "name": name,
        "occurred_at": "2026-11-01T03:04:05Z",
        "properties": {
            "order_id": "1",
            "amount": 4800,
            "line_user_id": USER,
            "tag": "vip",
            "purpose": "marketing",
        },
    }
    where = good if draw(st.booleans()) else good["properties"]
    for key in draw(
        st.lists(st.sampled_from([*good, "status", "source", "order_id", "amount", "note"]), max_size=2)
    ):
        where[key] = draw(values)  # type: ignore[index]
    return good


@st.composite
def line_events(draw: st.DrawFn) -> Any:
    """An event of LINE's webhook in which some fields are not what they should be."""
    good: dict[str, Any] = {
        "type": draw(st.sampled_from(["follow", "unfollow", "message", "postback", "accountLink", "?"])),
        "mode": "active",
        "timestamp": 1795662000000,
        "source": {"type": "user", "userId": USER},
        "webhookEventId": "01H0000000000000000000000A",
        "deliveryContext": {"isRedelivery": False},
        "message": {"type": "text", "id": "1", "text": MARK},
    }
    for key in draw(st.lists(st.sampled_from([*good, "replyToken", "link"]), max_size=2)):
        good[key] = draw(values)
    return good


@st.composite
def lists_of(draw: st.DrawFn, one: st.SearchStrategy[Any]) -> bytes:
    """`{"events": […]}` of some good and some strange ones."""
    events = draw(st.lists(st.one_of(one, one, values), max_size=5))
    shape = {"destination": "U0", "events": events}
    return written(shape, ascii_only=draw(st.booleans()))


links = st.fixed_dictionaries(
    {},
    optional={
        "customer_id": st.one_of(st.just("C-new"), texts, values),
        "consent": st.one_of(st.just(["marketing"]), st.lists(texts, max_size=3), values),
        "consent_version": st.one_of(st.just("m-1"), texts, values),
        "return_url": st.one_of(st.just("https://shop.example/done"), texts, values),
        "reward": st.one_of(st.booleans(), values),
        "lang": st.one_of(st.just("en"), texts, values),
        "return": st.one_of(texts, values),
        "more": values,
    },
)


@st.composite
def forms(draw: st.DrawFn) -> dict[str, list[str]]:
    """The fields of our pages' forms, with what may come in them; `t` is put in by whoever signs."""
    names = [
        "consent",
        "version.news",
        "id_token",
        "topic",
        "everything",
        "start",
        "end",
        "lang",
        MARKUP,
        "version.",
    ]
    honest = ["marketing", "news", "n-1", f"id:{USER}", "coupon", "on", "22:00", "07:00", "en", "xx"]
    fields = draw(
        st.dictionaries(
            st.sampled_from(names),
            st.lists(st.one_of(st.sampled_from(honest), texts), max_size=3),
            max_size=5,
        )
    )
    return fields | ({f"x{n}": ["1"] for n in range(200)} if draw(st.integers(0, 30)) == 0 else {})


def encoded(fields: dict[str, list[str]]) -> str:
    """A form or a query."""
    return urlencode(fields, doseq=True, errors="surrogatepass")


strange = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"",
            b"\xff\xfe\x00",
            b"null",
            b"[]",
            b"{}",
            b'{"events": 1}',
            b'{"events": [}',
            b'\xef\xbb\xbf{"events": []}',
            '{"events": []}'.encode("utf-16"),
            '{"events": []}'.encode("utf-32"),
            b'{"events": [NaN, Infinity, -Infinity, 1e999]}',
            b'{"events": [' + b"9" * 5_000 + b"]}",
            b'{"events": [{"timestamp": 1' + b"0" * 4_000 + b"}]}",
            b'{"events": [], "events": [1]}',
            b'{"events": [' + b"{}," * 600 + b"{}]}",
            b'{"events": ["' + b"x" * 300_000 + b'"]}',
            b'{"events": ["' + b"x" * (MEGABYTE - 100) + b'"]}',
            b'{"events": []}' + b" " * (MEGABYTE - 14),
            b'{"events": []}' + b" " * MEGABYTE,
            b"t=" + b"%ff%00" * 10 + b"&t=%",
            b"&" * 3_000,
            b"t=1" + b"&a=1" * 5_000,
        ]
    ),
)

languages = st.sampled_from(["ja", "en-GB,en;q=0.9", "xx", "", "ja" * 500, ",;q=,;", MARK, "日本語", MARKUP])
agents = st.sampled_from(
    ["", "Mozilla/5.0 (iPhone) Line/15.9.0", "curl/8", "x" * 20_000, f"{MARK}/1.0", "\x80é", "\0"]
)
kinds = st.sampled_from(
    [
        "application/json",
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=UTF-16",
        "multipart/form-data; boundary=x",
        "text/plain",
        "",
        "a" * 500,
        "application/json; charset=\xff",
    ]
)
more_headers = st.lists(
    st.tuples(
        st.sampled_from(
            ["cookie", "Cookie", "sec-purpose", "x-forwarded-for", "x-moz", "host", "content-length", "é", ""]
        ),
        st.one_of(
            st.sampled_from(["", "a=b; a=c", "=;=;", ";" * 300, "prefetch", "9" * 50, "x" * 12_000]), texts
        ),
    ),
    max_size=3,
)
