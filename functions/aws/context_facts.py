"""The context facts of a deployment: one small object, each change on condition that nobody changed it meanwhile."""

from collections.abc import Callable

import msgspec

from functions.aws.objects import CONTEXT, Objects
from functions.aws.stored import over
from functions.domain.context import EMPTY, Context, Fact
from functions.ports.errors import Conflict, Rejected

CONTEXT_BYTES_MAX = 256 * 1024
ATTEMPTS = 8
_facts = msgspec.json.Decoder(dict[str, dict[str, Fact]])


class S3Context:
    """Reads and changes the facts; workers see a change within seconds (`S3Playbooks`)."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def read(self) -> Context:
        """All facts, those that are over included."""
        return _context(self._objects.read(CONTEXT))

    def change(self, change: Callable[[Context], Context]) -> Context:
        """Apply a change to the facts as they are now, again where another writer was faster; the facts as written.

        Rejected where they come to more than 256 KB; Conflict where others were faster eight times.
        """
        for _ in range(ATTEMPTS):
            before, tag = self._objects.read_tagged(CONTEXT) or (None, "")
            new = change(_context(before))
            if self._written(over(before, _facts, new), tag):
                return new
        raise Conflict(f"the context facts were changed by others {ATTEMPTS} times meanwhile; try again")

    def _written(self, body: bytes, tag: str) -> bool:
        if len(body) > CONTEXT_BYTES_MAX:
            raise Rejected(
                f"the context facts would come to {len(body):,} bytes, and {CONTEXT_BYTES_MAX:,} is the most; "
                "remove some, or use fewer keys"
            )
        return self._objects.write_over(CONTEXT, body, tag) if tag else self._objects.write_new(CONTEXT, body)


def _context(body: bytes | None) -> Context:
    return EMPTY if body is None else _facts.decode(body)
