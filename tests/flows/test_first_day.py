"""What the README's first five minutes promise of events/ingest/first_day.json, through the production flows."""

import datetime as dt
import json

from infra.bundle import ROOT
from ops.check import sound_playbook
from tests.fakes.world import World

STARTED = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)


def test_in_the_first_week_one_message_is_sent_and_one_stands_back() -> None:
    world = World(sound_playbook(ROOT / "playbooks" / "ec"), start=STARTED)
    events = json.loads((ROOT / "events" / "ingest" / "first_day.json").read_text(encoding="utf-8"))["events"]
    world.befriend(*(user for one in events if (user := one["properties"].get("line_user_id"))))
    answer = world.ingest(*events)
    assert (answer.status, answer.body) == (202, {"accepted": 2, "rejected": []})
    world.run()
    world.advance(days=7)
    world.run()
    ended = {(one.scenario or one.campaign, one.status, one.reason) for one in world.records()}
    assert ended == {("second_purchase", "sent", ""), ("weekly", "suppressed", "outranked")}
    assert [one.message for one in world.records() if one.status == "sent"] == ["f2_day1_support"]
