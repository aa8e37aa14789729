"""Where a friend comes from: the address on a poster, LINE's login, and an event that is told once."""

import datetime as dt

import msgspec
import pytest

from functions.domain.inflow import InflowSource, token_digest
from functions.link.answers import Answer
from tests.fakes.crashes import crash_everywhere
from tests.fakes.inflow import FakeInflowSources
from tests.fakes.link_world import ACCESS, Browser, LinkWorld, query_of, shown
from tests.fakes.taps import Crash
from tests.fakes.world import World

USER, FRIEND = "U1", "anon:U1"


def made(world: LinkWorld, name: str = "till", campaign: str = "") -> str:
    """A source, and its token."""
    token = world.tokens.sign("inflow", {"n": name})
    assert world.inflow_sources.create(
        InflowSource(name, token_digest(token), world.now, "ann", campaign=campaign)
    )
    return token


def came(world: LinkWorld, token: str, user: str = USER) -> Answer:
    """Somebody scans the code and says who they are."""
    browser = Browser(world)
    answer = browser.get(f"/link/in?s={token}")
    assert answer.status == 303, answer.body
    back = world.back(browser, world.login.consented(answer.headers["location"], user))
    world.run()
    return back


def came_from(world: LinkWorld, customer_id: str = FRIEND) -> tuple[object, int]:
    profile = world.customer(customer_id).profile
    tally = profile.tallies.get("inflow")
    return profile.attribute("inflow_source"), tally.count if tally else 0


def test_who_comes_by_a_source_is_known_by_it_and_asked_to_add_the_account() -> None:
    world = LinkWorld()
    answer = came(world, made(world, campaign="spring"))
    assert (answer.status, shown(answer)) == (200, "welcome")
    assert 'href="https://line.example/R/ti/p/%40shop"' in answer.body
    assert came_from(world) == ("till", 1)
    assert "spring" in str(world.customer(FRIEND).profile.tallies["inflow"])


def test_line_is_asked_to_offer_the_account() -> None:
    world = LinkWorld()
    address = Browser(world).get(f"/link/in?s={made(world)}").headers["location"]
    assert address.startswith(f"{ACCESS}/oauth2/v2.1/authorize?")
    assert query_of(address)["bot_prompt"] == "aggressive"


def test_a_friend_is_not_asked_to_add_the_account() -> None:
    world = LinkWorld()
    world.login.friends.add(USER)
    assert "add-friend" not in came(world, made(world)).body


def test_to_come_again_by_the_same_source_counts_once_and_the_first_source_stays() -> None:
    world = LinkWorld()
    till, door = made(world), made(world, "door")
    for token in (till, door, till):
        came(world, token)
        world.later(hours=1)
    assert came_from(world) == ("till", 2)


def test_a_linked_customer_comes_as_the_customer() -> None:
    world = LinkWorld()
    world.login_link(USER)
    world.run()
    came(world, made(world))
    assert came_from(world, "c1") == ("till", 1)
    friend = world.customers.load(FRIEND)
    assert friend is None or friend.merged_into == "c1"


def test_the_source_carries_over_to_the_customer() -> None:
    world = LinkWorld()
    came(world, made(world))
    world.later(minutes=1)
    world.login_link(USER)
    world.run()
    assert came_from(world, "c1") == ("till", 1)


def test_arriving_links_nobody() -> None:
    world = LinkWorld()
    came(world, made(world))
    assert world.linked_to(USER) == ""


def test_whoever_cancels_is_led_to_the_account_all_the_same_and_is_not_counted() -> None:
    world = LinkWorld()
    browser = Browser(world)
    location = browser.get(f"/link/in?s={made(world)}").headers["location"]
    answer = world.back(browser, {"error": "access_denied", "state": query_of(location)["state"]})
    world.run()
    assert (answer.status, shown(answer)) == (200, "welcome")
    assert world.customers.load(FRIEND) is None


