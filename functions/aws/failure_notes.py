"""Why messages failed, kept in the bucket under `failures/` by message id, which a message keeps among the dead letters."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from functions.aws.objects import Objects
from functions.domain.dead_letters import FailureNote
from functions.domain.instants import Instant

READERS = 8
_note = msgspec.json.Decoder(FailureNote)


class S3FailureNotes:
    """One small object a dead letter. `function`: who keeps them."""

    def __init__(self, objects: Objects, function: str, now: Callable[[], Instant]) -> None:
        self._objects = objects
        self._function = function
        self._now = now

    def keep(self, note: FailureNote) -> None:
        """Keep the note as of now, over an earlier one of the same message."""
        stamped = msgspec.structs.replace(note, function=self._function, failed_at=self._now())
        self._objects.write(_key(note.message_id), msgspec.json.encode(stamped))


def notes_of(objects: Objects, message_ids: Sequence[str]) -> dict[str, FailureNote]:
    """The notes of these messages, as far as there are any."""
    with ThreadPoolExecutor(READERS) as readers:
        bodies = list(readers.map(lambda message_id: objects.read(_key(message_id)), message_ids))
    return {
        message_id: _note.decode(body)
        for message_id, body in zip(message_ids, bodies, strict=True)
        if body is not None
    }


def _key(message_id: str) -> str:
    return f"failures/{message_id}.json"
