"""The sources that friends come by, in memory."""

from functions.domain.inflow import InflowSource
from functions.ports.errors import Conflict


class FakeInflowSources:
    """A name is given once; a source is changed by whoever has read it last."""

    def __init__(self) -> None:
        self.kept: dict[str, InflowSource] = {}

    def create(self, source: InflowSource) -> bool:
        """Whether the name was free."""
        if source.name in self.kept:
            return False
        self.kept[source.name] = source
        return True

    def replace(self, old: InflowSource, new: InflowSource) -> None:
        """Conflict where it is another meanwhile."""
        if self.kept.get(old.name) != old:
            raise Conflict(f"the source {old.name} was changed meanwhile; try again")
        self.kept[old.name] = new

    def find(self, name: str) -> InflowSource | None:
        """The source of a name."""
        return self.kept.get(name)

    def by_digest(self, digest: str) -> InflowSource | None:
        """The source whose token this is the digest of."""
        return next((one for one in self.kept.values() if one.digest == digest), None)

    def all(self) -> list[InflowSource]:
        """Every source, by name."""
        return [self.kept[name] for name in sorted(self.kept)]
