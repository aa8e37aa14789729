"""The dead letters, looked through: the person's go, and what others' say of them is taken out."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from functions.domain.dead_letters import Letter
from functions.domain.erasure import Person, scrubbed
from ops.dlq.opened import replay_of
from ops.stores import Stores

LETTERS_MAX = 10_000
IDLE_RECEIVES_MAX = 3


@dataclass(frozen=True, slots=True)
class Letters:
    """The dead-letter queues of one deployment, and whom to take out. `dry`: only count."""

    stores: Stores
    person: Person
    dry: bool = False

    def sweep(self) -> tuple[Counter[str], list[str]]:
        """How many letters were removed or changed, by queue; and the queues that hold more than one look can see."""
        found: Counter[str] = Counter()
        unseen = []
        letters = replay_of(self.stores).letters
        for queue in letters.queues():
            met: dict[str, Letter] = {}
            gone: set[str] = set()
            try:
                idle = 0
                while idle < IDLE_RECEIVES_MAX and len(met) < LETTERS_MAX:
                    batch = letters.receive(queue)
                    if not batch:
                        break
                    new = [one for one in batch if one.message_id not in met]
                    idle = 0 if new else idle + 1
                    met |= {one.message_id: one for one in batch}
                    doomed = [one for one in new if self._names(one.body)]
                    found[f"dead letters:{queue}"] += len(doomed)
                    if doomed and not self.dry:
                        self._keep_others(queue, doomed)
                        gone |= letters.delete(doomed)
            finally:
                letters.release([one for name, one in met.items() if name not in gone])
            if len(met) >= LETTERS_MAX:
                unseen.append(queue)
        return +found, unseen

    def _names(self, body: str) -> bool:
        if not self.person.may_be_in(body.encode()):
            return False
        value = _opened(body)
        return bool(scrubbed(value, self.person) != value)

    def _keep_others(self, queue: str, doomed: list[Letter]) -> None:
        """What remains of letters that are somebody else's goes back to the dead letters, before they are deleted."""
        dead = json.loads(self.stores.settings.dead_queues)[queue]["dead"]
        for letter in doomed:
            rest = self._rest(_opened(letter.body))
            if rest is not None:
                self.stores.target.client("sqs").send_message(QueueUrl=dead, MessageBody=json.dumps(rest))

    def _rest(self, payload: Any) -> Any:
        """Another customer's events without those that name the person; None where nothing of it is to be kept."""
        if not isinstance(payload, dict) or payload.get("type") != "events":
            return None
        if payload.get("customer_id") in self.person.ids:
            return None
        events = [one for one in payload.get("events", []) if scrubbed(one, self.person) == one]
        return {**payload, "events": events} if events else None


def _opened(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body
