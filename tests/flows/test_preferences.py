"""Words in the chat and chosen hours, through the flows: they count for what is queued already."""

import datetime as dt

import msgspec

from functions.domain.playbook import Preferences
from tests.fakes.playbooks import days, playbook, scenario, send
from tests.fakes.world import World

WORDS = Preferences(stop_words=["配信停止"], resume_words=["配信再開"])
SCENARIOS = {"path": scenario("purchase", send("offer"), days(9), send("news"))}


def fresh() -> World:
    world = World(msgspec.structs.replace(playbook(scenarios=SCENARIOS), preferences=WORDS))
    world.customer_with_line()
    return world


def says(world: World, text: str, event_id: str = "") -> None:
    message = {"type": "text", "id": "1", "text": text}
    world.webhook(world.line_event("message", "U1", event_id=event_id, message=message))


def test_a_word_in_the_chat_stops_what_is_in_the_queue_already() -> None:
    world = fresh()
    world.ingest(world.purchase("c1"))
    world.decide_all()
    says(world, "配信停止")
    world.decide_all()
    world.run()
    assert [(record.status, record.reason) for record in world.records()] == [("suppressed", "no_consent")]
    assert world.line.copies("U1") == []


def test_the_other_word_lets_messages_come_again() -> None:
    world = fresh()
    says(world, "配信停止")
    world.ingest(world.purchase("c1"))
    world.run()
    world.advance(days=1)
    says(world, "配信再開")
    world.advance(days=9)
    assert [record.status for record in world.records()] == ["suppressed", "sent"]


def test_the_word_delivered_again_after_the_way_back_stops_nothing() -> None:
    world = fresh()
    stopped_at = world.now
    says(world, "配信停止", "01STOP")
    world.advance(hours=1)
    says(world, "配信再開")
    world.run()
    message = {"type": "text", "id": "1", "text": "配信停止"}
    world.webhook(world.line_event("message", "U1", at=stopped_at, event_id="01STOP", message=message))
    world.ingest(world.purchase("c1"))
    world.run()
    assert [record.status for record in world.records()] == ["sent"]


def test_a_promotion_waits_for_the_hours_that_its_reader_has_chosen() -> None:
    world = fresh()
    world.ingest(world.event("profile_updated", "c1", receive_from="19:00", receive_to="21:00"))
    world.ingest(world.purchase("c1"))
    world.run()
    assert world.line.copies("U1") == []
    world.advance(hours=12)
    (record,) = world.records()
    assert (record.status, [hold.reason for hold in record.holds]) == ("sent", ["quiet_hours"])
    assert record.at.astimezone(dt.timezone(dt.timedelta(hours=9))).hour == 19
