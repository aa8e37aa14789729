"""Multicast, broken on purpose, one rule at a time."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, ClassVar

from functions.domain.batches import Entry, Sealed
from functions.domain.playbook import Playbook, Price
from functions.domain.sends import BatchOrder, Intent
from functions.domain.verdicts import Ended
from functions.ports.line import Accepted
from functions.ports.sending import Batches
from functions.send.claiming import Result
from functions.send.flow import Deliver
from functions.send.multicast import Multicast, _Batch
from functions.send.sealing import Members, Sealing
from tests.simulation.run import Mutation, matters_where
from tests.simulation.world import SimulatedWorld


def _of_campaigns(book: Playbook, _next: Playbook) -> bool:
    is_held_up = book.price != Price() or book.approval_above is not None
    return len(book.campaigns) > 2 and not is_held_up


class _Otherwise(Deliver):
    """With another kind of multicast or sealing."""

    kind: ClassVar[type[Multicast]] = Multicast
    sealing_kind: ClassVar[type[Sealing]] = Sealing

    @property
    def multicast(self) -> Multicast:
        mine = super().multicast
        ports = {field.name: getattr(mine, field.name) for field in fields(mine)}
        sealing = mine.sealing
        ports["sealing"] = self.sealing_kind(
            **{field.name: getattr(sealing, field.name) for field in fields(sealing)}
        )
        return self.kind(**ports)


def _deliver(world: SimulatedWorld, kind: type[Deliver], **changes: Any) -> None:
    ports = {field.name: getattr(world.deliver, field.name) for field in fields(world.deliver)}
    world.deliver = kind(**{**ports, **changes})


class _Unsealed:
    """A bucket that forgets seals: each worker calls LINE with whomever it has claimed itself."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batches, name)

    def sealed(self, _batch: str) -> Sealed | None:
        return None

    def seal(self, _batch: str, sealed: Sealed) -> Sealed:
        return sealed

    def enter(self, _batch: str, _place: int, _entry: Entry) -> bool:
        return True

    def refuse(self, _batch: str, _place: int) -> None:
        return


def nothing_sealed(world: SimulatedWorld) -> None:
    """Members and content are not written before the first call."""
    _deliver(world, Deliver, batches=_Unsealed(world.deliver.batches))


class _FreshBatchKeys:
    """LINE, called with a key of its own for each attempt at a batch."""

    def __init__(self, world: SimulatedWorld) -> None:
        self._line = world.deliver.line
        self._attempts = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._line, name)

    def multicast(
        self, to: Sequence[str], messages: Sequence[Mapping[str, Any]], retry_key: str, unit: str = ""
    ) -> Accepted:
        self._attempts += 1
        return self._line.multicast(to, messages, str(uuid.uuid5(uuid.UUID(retry_key), str(self._attempts))))


def batch_key_from_attempt(world: SimulatedWorld) -> None:
    """Each attempt at a batch has a retry key of its own."""
    _deliver(world, Deliver, line=_FreshBatchKeys(world))


class _NoRecheck(Multicast):
    def _is_still_allowed(self, batch: _Batch, journal: Sequence[Entry], *, is_tried: bool) -> bool:
        return True


class _WithoutRecheck(_Otherwise):
    kind = _NoRecheck


def batch_resumed_without_recheck(world: SimulatedWorld) -> None:
    """A sealed batch is called again whatever its members have said meanwhile."""
    _deliver(world, _WithoutRecheck)


class _Careless(Multicast):
    def _part_with(self, order: BatchOrder, others: Sequence[Intent]) -> None:
        return


class _LeavingOut(_Otherwise):
    kind = _Careless


@matters_where(_of_campaigns)
def left_out_and_forgotten(world: SimulatedWorld) -> None:
    """Who was claimed and sealed out of a batch is never thought of again."""
    _deliver(world, _LeavingOut)


class _AllAllowed(Sealing):
    def _sorted_out(self, members: Members, results: Mapping[str, Result]) -> list[int]:
        super()._sorted_out(members, results)
        return list(members)


class _WithEverybody(_Otherwise):
    sealing_kind = _AllAllowed


def everybody_sealed(world: SimulatedWorld) -> None:
    """The batch goes to everybody on its list, whatever the gates say."""
    _deliver(world, _WithEverybody)


class _OneForAll(Multicast):
    def _end_as_unknown(self, batch: _Batch, reason: str) -> None:
        self.sealing.alone(list(batch.members.values()))


class _Retelling(_Otherwise):
    kind = _OneForAll


@matters_where(_of_campaigns)
def unknown_batch_told_alone(world: SimulatedWorld) -> None:
    """Nobody knows whether a batch arrived, so everybody is told again alone, and nobody remembers the batch's claims."""
    _deliver(world, _Retelling)


class _Forgotten:
    """A queue that takes a batch's successors and loses them."""

    def __init__(self, world: SimulatedWorld) -> None:
        self._queue = world.deliver.send_queue

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)

    def put(self, orders: Sequence[Any]) -> list[str]:
        kept = [order for order in orders if not isinstance(order, BatchOrder)]
        self._queue.put(kept)
        return [order.send_id for order in orders]


@matters_where(_of_campaigns)
def successors_lost(world: SimulatedWorld) -> None:
    """What follows a void batch is not enqueued."""
    _deliver(world, Deliver, send_queue=_Forgotten(world))


class _Accepting(Multicast):
    def _refused(self, batch: _Batch, place: int, refusal: Any, *, unanswered: bool) -> None:
        if str(refusal).startswith("http_400"):
            self._end_as_failed(batch, str(refusal))
            return
        super()._refused(batch, place, refusal, unanswered=unanswered)

    def _end_as_failed(self, batch: _Batch, reason: str) -> None:
        ended = Ended("failed", reason)
        self._record([self.ending.record(one, ended, {}) for one in batch.members.values()])


class _Failing(_Otherwise):
    kind = _Accepting


@matters_where(_of_campaigns)
def refused_batch_fails_for_all(world: SimulatedWorld) -> None:
    """A batch that LINE refuses, perhaps after having taken it unanswered, ends as failed for everybody."""
    _deliver(world, _Failing)


MULTICAST_MUTANTS: Mapping[str, Mutation] = {
    mutation.__name__: mutation
    for mutation in (
        nothing_sealed,
        batch_key_from_attempt,
        batch_resumed_without_recheck,
        left_out_and_forgotten,
        everybody_sealed,
        unknown_batch_told_alone,
        successors_lost,
        refused_batch_fails_for_all,
    )
}
