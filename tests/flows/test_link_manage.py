"""What one is tied to, and the end of it."""

import re

from functions.link.answers import Answer
from tests.fakes.link_world import BASE, Browser, LinkWorld, shown

USER = "U1"


def linked(customer_id: str = "C-12345") -> LinkWorld:
    world = LinkWorld()
    world.customer_with_line(customer_id, USER)
    return world


def managed(world: LinkWorld, user: str = USER) -> Answer:
    return Browser(world).get(f"{BASE}/link/manage?f={world.friend_token(user)}")


def form_of(page: Answer) -> str:
    found = re.search(r'name="t" value="([^"]+)"', page.body)
    assert found
    return found[1]


def test_the_page_shows_the_tie_masked() -> None:
    page = managed(linked())
    assert "C-••••••5" in page.body
    assert "C-12345" not in page.body
    assert USER not in page.body
    assert "2026-11-02" in page.body


def test_whoever_is_tied_to_nobody_is_told_so() -> None:
    page = managed(linked(), "U2")
    assert 'id="none"' in page.body
    assert "<form" not in page.body


def test_a_press_of_the_button_ends_the_tie() -> None:
    world = linked()
    form = form_of(managed(world))
    assert shown(Browser(world).post("/link/unlink", t=form)) == "unlinked"
    assert world.linked_to(USER) == ""
    assert 'id="none"' in managed(world).body
    (_, ended) = world.identities.audit_of(USER)
    assert ended.source == "link"


def test_a_form_works_once_and_a_new_one_always() -> None:
    world = linked()
    first, second = form_of(managed(world)), form_of(managed(world))
    assert shown(Browser(world).post("/link/unlink", t=first)) == "unlinked"
    assert world.linked_to(USER) == ""
    assert shown(Browser(world).post("/link/unlink", t=first)) == "used"
    world.later(minutes=1)
    world.ingest(world.linked("C-12345", USER))
    assert world.linked_to(USER) == "C-12345"
    world.later(minutes=1)
    assert shown(Browser(world).post("/link/unlink", t=second)) == "unlinked"
    assert world.linked_to(USER) == ""


def test_a_form_ends_the_tie_that_it_showed_and_no_later_one() -> None:
    world = linked()
    form = form_of(managed(world))
    world.later(minutes=1)
    world.ingest(world.event("line_unlinked", "C-12345", line_user_id=USER))
    world.run()
    world.later(minutes=1)
    world.ingest(world.linked("C-67890", USER))
    world.run()
    assert shown(Browser(world).post("/link/unlink", t=form)) == "unlinked"
    assert world.linked_to(USER) == "C-67890"


def test_a_form_that_is_old_forged_or_made_for_something_else_ends_nothing() -> None:
    world = linked()
    form = form_of(managed(world))
    for token in ("", "forged", world.friend_token(USER)):
        assert Browser(world).post("/link/unlink", t=token, u=USER, c="C-12345").status == 400
    world.later(minutes=15, seconds=1)
    assert shown(Browser(world).post("/link/unlink", t=form)) == "over"
    assert world.linked_to(USER) == "C-12345"


def test_where_it_could_not_be_enqueued_the_page_says_to_try_again_and_that_works() -> None:
    world = linked()
    form = form_of(managed(world))
    world.inbox_queue.refuses = lambda _position: True
    assert shown(Browser(world).post("/link/unlink", t=form)) == "later"
    assert world.linked_to(USER) == "C-12345"
    assert shown(Browser(world).post("/link/unlink", t=form_of(managed(world)))) == "unlinked"
    assert world.linked_to(USER) == ""
