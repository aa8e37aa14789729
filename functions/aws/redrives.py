"""The audit of replays, under `audits/redrive/<id>/`: objects that are written once, and never over."""

from collections.abc import Callable

import msgspec

from functions.aws.objects import Objects
from functions.domain.instants import Instant
from functions.domain.redrives import Page, Redrive, Tally, Trail
from functions.ports.errors import Conflict

PREFIX = "audits/redrive/"
BEGUN, FINISHED = "begun.json", "finished.json"
_redrive = msgspec.json.Decoder(Redrive)
_page = msgspec.json.Decoder(Page)


class _Finish(msgspec.Struct, frozen=True):
    at: Instant
    tally: Tally


def redrive_id(at: Instant, random: str) -> str:
    """A name that sorts by the instant at which the replay began."""
    return f"{at:%Y%m%dT%H%M%SZ}-{random}"


class S3Redrives:
    """The audit in one bucket."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def begin(self, redrive: Redrive) -> None:
        """Note what is asked for. Conflict where there is such a replay already."""
        self._write(f"{redrive.redrive_id}/{BEGUN}", redrive)

    def write(self, redrive_id: str, page: int, stage: str, record: Page) -> None:
        """Note one stage of one page. Conflict where somebody else wrote it: two go on with one replay."""
        self._write(f"{redrive_id}/{page:06}.{stage}.json", record)

    def finish(self, redrive_id: str, at: Instant, tally: Tally) -> None:
        """Note that nothing is left to do."""
        self._write(f"{redrive_id}/{FINISHED}", _Finish(at, tally))

    def _write(self, key: str, value: msgspec.Struct) -> None:
        if not self._objects.write_new(f"{PREFIX}{key}", msgspec.json.encode(value)):
            raise Conflict("somebody else goes on with this replay")

    def trail(self, redrive_id: str) -> Trail | None:
        """What is on record; None where there is no such replay."""
        begun = self._objects.read(f"{PREFIX}{redrive_id}/{BEGUN}")
        if begun is None:
            return None
        return self._trail(_redrive.decode(begun), self._objects.keys(f"{PREFIX}{redrive_id}/"))

    def begun(self, since: Instant) -> list[Trail]:
        """The replays begun since then, in order."""
        return self._trails(since)

    def unfinished(self, since: Instant) -> list[Trail]:
        """Those of them that were not finished; the others are not read."""
        return self._trails(since, lambda keys: not any(key.endswith(FINISHED) for key in keys))

    def _trails(
        self, since: Instant, wanted: Callable[[list[str]], bool] = lambda _keys: True
    ) -> list[Trail]:
        found: dict[str, list[str]] = {}
        for key in self._objects.keys(PREFIX, after=PREFIX + redrive_id(since, "")):
            found.setdefault(key.removeprefix(PREFIX).partition("/")[0], []).append(key)
        trails = (self.trail(name) for name, keys in found.items() if wanted(keys))
        return [trail for trail in trails if trail is not None]

    def _trail(self, redrive: Redrive, keys: list[str]) -> Trail:
        put = _stage(keys, "put", self._objects.read)
        deleted = _stage(keys, "deleted", self._objects.read)
        return Trail(
            redrive,
            pages=max((int(key.rpartition("/")[2][:6]) for key in keys if ".planned." in key), default=0),
            put={old: new for page in put for old, new in page.put.items()},
            deleted=frozenset(old for page in deleted for old in page.deleted),
            finished=any(key.endswith(FINISHED) for key in keys),
        )


def _stage(keys: list[str], stage: str, read: Callable[[str], bytes | None]) -> list[Page]:
    bodies = [read(key) for key in keys if key.endswith(f".{stage}.json")]
    return [_page.decode(body) for body in bodies if body is not None]
