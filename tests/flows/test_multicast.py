"""Multicast: the same content for many in one call, with the guarantees that each person has alone."""

import dataclasses
import datetime as dt
import functools
from collections import Counter

import msgspec
import pytest

from functions.domain.batches import MULTICAST_MAX, MULTICAST_MIN, Entry, Sealed, orders_of_page, standing
from functions.domain.campaigns import Chunk, Recipient, Run
from functions.domain.compiled import Compiled
from functions.domain.money import month_counter
from functions.domain.playbook import Playbook
from functions.domain.sends import BatchOrder, Intent, lane_of
from tests.fakes.crashes import crash_everywhere
from tests.fakes.line import Outcome
from tests.fakes.objects import FakeAudience
from tests.fakes.playbooks import campaign, playbook
from tests.fakes.world import ACCOUNT, START, World
from tests.flows.sending import DAY, PATH

AT = START + dt.timedelta(minutes=10)
MAIL = campaign("offer", segment="everybody", once=AT)
BOOK = playbook(campaigns={"mail": MAIL}, scenarios={"path": PATH})
PEOPLE = 4


def crowd(people: int = PEOPLE, book: Playbook = BOOK, multicast_min: int = 2) -> World:
    """Linked friends who agreed to marketing, all on one page; the campaign's hour is still to come."""
    world = World(book)
    audience = FakeAudience(world.customers, page_size=1_000, crowded=True)
    world.evaluation = dataclasses.replace(world.evaluation, audience=audience, multicast_min=multicast_min)
    for number in range(people):
        world.customer_with_line(f"c{number}", f"U{number}")
    return world


def mailed(*outcomes: Outcome, people: int = PEOPLE) -> World:
    world = crowd(people)
    world.line.script.extend(outcomes)
    world.advance(to=AT)
    return world


def ends(world: World) -> Counter[tuple[str, str]]:
    return Counter((record.status, record.reason) for record in world.records())


def everybody_once(world: World, people: int = PEOPLE) -> None:
    assert [world.line.copies(f"U{number}") for number in range(people)] == [["offer"]] * people
    assert ends(world) == {("sent", ""): people}


# --- planning


def page(values: list[dict[str, str]]) -> Chunk:
    return Chunk([Recipient(f"c{number}", f"U{number}", one) for number, one in enumerate(values)])


def planned(chunk: Chunk) -> list[Intent | BatchOrder]:
    run = Run("mail", AT, BOOK.version, AT, 1)
    return orders_of_page(run, Compiled(BOOK), ACCOUNT, 0, 0, chunk)


def test_many_who_are_told_the_same_go_together_and_all_others_alone() -> None:
    same: list[dict[str, str]] = [{} for _ in range(MULTICAST_MIN)]
    own = [{"name": str(number)} for number in range(3)]
    orders = planned(page([*own, *same]))
    assert [type(order) for order in orders] == [Intent] * 3 + [BatchOrder]
    batch = orders[-1]
    assert isinstance(batch, BatchOrder)
    assert batch.members == list(range(3, 3 + MULTICAST_MIN))
    assert lane_of(batch) == "bulk"


def test_few_who_are_told_the_same_go_alone() -> None:
    assert all(isinstance(order, Intent) for order in planned(page([{}] * (MULTICAST_MIN - 1))))


def test_no_batch_is_larger_than_line_takes_and_nobody_is_left_out() -> None:
    batches = [order for order in planned(page([{}] * 1_203)) if isinstance(order, BatchOrder)]
    assert [len(batch.members) for batch in batches] == [MULTICAST_MAX, MULTICAST_MAX, 203]
    assert sorted(one for batch in batches for one in batch.members) == list(range(1_203))
    assert len({batch.send_id for batch in batches}) == 3


def test_the_same_page_makes_the_same_batches() -> None:
    chunk = page([{}] * 40)
    assert planned(chunk) == planned(chunk)


def test_a_line_user_is_told_once_in_a_batch() -> None:
    chunk = page([{}] * 20)
    doubled = Chunk([*chunk.recipients, Recipient("c99", "U3", {})])
    (batch,) = planned(doubled)
    assert isinstance(batch, BatchOrder)
    assert 20 not in batch.members


NOW = START
CALL, REFUSED = Entry("call", NOW), Entry("call", NOW, refused=True)


@pytest.mark.parametrize(
    ("journal", "expected"),
    [
        ([], "untried"),
        ([REFUSED, REFUSED], "untried"),
        ([REFUSED, CALL], "tried"),
        ([REFUSED, Entry("again", NOW)], "again"),
        ([REFUSED, Entry("halves", NOW)], "halves"),
    ],
)
def test_a_journal_tells_where_a_batch_stands(journal: list[Entry], expected: str) -> None:
    assert standing(journal) == expected


# --- delivery


def test_one_call_reaches_everybody_and_each_has_a_record_and_a_contact() -> None:
    world = mailed()
    everybody_once(world)
    assert [len(users) for users, _ in world.line.multicasts] == [PEOPLE]
    assert world.line.calls == []
    assert [len(world.gate(f"c{number}").contacts) for number in range(PEOPLE)] == [1] * PEOPLE
    assert len({record.request_id for record in world.records()}) == 1
    assert all(record.facts for record in world.records())
    assert world.allowances.count(month_counter(world.now)).used == PEOPLE


