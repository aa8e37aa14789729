"""Multicast batches under `batches/<id>/` in the bucket: the seal, the journal's places, and that LINE has taken it."""

import msgspec

from functions.aws.objects import Objects
from functions.domain.batches import Entry, Sealed
from functions.ports.errors import Retryable
from functions.ports.line import Accepted

PLACES_MAX = 1_000
"""More calls than a day of them."""
_sealed = msgspec.json.Decoder(Sealed)
_entry = msgspec.json.Decoder(Entry)
_accepted = msgspec.json.Decoder(Accepted)


class S3Batches:
    """Whatever is written first stays: a write on condition that there is no such object yet decides who was first."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def sealed(self, batch: str) -> Sealed | None:
        """Members and content, where the batch is sealed."""
        body = self._objects.read(f"batches/{batch}/sealed.json")
        return None if body is None else _sealed.decode(body)

    def seal(self, batch: str, sealed: Sealed) -> Sealed:
        """Members and content as they were sealed first."""
        if self._objects.write_new(f"batches/{batch}/sealed.json", msgspec.json.encode(sealed)):
            return sealed
        first = self.sealed(batch)
        if first is None:
            raise Retryable(f"the batch {batch} was sealed by another worker and is not readable yet")
        return first

    def journal(self, batch: str) -> list[Entry]:
        """What has happened to it, place by place."""
        entries: list[Entry] = []
        while len(entries) < PLACES_MAX:
            body = self._objects.read(_place(batch, len(entries) + 1))
            if body is None:
                return entries
            entry = _entry.decode(body)
            refused = entry.act == "call" and self._objects.exists(_refusal(batch, len(entries) + 1))
            entries.append(msgspec.structs.replace(entry, refused=refused))
        raise Retryable(f"the journal of batch {batch} never ends")

    def enter(self, batch: str, place: int, entry: Entry) -> bool:
        """Take the next place of the journal, on condition that it is free."""
        return self._objects.write_new(_place(batch, place), msgspec.json.encode(entry))

    def refuse(self, batch: str, place: int) -> None:
        """Note that LINE definitely did not take the call of this place."""
        self._objects.write(_refusal(batch, place), b"{}")

    def accepted(self, batch: str) -> Accepted | None:
        """That LINE has taken the batch; None where nobody knows of it."""
        body = self._objects.read(f"batches/{batch}/accepted.json")
        return None if body is None else _accepted.decode(body)

    def accept(self, batch: str, accepted: Accepted) -> None:
        """Note that LINE has taken it."""
        self._objects.write(f"batches/{batch}/accepted.json", msgspec.json.encode(accepted))


def _place(batch: str, place: int) -> str:
    return f"batches/{batch}/journal/{place:04}.json"


def _refusal(batch: str, place: int) -> str:
    return f"batches/{batch}/journal/{place:04}.refused"