@pytest.mark.parametrize("why", ["closed", "no login"])
def test_where_nobody_asks_the_address_leads_to_the_account(why: str) -> None:
    world = LinkWorld()
    token = made(world)
    if why == "closed":
        source = world.inflow_sources.kept["till"]
        world.inflow_sources.replace(source, msgspec.structs.replace(source, closed_at=world.now))
    else:
        world.channels["login"] = False
    answer = Browser(world).get(f"/link/in?s={token}")
    assert (answer.status, answer.headers["location"]) == (303, "https://line.example/R/ti/p/%40shop")


def test_a_source_closed_while_somebody_logs_in_counts_nobody() -> None:
    world = LinkWorld()
    browser = Browser(world)
    location = browser.get(f"/link/in?s={made(world)}").headers["location"]
    source = world.inflow_sources.kept["till"]
    world.inflow_sources.replace(source, msgspec.structs.replace(source, closed_at=world.now))
    world.back(browser, world.login.consented(location, USER))
    world.run()
    assert world.customers.load(FRIEND) is None


def test_what_is_printed_stays_good_when_the_keys_are_rotated() -> None:
    world = LinkWorld()
    token = made(world)
    world.keys = ["n" * 43]
    came(world, token)
    assert came_from(world) == ("till", 1)


def test_what_is_printed_stays_good_for_years() -> None:
    world = LinkWorld()
    token = made(world)
    world.later(days=4000)
    came(world, token)
    assert came_from(world) == ("till", 1)


@pytest.mark.parametrize("forged", ["", "x", "another purpose", "no such source", "of another source's name"])
def test_an_address_that_nobody_printed_leads_nowhere(forged: str) -> None:
    world = LinkWorld()
    made(world)
    tokens = {
        "another purpose": world.tokens.sign("ticket", {"n": "till"}),
        "no such source": world.tokens.sign("inflow", {"n": "nothing"}),
        "of another source's name": world.tokens.sign("inflow", {"n": "till", "x": 1}),
    }
    answer = Browser(world).get(f"/link/in?s={tokens.get(forged, forged)}")
    assert (answer.status, shown(answer)) == (400, "broken")


def test_what_does_not_look_like_a_token_costs_no_read(monkeypatch: pytest.MonkeyPatch) -> None:
    world = LinkWorld()
    monkeypatch.delattr(FakeInflowSources, "find")
    monkeypatch.delattr(FakeInflowSources, "by_digest")
    for junk in ("", "x", "a.b.c", "a" * 5000, "../../playbooks/in-force", f"a.b.{'c' * 300}"):
        assert Browser(world).get(f"/link/in?s={junk}").status == 400


def test_anothers_state_counts_nobody() -> None:
    world = LinkWorld()
    mine, theirs = Browser(world), Browser(world)
    token = made(world)
    location = mine.get(f"/link/in?s={token}").headers["location"]
    theirs.get(f"/link/in?s={token}")
    assert world.back(theirs, world.login.consented(location, USER)).status == 400
    world.run()
    assert world.customers.load(FRIEND) is None


def test_a_crash_anywhere_counts_the_arrival_once() -> None:
    def act(world: World) -> None:
        assert isinstance(world, LinkWorld)
        token = made(world)
        browser = Browser(world)
        for _ in range(2):
            location = browser.get(f"/link/in?s={token}").headers["location"]
            try:
                world.back(browser, world.login.consented(location, USER))
            except Crash:  # the browser sees an error, and the person comes again
                world.later(seconds=1)
        world.run()

    def check(world: World) -> None:
        assert isinstance(world, LinkWorld)
        assert came_from(world) == ("till", 1)

    assert crash_everywhere(LinkWorld, act, check) > 10


def test_time_passes_between_arrivals_without_a_second_event() -> None:
    world = LinkWorld()
    token = made(world)
    came(world, token)
    first = world.customer(FRIEND).profile.tallies["inflow"]
    world.later(days=30)
    came(world, token)
    assert world.customer(FRIEND).profile.tallies["inflow"] == first
    assert dt.timedelta() < world.now - first.first_at
