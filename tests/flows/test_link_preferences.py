"""The page behind a message's link: it stops topics, everything, or some hours, also for what is queued."""

import re
from typing import Any

import msgspec
import pytest

from functions.domain.batches import orders_of_page
from functions.domain.campaigns import Chunk, Recipient, Run
from functions.domain.compiled import Compiled
from functions.domain.link_decisions import undo_of
from functions.domain.playbook import Message, Playbook, Preferences
from functions.domain.preferences import chosen_hours
from functions.domain.sends import Intent
from functions.link.answers import Answer
from functions.ports.messages import EventsReceived
from tests.fakes.link_world import BASE, Browser, LinkWorld, linking_book, shown
from tests.fakes.playbooks import campaign, scenario, send
from tests.fakes.queues import FakeInbox

USER = "U1"
OFFERED = Preferences(topics={"coupon": "クーポン<b>", "promotion": "おすすめ"}, hours=True)
SALE = Message(
    "promotion",
    "hash-sale",
    [{"type": "text", "text": "sale {{ preferences_url }}"}],
    category="coupon",
    addresses=["preferences_url"],
)


def book(**more: Any) -> Playbook:
    return msgspec.structs.replace(
        linking_book(),
        version="preferences",
        preferences=OFFERED,
        messages={**linking_book().messages, "sale": SALE},
        scenarios={"path": scenario("purchase", send("sale"))},
        **more,
    )


def fresh() -> LinkWorld:
    world = LinkWorld(book())
    world.customer_with_line("c1", USER)
    return world


def link_in_message(world: LinkWorld) -> str:
    """What the customer finds in the message that a purchase brings."""
    world.ingest(world.purchase("c1"))
    world.run()
    (said,) = world.line.copies(USER)
    found = re.search(r"https://\S+", said)
    assert found
    return found[0]


def opened(world: LinkWorld, user: str = USER) -> Answer:
    token = world.tokens.sign("preferences", {"u": user})
    return Browser(world).get(f"{BASE}/link/preferences?p={token}")


def form_of(page: Answer) -> str:
    found = re.search(r'name="t" value="([^"]+)"', page.body)
    assert found, page.body
    return found[1]


def save(world: LinkWorld, page: Answer, **fields: Any) -> Answer:
    answer = Browser(world).post("/link/preferences", t=form_of(page), **fields)
    world.run()
    return answer


def test_the_link_in_a_message_opens_its_readers_page() -> None:
    world = fresh()
    address = link_in_message(world)
    assert address.startswith(f"{BASE}/link/preferences?p=")
    assert USER not in address
    page = Browser(world).get(address)
    assert page.status == 200
    assert 'value="coupon" checked' in page.body
    assert "クーポン&lt;b&gt;" in page.body
    assert USER not in page.body
    assert "c1" not in page.body.partition("<main>")[2]


def test_each_attempt_says_the_same_address() -> None:
    world = fresh()
    world.line.script += ["timeout", "timeout"]
    world.ingest(world.purchase("c1"))
    world.run()
    world.advance(hours=1)
    # Other bytes under the same key would have ended it as unknown.
    assert [record.status for record in world.records()] == ["sent"]


def test_a_topic_that_is_not_ticked_stops_what_is_in_the_queue_already() -> None:
    world = fresh()
    page = opened(world)
    world.ingest(world.purchase("c1"))
    world.decide_all()
    Browser(world).post("/link/preferences", t=form_of(page), topic=["promotion"], everything="on")
    world.decide_all()
    world.run()
    assert [(one.status, one.reason) for one in world.records()] == [("suppressed", "no_consent")]
    assert 'value="coupon"> ' in opened(world).body
    assert 'value="promotion" checked' in opened(world).body


def test_everything_unticked_stops_everything_and_ticked_again_lets_it_come() -> None:
    world = fresh()
    save(world, opened(world), topic=["coupon", "promotion"])
    assert 'name="everything" value="on">' in opened(world).body
    world.advance(minutes=1)
    save(world, opened(world), topic=["coupon", "promotion"], everything="on")
    assert 'name="everything" value="on" checked' in opened(world).body
    assert link_in_message(world)


