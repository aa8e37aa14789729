"""What is told live: as published, the same id for the same change, and nothing that names a LINE user."""

import datetime as dt
import json
from pathlib import Path

import jsonschema
import msgspec
import pytest

from functions.domain.facts import Click, Fact, Friendship, JourneyFact, Membership, PersonFact, Send, person
from functions.domain.live import KINDS, TOLD_FOR, is_live, told

AT = dt.datetime(2026, 11, 2, 3, 4, 5, tzinfo=dt.UTC)
LINE_USER = "U" + "0123456789abcdef" * 2
FRIEND = person(f"anon:{LINE_USER}")
SEND = Send(
    "s1", "C1", FRIEND, AT, AT, "sent", "", "promotion", "news", "welcome", "", "", "hello", "greeting",
    "short", "m", "h", "v", held_out=False, holds=0, seen_at=AT,
)  # fmt: skip
ROWS: list[Fact] = [
    SEND,
    Click("c1", "C1", AT, "s1", "shop", "short", "welcome", "", "hello", "person", AT),
    Friendship("f1", FRIEND, AT, "block", AT),
    Membership("C1", "loyal", "entered", AT, "v", AT),
    JourneyFact("j1", "C1", "welcome", "v", 1, "goal", AT, "greeting:short", AT),
]


def test_each_kind_has_a_sample_here() -> None:
    assert {type(row) for row in ROWS} == KINDS.keys()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: type(row).__name__)
def test_a_detail_is_what_the_published_schema_says_with_every_column(row: Fact) -> None:
    schema = json.loads(Path("docs/live.schema.json").read_text(encoding="utf-8"))
    one = told(row, "shop")
    detail = json.loads(one.detail)
    jsonschema.validate(
        detail, schema["$defs"][one.kind], format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    assert detail.keys() == schema["$defs"][one.kind]["properties"].keys()
    assert (detail["account"], one.at) == ("shop", AT)
    assert LINE_USER not in one.detail


def test_the_same_change_bears_the_same_id_and_no_other_does() -> None:
    resolved = msgspec.structs.replace(SEND, status="sent", seen_at=AT + dt.timedelta(microseconds=1))
    ids = [json.loads(told(row, "shop").detail)["id"] for row in [*ROWS, resolved]]
    ids.append(json.loads(told(SEND, "salon").detail)["id"])
    assert len(set(ids)) == len(ids)
    assert [json.loads(told(row, "shop").detail)["id"] for row in ROWS] == ids[: len(ROWS)]


def test_what_is_older_than_an_hour_is_not_live_any_more_nor_is_who_became_whom() -> None:
    assert is_live(SEND, AT + TOLD_FOR)
    assert not is_live(SEND, AT + TOLD_FOR + dt.timedelta(seconds=1))
    assert not is_live(PersonFact("C1", "C1", "C1", True, AT, AT), AT)
