"""One send of each kind, by a journey and by a campaign: the shortest stories there are, for a crash at every point."""

import datetime as dt
import random
from typing import Literal

from functions.domain.playbook import Kind, Playbook
from tests.fakes.line import Outcome
from tests.fakes.playbooks import MESSAGES, campaign, playbook, scenario, send
from tests.fakes.world import START, World
from tests.simulation.faults import Faults
from tests.simulation.invariants import violations_at_the_end
from tests.simulation.world import SimulatedWorld

Source = Literal["journey", "campaign"]

MESSAGE_OF: dict[Kind, str] = {"support": "thanks", "notification": "tips", "promotion": "offer"}
CAMPAIGN_AT = START + dt.timedelta(minutes=10)


def _book(kind: Kind, source: Source) -> Playbook:
    message = MESSAGE_OF[kind]
    assert MESSAGES[message].kind == kind
    if source == "journey":
        return playbook(scenarios={"path": scenario("purchase", send(message))})
    return playbook(campaigns={"mail": campaign(message, segment="buyers", once=CAMPAIGN_AT)})


def begun(kind: Kind, source: Source) -> SimulatedWorld:
    """A linked friend, before anything happens. Nothing is random but the retry keys' answers that a test asks for."""
    random_ = random.Random(0)
    world = SimulatedWorld(_book(kind, source), random_, Faults(random_, calm=True))
    world.customer_with_line()
    return world


def live_through(world: World, outcome: Outcome) -> None:
    """The customer buys, the message goes out, LINE answers its first call so; and a day passes."""
    world.line.script.append(outcome)
    world.ingest(world.purchase("c1"))
    world.advance(days=1)


def assert_sent_once(world: SimulatedWorld) -> None:
    """One copy, one record, and nothing left over."""
    message = next(iter(world.witness.intents.values())).message
    assert world.line.copies("U1") == [message]
    assert world.ends() == [(message, "sent", "")]
    assert list(violations_at_the_end(world)) == []
    assert world.dead() == []