def test_members_and_content_are_written_before_the_first_call() -> None:
    world = crowd()
    seen: list[Sealed | None] = []

    def hook(_number: int, name: str, side: str) -> None:
        if (name, side) == ("line.multicast", "before"):
            (order,) = world.batches._sealed
            seen.append(world.batches.sealed(order))

    world.tap.watch(hook)
    world.advance(to=AT)
    assert seen[0] is not None
    assert len(seen[0].members) == PEOPLE
    assert seen[0].content


def test_who_may_not_get_it_is_left_out_with_the_reason_and_the_others_go() -> None:
    world = crowd()
    world.ingest(world.event("consent_withdrawn", "c1", purpose="marketing"))
    world.advance(to=AT)
    assert ends(world) == {("sent", ""): PEOPLE - 1, ("suppressed", "no_consent"): 1}
    assert world.line.copies("U1") == []


def test_who_has_to_wait_waits_alone_and_goes_alone() -> None:
    cap = msgspec.structs.replace(BOOK.caps[0], window_seconds=7_200, hold_seconds_max=7_200)
    world = crowd(book=msgspec.structs.replace(BOOK, caps=[cap], version="capped"))
    world.send(world.intent("offer", "c2", "U2"))
    world.advance(to=AT)
    assert len(world.line.multicasts[0][0]) == PEOPLE - 1
    world.advance(hours=4)
    assert world.line.copies("U2") == ["offer", "offer"]
    assert ends(world) == {("sent", ""): PEOPLE + 1}


@pytest.mark.parametrize("outcome", ["accept_then_timeout", "accept_then_500", "timeout", "500"])
def test_silence_is_asked_again_with_the_same_key_members_and_content(outcome: Outcome) -> None:
    world = mailed(outcome, outcome, outcome)
    world.advance(hours=2)
    everybody_once(world)
    assert len({key for _, key in world.line.multicasts}) == 1
    assert len({tuple(users) for users, _ in world.line.multicasts}) == 1


@pytest.mark.parametrize("outcome", ["rate", "401", "403"])
def test_what_is_refused_for_now_goes_later(outcome: Outcome) -> None:
    world = mailed(outcome)
    world.advance(hours=2)
    everybody_once(world)


def test_one_whom_line_refuses_is_found_by_halving_and_fails_alone() -> None:
    world = crowd(people=7)
    world.line.friends.discard("U3")  # LINE knows no such user: it refuses every call that names them
    world.advance(to=AT)
    world.advance(hours=1)
    assert ends(world) == {("sent", ""): 6, ("failed", "http_400"): 1}
    (failed,) = [record for record in world.records() if record.status == "failed"]
    assert failed.line_user_id == "U3"
    assert all(len(world.line.copies(f"U{number}")) == (number != 3) for number in range(7))
    assert world.gate("c3").contacts == []
    assert world.allowances.count(month_counter(world.now)).used == 6


def test_a_refusal_after_silence_ends_as_unknown_for_all() -> None:
    world = mailed("accept_then_timeout", "400")
    assert ends(world) == {("unknown", "http_400"): PEOPLE}
    world.advance(days=2)
    assert [len(world.line.copies(f"U{number}")) for number in range(PEOPLE)] == [1] * PEOPLE


def test_who_opts_out_while_nobody_knows_makes_all_of_it_unknown() -> None:
    world = mailed("timeout", "timeout")
    world.ingest(world.event("consent_withdrawn", "c1", purpose="marketing"))
    world.advance(hours=2)
    assert ends(world) == {("unknown", "no_consent"): PEOPLE}
    assert world.line.pushes == []


def test_who_opts_out_after_a_definite_refusal_is_left_out_and_the_others_go() -> None:
    world = mailed("401")
    world.ingest(world.event("consent_withdrawn", "c1", purpose="marketing"))
    world.advance(hours=2)
    assert ends(world) == {("sent", ""): PEOPLE - 1, ("suppressed", "no_consent"): 1}
    assert world.line.copies("U1") == []
    assert world.allowances.count(month_counter(world.now)).used == PEOPLE - 1


def test_a_day_of_silence_ends_as_unknown_and_nothing_is_sent_with_a_key_that_line_forgot() -> None:
    world = crowd()
    world.line.always = "timeout"
    world.advance(to=AT)
    world.advance(hours=25)
    world.line.always = "ok"
    world.advance(days=8)
    assert ends(world) == {("unknown", "key_expired"): PEOPLE}
    assert world.line.pushes == []


def test_a_resume_moves_the_contacts_to_when_it_calls_again() -> None:
    world = mailed("timeout", "timeout")
    world.advance(hours=1)
    everybody_once(world)
    pushed_at = world.line.pushes[0].at
    assert [world.gate(f"c{number}").contacts[0].at for number in range(PEOPLE)] == [pushed_at] * PEOPLE


