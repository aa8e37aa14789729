"""Codes as people type them, events that are the same when told again, and addresses that lead nowhere else."""

import datetime as dt
import re
from urllib.parse import urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.linking_attempts import (
    CODE_ALPHABET,
    Agreed,
    Attempt,
    Taken,
    code_in,
    is_code,
    link_events,
    masked,
    may_return_to,
    origin_of,
)

NOW = dt.datetime(2026, 11, 20, 3, tzinfo=dt.UTC)
ATTEMPT = Attempt("a1", "c1", NOW + dt.timedelta(minutes=10), ["marketing"], "2026-04")
codes = st.text(CODE_ALPHABET, min_size=8, max_size=8).filter(is_code)


@given(codes, st.sampled_from(["{}", " {} ", "{}\n", "　{}"]))
def test_a_code_is_read_however_it_is_typed(code: str, frame: str) -> None:
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in code)
    for typed in (code, code.lower(), wide, f"{code[:4]}-{code[4:]}", f"{code[:4]} {code[4:]}"):
        assert code_in(frame.format(typed)) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "返品はできますか？",
        "ABCDEFGH",
        "23456789",
        "ABCDEFG2",
        "ABC2345",
        "ABCD23456",
        "ABCD234O",
        "A" * 5_000,
    ],
)
def test_what_is_no_code_is_left_alone(text: str) -> None:
    assert code_in(text) is None


def test_links_told_again_are_the_same_events() -> None:
    taken = Taken(ATTEMPT, "U1", NOW, "login")
    agreed = [Agreed("news", "v1"), Agreed("marketing", "v9")]
    link, consent = link_events(taken, agreed)
    assert (link.event_id, link.customer_id, link.name, link.occurred_at) == (
        "link:a1",
        "c1",
        "line_linked",
        NOW,
    )
    assert link.properties == {
        "line_user_id": "U1",
        "method": "login",
        "consent": ["marketing"],
        "consent_version": "2026-04",
    }
    # What was agreed to at the shop is not said twice.
    assert (consent.event_id, consent.name) == ("link:a1:news", "consent_given")
    assert consent.properties == {"purpose": "news", "version": "v1"}
    assert link_events(taken, agreed) == [link, consent]


def test_a_reward_is_asked_for_only_where_the_shop_did() -> None:
    rewarded = msgspec.structs.replace(ATTEMPT, reward=True)
    assert link_events(Taken(rewarded, "U1", NOW, "code"))[0].properties["reward"] is True
    assert "reward" not in link_events(Taken(ATTEMPT, "U1", NOW, "code"))[0].properties


def test_a_masked_id_tells_little() -> None:
    assert masked("C123456789") == "C1••••••9"
    assert masked("C12") == "••••••"


ORIGINS = ["https://shop.example", "https://other.example:8443/path", "http://127.0.0.1:9000"]


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example",
        "https://shop.example/",
        "https://SHOP.example:443/a?b=c#d",
        "https://shop.example?x=@evil.example",
        "https://other.example:8443/back",
        "http://127.0.0.1:9000/done",
    ],
)
def test_the_shops_own_addresses_are_returned_to(url: str) -> None:
    assert may_return_to(url, ORIGINS)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/relative",
        "//evil.example",
        "https:evil.example",
        "https:/evil.example",
        "https:///evil.example",
        "http://shop.example",
        "https://shop.example.evil.example",
        "https://evilshop.example",
        "https://shop.example@evil.example",
        "https://shop.example:pass@evil.example",
        "https://evil.example\\@shop.example",
        "https://shop.example\\.evil.example",
        "https://evil.example#@shop.example",
        "https://evil.example?@shop.example",
        "https://shop.example:8443",
        "https://shop.example:",
        "https://shop.example:443x",
        "https://other.example",
        "https://shop%2eexample",
        "https://shop。example",
        "https://[::1]",
        "javascript:alert(1)",
        "javascript://shop.example/%0aalert(1)",
        "data:text/html,https://shop.example",
        " https://shop.example",
        "https://shop.example\t",
        "ht\ntps://shop.example",
        "https://shop.example/\r\nset-cookie: a=b",
        "https://localhost",
        "http://localhost:9000",
        "https://shop.example/" + "a" * 2_000,
    ],
)
def test_no_other_address_is(url: str) -> None:
    assert not may_return_to(url, ORIGINS)


def as_browsers_do(url: str) -> str:
    """The origin by the WHATWG's rules where they differ from Python's: controls dropped, backslashes are slashes, any
    number of slashes begins the host, the last @ ends the name and password."""
    url = re.sub(r"[\t\n\r]", "", url.strip("".join(map(chr, range(33)))))
    scheme, _, rest = url.partition(":")
    rest = rest.replace("\\", "/").lstrip("/")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    return f"{scheme.lower()}://{authority.lower()}"


PIECES = [
    "https", "http", "javascript", "data", ":", "/", "//", "\\", "@", "#", "?", ".", "%2e", "%00", "\t", "\n", " ",
    "shop.example", "evil.example", "shop", "example", "。", "127.0.0.1", "localhost", ":443", ":80", "[", "]", "::1",
    "other.example:8443", "xn--", "İ", "<", '"',
]  # fmt: skip
hostile = st.lists(st.sampled_from(PIECES), max_size=10).map("".join)


@given(
    st.one_of(
        hostile,
        hostile.map(lambda tail: "https://" + tail),
        hostile.map(lambda t: "https://shop.example" + t),
    )
)
def test_whatever_is_let_through_leads_a_browser_to_the_shop(url: str) -> None:
    if may_return_to(url, ORIGINS):
        found = as_browsers_do(url).removesuffix(":443")
        assert found in {"https://shop.example", "https://other.example:8443"}
        assert origin_of(url) == found
        assert urlsplit(url).username is None
