"""Rejected events, mended where they are kept, and put into the inbox once they are right.

Each object is changed on condition that nobody else did. An event is put into the inbox first and taken out of its object
then: a crash between puts it in twice, under its own id, which counts once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from functions.aws.rejects import RejectedBatch, S3RejectedEvents
from functions.domain.events import Event, Fault, check_event
from functions.domain.rejects import (
    NOT_MENDED,
    Checked,
    Mend,
    MendError,
    Rejection,
    Wanted,
    mended,
    still_wrong,
)
from functions.ports.messages import EventsReceived
from ops.stores import Stores


class Outcome(msgspec.Struct, frozen=True):
    """What a repair did, or would do. `good`: events that are right now; `wrong`: why how many are not; `overtaken`: left
    as they were, for somebody else changed their object meanwhile."""

    meant: int = 0
    good: int = 0
    wrong: dict[str, int] = {}
    overtaken: int = 0

    def plus(self, checked: Sequence[Checked], *, overtaken: bool) -> "Outcome":
        """With one more object's."""
        meant = self.meant + len(checked)
        if overtaken:
            return msgspec.structs.replace(self, meant=meant, overtaken=self.overtaken + len(checked))
        wrong, good = still_wrong(checked), sum(one.event is not None for one in checked)
        causes = sorted({*self.wrong, *wrong})
        counts = {cause: self.wrong.get(cause, 0) + wrong.get(cause, 0) for cause in causes}
        return Outcome(meant, self.good + good, counts, self.overtaken)


@dataclass(frozen=True, slots=True)
class Repair:
    """The rejected events of one deployment, and which of them are meant."""

    stores: Stores
    wanted: Wanted

    @property
    def rejected(self) -> S3RejectedEvents:
        """Where they are."""
        return S3RejectedEvents(self.stores.objects)

    def found(self) -> Iterator[Rejection]:
        """Those that are meant."""
        for batch in self.rejected.all():
            yield from self._meant(batch)

    def _meant(self, batch: RejectedBatch) -> list[Rejection]:
        return [one for one in batch.rejections if self.wanted.meets(one)]

    def fix(self, mend: Mend, *, dry: bool) -> Outcome:
        """Mend what is meant where it is kept. Nothing goes into the inbox by it."""
        outcome = Outcome()
        for batch in self.rejected.all():
            checked = [self._mended(one, mend) for one in self._meant(batch)]
            done = dry or not checked or self.rejected.replace(batch, _with(batch, checked))
            outcome = outcome.plus(checked, overtaken=not done)
        return outcome

    def example(self, mend: Mend) -> tuple[Any, Any] | None:
        """The first that is meant and can be mended, as it is and as it would be."""
        for one in self.found():
            try:
                return one.raw, mended(one.raw, mend)
            except MendError:
                continue
        return None

    def _mended(self, one: Rejection, mend: Mend) -> Checked:
        try:
            after = msgspec.structs.replace(one, raw=mended(one.raw, mend))
        except MendError as error:
            return Checked(one, Fault(NOT_MENDED, f"{error}."))
        return Checked(after, self._checked(after))

    def _checked(self, one: Rejection) -> Event | Fault:
        playbook = self.stores.playbooks.in_force().playbook
        return check_event(one.raw, playbook.events, self.stores.now(), playbook.retention.events)

    def replay(self, *, dry: bool, history: bool) -> Outcome:
        """Check what is meant by the dictionary in force; put what is right into the inbox and take it out here."""
        outcome = Outcome()
        for batch in self.rejected.all():
            checked = [Checked(one, self._checked(one)) for one in self._meant(batch)]
            done = dry or not checked or self._put_in(batch, checked, history=history)
            outcome = outcome.plus(checked, overtaken=not done)
        return outcome

    def discard(self) -> int:
        """Give up what is meant; how many. Raises nothing where somebody else was faster: that object is left to them."""
        given_up = 0
        for batch in self.rejected.all():
            places = {one.place for one in self._meant(batch)}
            rest = [entry for place, entry in enumerate(batch.entries) if place not in places]
            if places and self.rejected.replace(batch, rest):
                given_up += len(places)
        return given_up

    def _put_in(self, batch: RejectedBatch, checked: Sequence[Checked], *, history: bool) -> bool:
        by_customer: dict[str, list[Event]] = {}
        for one in checked:
            if one.event is not None:
                by_customer.setdefault(one.event.customer_id, []).append(one.event)
        self.stores.inbox.put([EventsReceived(who, events, history) for who, events in by_customer.items()])
        return self.rejected.replace(batch, _with(batch, checked, without_good=True))


def _with(
    batch: RejectedBatch, checked: Sequence[Checked], *, without_good: bool = False
) -> list[dict[str, Any]]:
    """The object's entries with what was looked at as it is now, in their places."""
    looked = {one.rejection.place: one for one in checked}
    entries = []
    for place, entry in enumerate(batch.entries):
        one = looked.get(place)
        if one is None:
            entries.append(entry)
        elif one.event is None:
            now = one.again
            why = {} if now.code == NOT_MENDED else {"code": now.code, "message": now.message}
            entries.append({**entry, **why, "event": now.raw})
        elif not without_good:
            entries.append({**entry, "event": one.rejection.raw})
    return entries