def test_a_message_that_cannot_be_rendered_fails_for_each_alone() -> None:
    broken = msgspec.structs.replace(BOOK.messages["offer"], content=[{"type": "text", "text": "{{ gone }}"}])
    world = crowd(book=msgspec.structs.replace(BOOK, messages={"offer": broken}, version="broken"))
    world.advance(to=AT)
    assert ends(world) == {("failed", "render_error"): PEOPLE}
    assert (world.line.calls, world.line.multicasts) == ([], [])


def test_the_same_order_again_after_its_end_changes_nothing() -> None:
    world = crowd()
    orders: list[str] = []
    world.tap.watch(lambda _n, _name, _side: orders.extend(m.body for m in world.send_queue.waiting))
    world.advance(to=AT)
    world.tap.watch(None)
    world.send_queue.put([next(body for body in orders if '"batch"' in body)] * 3)
    world.run()
    everybody_once(world)
    world.advance(hours=30)
    world.send_queue.put([next(body for body in orders if '"batch"' in body)])
    world.advance(days=1)
    everybody_once(world)


def test_a_member_linked_to_another_customer_meanwhile_is_told_once() -> None:
    world = crowd()
    world.webhook(world.line_event("follow", "U9"))
    world.befriend("U9")
    world.run()
    world.ingest(world.event("consent_given", "anon:U9", purpose="marketing"))
    world.run()
    world.line.script.extend(["timeout", "timeout"])
    world.advance(to=AT)
    world.ingest(world.linked("c9", "U9"))
    world.advance(hours=3)
    assert len(world.line.copies("U9")) <= 1
    assert sorted(record.line_user_id for record in world.records()) == ["U0", "U1", "U2", "U3", "U9"]


# --- crashes, at every point


def each_ended_as_told(world: World, people: int) -> None:
    """One record each; sent is who has exactly one copy, and nobody else has any."""
    status = {record.line_user_id: record.status for record in world.records()}
    assert len(world.records()) == len(status) == people
    for user, ended in status.items():
        assert len(world.line.copies(user)) == (ended == "sent"), (user, ended)


OUTCOMES: list[tuple[Outcome, ...]] = [
    ("ok",),
    ("accept_then_timeout", "timeout"),
    ("timeout", "timeout"),
    ("rate",),
    ("401",),
]


@pytest.mark.parametrize("outcomes", OUTCOMES, ids="-".join)
def test_a_crash_at_any_point_makes_neither_two_copies_nor_none(outcomes: tuple[Outcome, ...]) -> None:
    def act(world: World) -> None:
        world.line.script.extend(outcomes)
        world.advance(to=AT)
        world.advance(hours=6)

    points = crash_everywhere(functools.partial(crowd, 3), act, lambda world: everybody_once(world, 3))
    assert points > 30


def test_a_crash_at_any_point_of_halving_loses_nobody_and_doubles_nobody() -> None:
    def act(world: World) -> None:
        world.line.friends.discard("U1")
        world.advance(to=AT)
        world.advance(hours=6)

    def check(world: World) -> None:
        """Gone between the journal's place and the call, a worker may have called: then it ends as unknown."""
        each_ended_as_told(world, PEOPLE)
        assert world.line.copies("U1") == []

    crash_everywhere(crowd, act, check)


def test_a_crash_at_any_point_while_one_opts_out_keeps_the_opt_out() -> None:
    """After a definite refusal the batch is void; wherever a worker is gone then, the one who left is not told."""

    def act(world: World) -> None:
        world.line.script.append("401")
        world.advance(to=AT)
        world.ingest(world.event("consent_withdrawn", "c1", purpose="marketing"))
        world.advance(hours=6)

    def check(world: World) -> None:
        """A worker that is gone right after LINE's refusal is followed at once by one whom LINE does not refuse."""
        each_ended_as_told(world, 3)
        if world.line.copies("U1"):
            assert world.line.pushes[0].at == AT

    crash_everywhere(functools.partial(crowd, 3), act, check)


def _step(world: World) -> None:
    world.step()


@pytest.mark.parametrize("outcome", ["ok", "accept_then_timeout", "rate", "401"])
def test_two_workers_with_one_batch_make_one_copy_each(outcome: Outcome) -> None:
    """One is paused at every call in turn, and the other goes through."""
    for point in range(60):
        world = crowd(3)
        world.line.script.append(outcome)
        orders: list[str] = []

        def hook(
            _number: int, name: str, side: str, world: World = world, orders: list[str] = orders
        ) -> None:
            if (name, side) == ("send_queue.put", "after"):
                orders.extend(message.body for message in world.send_queue.waiting)

        world.tap.watch(hook)
        world.now = AT
        world.evaluate_queue.put([f'{{"campaign":"mail","occurrence":"{AT:%Y-%m-%dT%H:%M:%SZ}"}}'])
        world.schedules.by_campaign.clear()
        while not orders:
            assert world.step()
        world.send_queue.put([orders[0]])
        world.tap.once(point, functools.partial(_step, world))
        world.run()
        world.tap.watch(None)
        world.advance(hours=6)
        everybody_once(world, 3)
        assert world.now - AT < DAY