def test_hours_are_kept_and_taken_away() -> None:
    world = fresh()
    save(world, opened(world), topic=["coupon", "promotion"], everything="on", start="19:00", end="21:00")
    hours = chosen_hours(world.customers.load("c1").profile)  # type: ignore[union-attr]
    assert (hours and (hours.start.hour, hours.end.hour)) == (19, 21)
    world.advance(minutes=1)
    save(world, opened(world), topic=["coupon", "promotion"], everything="on", start="", end="21:00")
    assert chosen_hours(world.customers.load("c1").profile) is None  # type: ignore[union-attr]


def test_a_form_works_once() -> None:
    world = fresh()
    page = opened(world)
    assert 'id="saved"' in save(world, page, everything="on").body
    assert shown(save(world, page)) == "used"


def test_what_is_not_offered_is_not_looked_at() -> None:
    world = fresh()
    save(world, opened(world), topic=["coupon", "promotion", "marketing", "x" * 900], everything="on", start="26:00", end="x")  # fmt: skip
    assert list(world.customers.load("c1").profile.consent) == ["marketing"]  # type: ignore[union-attr]


def test_somebody_of_whom_nothing_is_known_may_stop_everything_too() -> None:
    world = fresh()
    save(world, opened(world, "U9"), topic=["coupon", "promotion"])
    assert 'name="everything" value="on">' in opened(world, "U9").body


def test_after_an_unlink_the_link_is_the_friends_and_not_the_customers() -> None:
    world = fresh()
    world.advance(minutes=1)
    world.ingest(world.event("line_unlinked", "c1", line_user_id=USER))
    world.run()
    world.advance(minutes=1)
    save(world, opened(world), topic=["coupon", "promotion"])
    assert "all" not in world.customers.load("c1").profile.consent  # type: ignore[union-attr]
    assert world.customers.load(f"anon:{USER}").profile.consent["all"].value is False  # type: ignore[union-attr]


def undo(world: LinkWorld) -> None:
    link = world.identities.link_of(USER)
    assert link is not None
    event = undo_of(link, "ann", "it was her mother", world.now)
    FakeInbox(world.inbox_queue).put([EventsReceived(event.customer_id, [event])])
    world.run()


def test_after_an_undo_what_was_chosen_on_the_page_is_the_line_users_alone() -> None:
    world = fresh()
    world.ingest(world.event("consent_withdrawn", "c1", purpose="promotion"))
    world.run()
    world.advance(minutes=1)
    save(world, opened(world), topic=["promotion"], everything="on", start="19:00", end="21:00")
    assert consent(world, "c1") == {"marketing": True, "promotion": True, "coupon": False}
    world.advance(minutes=1)
    undo(world)
    assert consent(world, "c1") == {"marketing": True, "promotion": False}
    assert consent(world, f"anon:{USER}") == {"promotion": True, "coupon": False}
    mine, friends = world.customer("c1").profile, world.customer(f"anon:{USER}").profile
    assert (chosen_hours(mine), chosen_hours(friends) is None) == (None, False)
    assert {*mine.attributes} | {*friends.attributes} == {"receive_from", "receive_to"}


def consent(world: LinkWorld, customer_id: str) -> dict[str, bool]:
    """The same in gate and profile."""
    found = [
        {name: bool(register.value) for name, register in side.items()}
        for side in (world.gate(customer_id).consent, world.customer(customer_id).profile.consent)
    ]
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize("purpose", ["friend", "ticket", "choice", "unlink"])
def test_a_token_for_something_else_opens_nothing(purpose: Any) -> None:
    world = fresh()
    token = world.tokens.sign(purpose, {"u": USER, "n": "1"})
    assert Browser(world).get(f"{BASE}/link/preferences?p={token}").status == 400


def test_a_link_of_last_year_is_over_and_says_so() -> None:
    world = fresh()
    address = f"{BASE}/link/preferences?p={world.tokens.sign('preferences', {'u': USER})}"
    world.later(days=401)
    assert Browser(world).get(address).status == 410


def test_a_message_with_an_address_of_ones_own_is_told_to_nobody_together() -> None:
    both = Compiled(book(campaigns={"sale": campaign("sale"), "news": campaign("news")}))
    recipients = [Recipient(f"c{number}", f"U{number}", {}) for number in range(30)]
    world = fresh()
    for name, alone in (("sale", 30), ("news", 0)):
        run = Run(name, world.now, both.playbook.version, world.now, 1)
        orders = orders_of_page(run, both, "main", 0, 0, Chunk(recipients))
        assert sum(isinstance(order, Intent) for order in orders) == alone
