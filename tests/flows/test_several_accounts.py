"""Two accounts in one process, by turns: each comes to what it comes to alone, and what one signs the other refuses."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.ports.errors import TokenInvalid
from functions.tokens import Tokens
from tests.fakes.world import START, World
from tests.ops.plan.worlds import busy_book

ACCOUNTS = ("prod-shop", "prod-salon")
PEOPLE = ("c1", "c2")
Act = tuple[int, str, str]
"""Which account, what happens there, and to whom."""
ACTS = st.lists(
    st.tuples(st.sampled_from((0, 1)), st.sampled_from(("follow", "link", "buy", "cart", "unfollow", "hours")), st.sampled_from(PEOPLE)),
    max_size=24,
)  # fmt: skip
ALWAYS = [(number, kind, "c1") for kind in ("follow", "link", "buy") for number in (0, 1)]
"""So that there is somebody to send to in both."""
BOOK = busy_book()


def act(world: World, kind: str, customer: str) -> None:
    user = f"U{customer}"  # the same LINE user in both accounts: one provider
    match kind:
        case "follow":
            world.befriend(user)
        case "unfollow":
            world.webhook(world.line_event(kind, user))
        case "link":
            world.ingest(world.linked(customer, user))
        case "buy":
            world.ingest(world.purchase(customer))
        case "cart":
            world.ingest(world.event("cart_left", customer))
        case _:
            world.advance(hours=30)
    world.run()


def come_to(world: World) -> Any:
    """Where an account has come to: everybody, their gates, and every message."""
    ids = [*PEOPLE, *(f"anon:U{one}" for one in PEOPLE)]
    return [
        *(world.customers.load(one) for one in ids),
        *(world.customers.load_gate(one) for one in ids),
        *sorted(world.records(), key=lambda record: record.send_id),
    ]


@given(acts=ACTS)
@settings(max_examples=40, deadline=None)
def test_accounts_by_turns_come_to_what_each_comes_to_alone(acts: list[Act]) -> None:
    acts = [*ALWAYS, *acts, *((number, "hours", "c1") for number in (0, 1, 0, 1))]
    together = [World(BOOK, account=one) for one in ACCOUNTS]
    for number, kind, customer in acts:
        act(together[number], kind, customer)
    for number, account in enumerate(ACCOUNTS):
        alone = World(BOOK, account=account)
        for turn, kind, customer in acts:
            if turn == number:
                act(alone, kind, customer)
        assert come_to(together[number]) == come_to(alone)
    shop, salon = ({record.send_id for record in world.records()} for world in together)
    assert shop
    assert salon
    assert not shop & salon


def test_what_one_account_signed_the_other_refuses() -> None:
    shop, salon = (Tokens(lambda key=key: [key * 43], lambda: START) for key in "ab")  # type: ignore[misc]
    token = shop.sign("preferences", {"user": "U1"})
    assert shop.read("preferences", token, dt.timedelta(days=1)) == {"user": "U1"}
    with pytest.raises(TokenInvalid):
        salon.read("preferences", token, dt.timedelta(days=1))
