"""The first half of a multicast: its members are claimed one by one, and the batch is sealed with those who were."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from functions.domain.batches import Content, Sealed
from functions.domain.claims import Allow
from functions.domain.instants import Instant
from functions.domain.sends import BatchOrder, Intent, SendRecord, content_hash
from functions.domain.trace import Facts
from functions.domain.verdicts import Ended, Wait
from functions.ports.errors import Retryable
from functions.ports.playbooks import Playbooks
from functions.ports.queues import SendQueue
from functions.ports.sending import Batches, Renderer
from functions.send.allowance import Lending
from functions.send.claiming import Claimed, Claiming, Result, Wanted
from functions.send.ending import Ending, Failures

logger = logging.getLogger(__name__)

Members = dict[int, Intent]
"""Position on the page → the intent of that recipient."""


@dataclass(frozen=True, slots=True)
class Sealing:
    """The ports of this part. `record_all` writes ends into the send log."""

    batches: Batches
    playbooks: Playbooks
    renderer: Renderer
    send_queue: SendQueue
    claiming: Claiming
    ending: Ending
    lending: Lending
    record_all: Callable[[Sequence[SendRecord]], Failures]
    now: Callable[[], Instant]

    def seal(self, order: BatchOrder, members: Members) -> tuple[Sealed, dict[str, Facts]]:
        """The batch as it was sealed first, and what the decisions on its members rested on.

        Whoever may not get it now waits, has ended, or goes alone, and is where they belong before anything is sealed:
        a redelivery that finds the seal does not look at them again.
        """
        content = self._content(members)
        if content is None:
            self.alone(list(members.values()))
            return Sealed([], [], self.now()), {}
        results = self._claimed(order, members, content)
        allowed = self._sorted_out(members, results)
        sealed = self.batches.seal(order.send_id, Sealed(allowed, content, self.now()))
        facts = {one: result.facts for one, result in results.items() if isinstance(result, Claimed)}
        return sealed, facts

    def _content(self, members: Members) -> Content | None:
        """What all are told; None where it cannot be rendered: then each fails alone, and says why."""
        first = next(iter(members.values()))
        message = self.playbooks.version(first.playbook).playbook.messages[first.message]
        try:
            return self.renderer.render(message.content, first.values)
        except ValueError:
            return None

    def _claimed(self, order: BatchOrder, members: Members, content: Content) -> dict[str, Result]:
        digest = content_hash(content)
        wanted = [Wanted(intent, digest, order.send_id) for intent in members.values()]
        lease = self.lending.lease(list(members.values()), self.now())
        try:
            results = self.claiming.claim_all(wanted, lease)
        except Exception:
            lease.settle()
            raise
        lease.settle()
        return results

    def _sorted_out(self, members: Members, results: Mapping[str, Result]) -> list[int]:
        """The positions of those who may get it. The others are put where they belong."""
        allowed: list[int] = []
        records: list[SendRecord] = []
        alone: list[Intent] = []
        for position, intent in members.items():
            match results[intent.send_id]:
                case Claimed(verdict=Allow()):
                    allowed.append(position)
                case Claimed(verdict=Wait(until=until, reason=reason)):
                    self.ending.hold(intent, until, reason)
                case Claimed(verdict=Ended() as ended, facts=facts):
                    records.append(self.ending.record(intent, ended, facts))
                case None:  # its end is on record
                    continue
                case _:  # claimed elsewhere, no longer allowed, or a failure of its own
                    alone.append(intent)
        self.alone(alone)
        for error in self.record_all(records).values():
            raise error
        return allowed

    def alone(self, intents: Sequence[Intent]) -> None:
        """Let these be told one by one. Retryable where the queue did not take all of them."""
        if len(self.send_queue.put(intents)) < len(intents):
            raise Retryable("the send queue did not take everybody who is told alone")
