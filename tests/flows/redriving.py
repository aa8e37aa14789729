"""What the tests of dead letters share: a world whose dead letters can be looked through and put back."""

import datetime as dt
import itertools
from collections.abc import Callable

import msgspec

from functions.domain.dead_letters import FailureNote, Filters
from functions.domain.sends import Intent
from functions.ports.errors import MusubiError
from functions.redrive.flow import Replay, Report, Survey
from functions.redrive.foresight import Foresight
from tests.fakes.dead_letters import FakeDeadLetters, FakeRedrives
from tests.fakes.taps import Crash, tapped
from tests.fakes.world import World

ALL = Filters()
NOTE = FailureNote("m", "Retryable", "no playbook is in force", "functions/send/flow.py:99", "send", 5)


def for_ever() -> float:
    """Time enough."""
    return float("inf")


class Morgue:
    """A world with its dead letters, and the flow that puts them back, every call of it tapped by the world's tap."""

    def __init__(self, world: World) -> None:
        self.world = world
        work = {"inbox": world.inbox_queue, "send": world.send_queue, "evaluate": world.evaluate_queue}
        self.letters = FakeDeadLetters(work, world.ticker.run, world.clock)
        self.redrives = FakeRedrives()
        self._numbers = itertools.count(1)
        self.flow = Replay(
            tapped(self.letters, world.tap, "letters"),
            tapped(self.redrives, world.tap, "redrives"),
            Foresight(world.customers, world.sends, world.playbooks, world.account_state, world.clock),
            lambda at: f"{at:%Y%m%dT%H%M%S}-{next(self._numbers)}",
            world.clock,
        )

    def bury(self, *intents: Intent, note: FailureNote | None = NOTE) -> list[str]:
        """Dead letters of the send queue."""
        return [
            self.letters.bury("send", msgspec.json.encode(intent).decode(), note=note) for intent in intents
        ]

    def look(self, filters: Filters = ALL, *, foresee: bool = False) -> Survey:
        """Look through them."""
        return self.flow.survey(filters, for_ever, foresee=foresee)

    def fates(self, filters: Filters = ALL) -> dict[str, str]:
        """Id → what a replay would do."""
        seen = self.look(filters, foresee=True).seen
        return {one.letter.message_id: one.prediction.told for one in seen if one.prediction}

    def replay(
        self, filters: Filters = ALL, time_left: Callable[[], float] = for_ever, resume: str = ""
    ) -> Report:
        """Put back; the workers have not looked at it yet."""
        redrive = self.flow.resumed(resume) if resume else self.flow.begin(filters, "hana")
        return self.flow.run(redrive, time_left)

    def replay_through_a_crash(self, filters: Filters = ALL) -> None:
        """Put back; the operator who is cut off tries again when what was hidden shows again."""
        try:
            self.replay(filters)
        except Crash:
            self.letters.show_all()
            self.world.now += dt.timedelta(minutes=10)
            unfinished = self.redrives.unfinished(self.world.now - dt.timedelta(days=1))
            self.replay(filters, resume=unfinished[0].redrive.redrive_id if unfinished else "")

    def die_of(self, error: MusubiError) -> None:
        """Everything in the send queue dies of this."""
        waiting, self.world.send_queue.waiting = self.world.send_queue.waiting, []
        for message in waiting:
            self.letters.bury("send", message.body, note=msgspec.structs.replace(NOTE, text=str(error)))
