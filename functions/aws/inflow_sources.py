"""The sources that friends come by: an object each, and one that finds it by the digest of its token."""

import msgspec

from functions.aws.objects import Objects
from functions.aws.stored import over
from functions.domain.inflow import InflowSource
from functions.ports.errors import Conflict

PREFIX = "inflow/"
_SOURCES, _TOKENS = f"{PREFIX}sources/", f"{PREFIX}tokens/"
_source = msgspec.json.Decoder(InflowSource)


class S3InflowSources:
    """A name is given once. What was printed stays good when keys are rotated: the digest finds it."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def create(self, source: InflowSource) -> bool:
        """Keep a source on condition that its name is free; whether it was. Its token counts from before that on."""
        self._objects.write(f"{_TOKENS}{source.digest}.json", msgspec.json.encode({"name": source.name}))
        return self._objects.write_new(_key(source.name), msgspec.json.encode(source))

    def replace(self, old: InflowSource, new: InflowSource) -> None:
        """Write over a source on condition that it still is as it was read; Conflict where it is not."""
        found = self._objects.read_tagged(_key(old.name))
        if found is None or _source.decode(found[0]) != old:
            raise Conflict(f"the source {old.name} was changed meanwhile; try again")
        if not self._objects.write_over(_key(old.name), over(found[0], _source, new), found[1]):
            raise Conflict(f"the source {old.name} was changed meanwhile; try again")

    def find(self, name: str) -> InflowSource | None:
        """The source of a name."""
        body = self._objects.read(_key(name))
        return None if body is None else _source.decode(body)

    def by_digest(self, digest: str) -> InflowSource | None:
        """The source whose token this is the digest of."""
        body = self._objects.read(f"{_TOKENS}{digest}.json")
        source = None if body is None else self.find(msgspec.json.decode(body)["name"])
        return source if source is not None and source.digest == digest else None

    def all(self) -> list[InflowSource]:
        """Every source, by name."""
        found = (self._objects.read(key) for key in self._objects.keys(_SOURCES))
        return [_source.decode(body) for body in found if body is not None]


def _key(name: str) -> str:
    return f"{_SOURCES}{name}.json"
