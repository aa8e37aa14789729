"""The lake without a person: figures stay, and nothing says whose they are."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq

from functions.domain.erasure import Person
from functions.domain.facts import person as pseudonym
from ops.erasing import lake

USER = "U" + "0123456789abcdef" * 2
ME = Person(["C1", f"anon:{USER}"], [USER], "a-token")
NOBODY: list[str] = []


def packed(rows: list[dict[str, object]]) -> bytes:
    body = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), body)
    return body.getvalue()


def packed_as(schema: "pa.Schema") -> bytes:
    body = io.BytesIO()
    pq.write_table(schema.empty_table(), body)
    return body.getvalue()


def opened(body: bytes) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = pq.read_table(io.BytesIO(body)).to_pylist()
    return rows


def event(customer: str, event_id: str, **properties: object) -> dict[str, object]:
    return {
        "event_id": event_id,
        "customer_id": customer,
        "name": "purchase",
        "properties": json.dumps(properties, ensure_ascii=False),
    }


def indexed(_event: str) -> list[str]:
    return ["category"]


def test_amounts_and_categories_stay_and_what_tells_of_the_person_does_not() -> None:
    body = packed(
        [
            event("C1", "e1", amount=4800, order_id="o1", category="toner", note="花子", box={"a": "花子"}),
            event("C2", "e2", amount=100, order_id="o2", note="a friend of C1"),
            event("C12", "e3", amount=7, order_id="o3", note="C1-2"),
        ]
    )
    assert lake.names(body, ME)
    after = lake.anonymous(body, ME, indexed)
    assert not lake.names(after, ME)
    rows = {str(row["event_id"]): row for row in opened(after)}
    mine = json.loads(str(rows["e1"]["properties"]))
    assert (mine["amount"], mine["category"]) == (4800, "toner")
    assert "花子" not in str(rows)
    assert mine["order_id"] == ME.alias("o1")
    assert rows["e1"]["customer_id"] == ME.alias("C1")
    assert "C1" not in json.loads(str(rows["e2"]["properties"]))["note"]
    assert rows["e2"]["customer_id"] == "C2"
    assert rows["e3"] == event("C12", "e3", amount=7, order_id="o3", note="C1-2")


def test_one_id_has_one_alias_in_every_file_and_an_unlinked_friends_pseudonym_goes_too() -> None:
    friend = pseudonym(f"anon:{USER}")
    people = packed([{"customer_id": friend, "owner": "C1", "unit": friend}])
    orders = packed([{"customer_id": "C1", "order_id": "o1", "amount": 4800}])
    (person,) = opened(lake.anonymous(people, ME, indexed))
    (order,) = opened(lake.anonymous(orders, ME, indexed))
    assert person["owner"] == order["customer_id"] == ME.alias("C1")
    assert person["customer_id"] == person["unit"] == ME.alias(friend)
    assert order == {"customer_id": ME.alias("C1"), "order_id": ME.alias("o1"), "amount": 4800}


def test_a_file_without_rows_names_nobody() -> None:
    assert not lake.names(packed_as(pa.schema([("customer_id", pa.string())])), ME)


def test_a_file_of_others_is_left_as_it_is() -> None:
    body = packed([event("C2", "e2", amount=1, order_id="o2")])
    assert not lake.names(body, ME)
    assert lake.anonymous(body, ME, indexed) is body
