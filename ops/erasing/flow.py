"""Erase: begun → suppressed → drained → done, and from any point on again after a crash.

Suppressed comes first: the ids' hashes are kept and the gates are gone, so that nothing is sent and nobody is made anew
while messages are still under way. Drained is what nothing is found of in a whole look through tables, dead letters and
object versions, after every queue has been empty once and every worker of before has ended.
"""

import datetime as dt
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from functions.aws.erasing import DynamoSuppressions
from functions.domain.erasure import Erasure, Person, hashed, suppressed
from ops.erasing.keeping import Kept, key_of, proof_of
from ops.erasing.letters import Letters
from ops.erasing.people import state_before
from ops.erasing.rows import Rows
from ops.erasing.things import Things
from ops.local.facts import WaitingFacts
from ops.stores import Stores
from ops.trail import leave_trail

SETTLE_SECONDS = 960.0
"""A worker that had read the person before may write for so long: Lambda's longest time-out, and a minute."""
SETTLE_SECONDS_LOCAL = 3.0
PAUSE_SECONDS = 2.0
RECEIVES_SECONDS = 2 * 3_600.0
"""A message that fails is tried five times within this, or is a dead letter: SQS tells no age of what has failed thrice."""
_ATTRIBUTES = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
Found = tuple[Counter[str], list[str]]


@dataclass(frozen=True, slots=True)
class Erase:
    """Erasures of one deployment. `settle_seconds`: how long after the suppression workers of before may still write;
    `age_of`: how old a queue's oldest message is, in seconds, where that is told; `behind`: how old the oldest write is
    that is no fact yet."""

    stores: Stores
    settle_seconds: float
    pause: Callable[[float], None] = time.sleep
    on_step: Callable[[Erasure], None] = lambda _erasure: None
    age_of: Callable[[str], float | None] = lambda _url: None
    behind: Callable[[], float] = lambda: 0.0

    @property
    def kept(self) -> Kept:
        """Where they are noted."""
        return Kept(self.stores)

    def preview(self, person: Person) -> Found:
        """What would be removed or changed now, by place; and what stands in the way."""
        return _looked(self.stores, person, dry=True)

    def code(self, person: Person) -> str:
        """What has to be said to erase just these ids: it changes where the person is known by others."""
        return hashed(key_of(self.stores), "|".join(person.identities))[:8]

    def begin(self, person: Person, by: str, why: str, erasure_id: str) -> Erasure:
        """Note it; nothing is done yet. The trail names nobody."""
        leave_trail(
            self.stores, "erasures", "erase", by, why=person.words.sub("erased", why), erasure=erasure_id
        )
        return self.kept.write(Erasure(erasure_id, self.stores.now(), by, why, person))

    def run(self, erasure: Erasure, patience_seconds: float) -> Erasure:
        """Go on as far as it goes within this time. `waits` of the answer says what is missing, where anything is."""
        ends_at = time.monotonic() + patience_seconds
        if erasure.stage == "begun":
            erasure = self._suppressed(erasure)
        while erasure.stage == "suppressed":
            erasure = self._swept(erasure)
            self.on_step(erasure)
            if erasure.stage == "suppressed":
                if time.monotonic() >= ends_at:
                    return erasure
                self.pause(PAUSE_SECONDS)
        return self._done(erasure)

    def _suppressed(self, erasure: Erasure) -> Erasure:
        key = key_of(self.stores)
        suppressions = DynamoSuppressions(
            self.stores.target.client("dynamodb"), self.stores.settings.table_identities, lambda: key
        )
        for identity in erasure.person.identities:
            known, before = suppressions.known(identity), state_before(self.stores, identity)
            suppressions.put(identity, suppressed(known, erasure, before, self.stores.now()))
        Rows(self.stores, erasure.person).unlock()
        return self.kept.write(
            msgspec.structs.replace(erasure, stage="suppressed", suppressed_wall=time.time())
        )

    def _swept(self, erasure: Erasure) -> Erasure:
        """One look through everything, and what it means for the end."""
        counts, waits = _looked(self.stores, erasure.person, dry=False)
        erasure = erasure.counted(counts)
        left = erasure.suppressed_wall + self.settle_seconds - time.time()
        if left > 0:
            waits = [*waits, f"workers of before: may still write for {left:.0f} s"]
        if time.time() - self.behind() < erasure.suppressed_wall:
            waits = [*waits, "facts: the tables' streams have yet to be read beyond the suppression"]
        if counts or waits:
            # What was found may have been written just now: queues must be seen empty after a look that finds nothing.
            more = waits or ["one more look: something was found"]
            return self.kept.write(msgspec.structs.replace(erasure, empty_queues=[], waits=more))
        if len(erasure.empty_queues) == len(self._queues()):
            return self.kept.write(msgspec.structs.replace(erasure, stage="drained", waits=[]))
        empty = sorted(
            name
            for name, url in self._queues().items()
            if name in erasure.empty_queues or self._is_drained(url, erasure.suppressed_wall)
        )
        busy = [
            f"queue {name}: messages of before may be in it" for name in self._queues() if name not in empty
        ]
        more = busy or ["one more look: the queues are empty now"]
        return self.kept.write(msgspec.structs.replace(erasure, empty_queues=empty, waits=more))

    def _queues(self) -> dict[str, str]:
        """The work queues by name. What is scheduled is a campaign or a minute, and nobody's."""
        pairs = json.loads(self.stores.settings.dead_queues)
        return {name: pair["work"] for name, pair in pairs.items() if name != "schedules"}

    def _is_drained(self, url: str, suppressed_wall: float) -> bool:
        """Whether nothing is in the queue, or, in one that is never empty, nothing that was in it at the suppression."""
        answer = self.stores.target.client("sqs").get_queue_attributes(
            QueueUrl=url, AttributeNames=list(_ATTRIBUTES)
        )
        if not sum(int(answer["Attributes"].get(name, 0)) for name in _ATTRIBUTES):
            return True
        since = time.time() - suppressed_wall
        age = self.age_of(url) if since > RECEIVES_SECONDS else None
        return age is not None and age < since - RECEIVES_SECONDS / 2

    def _done(self, erasure: Erasure) -> Erasure:
        done = msgspec.structs.replace(erasure, stage="done", waits=[])
        self.kept.finish(done, proof_of(done, key_of(self.stores), self.stores.now()))
        return done


def _looked(stores: Stores, person: Person, *, dry: bool) -> Found:
    counts = Rows(stores, person, dry).sweep()
    letters, unseen = Letters(stores, person, dry).sweep()
    things, stays = Things(stores, person, dry).sweep()
    waits = [*(f"dead letters of {name}: more than one look can see" for name in unseen), *stays]
    return counts + letters + things, waits


def ages_of(stores: Stores) -> Callable[[str], float | None]:
    """What CloudWatch tells of the oldest message of a queue: the most of the last ten minutes. The engine tells nothing."""
    if stores.target.engine_url:
        return lambda _url: None

    def age(url: str) -> float | None:
        now = dt.datetime.fromtimestamp(time.time(), dt.UTC)
        answer = stores.target.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SQS",
            MetricName="ApproximateAgeOfOldestMessage",
            Dimensions=[{"Name": "QueueName", "Value": url.rpartition("/")[2]}],
            StartTime=now - dt.timedelta(minutes=10),
            EndTime=now,
            Period=60,
            Statistics=["Maximum"],
        )
        return max((float(one["Maximum"]) for one in answer["Datapoints"]), default=None)

    return age


def behind_of(stores: Stores) -> Callable[[], float]:
    """What CloudWatch tells of the streams that facts follow: the most of the last ten minutes, nothing where nobody read."""
    if stores.target.engine_url:
        return lambda: _settled(stores)

    def behind() -> float:
        now = dt.datetime.fromtimestamp(time.time(), dt.UTC)
        function, _, _live = stores.target.output("FunctionFacts").partition(":")
        answer = stores.target.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="IteratorAge",
            Dimensions=[{"Name": "FunctionName", "Value": function}],
            StartTime=now - dt.timedelta(minutes=10),
            EndTime=now,
            Period=60,
            Statistics=["Maximum"],
        )
        return max((float(one["Maximum"]) / 1000 for one in answer["Datapoints"]), default=0.0)

    return behind


def _settled(stores: Stores) -> float:
    """The engine tells how many records are unread, not how old: wait until there are none."""
    WaitingFacts(stores.target).settle()
    return 0.0


def settle_seconds_of(stores: Stores) -> float:
    """How long workers of before may still write, in this deployment."""
    return SETTLE_SECONDS_LOCAL if stores.target.engine_url else SETTLE_SECONDS


def erasure_id_of(at: dt.datetime, random: str) -> str:
    """A name that sorts by the instant at which the erasure began, and tells nothing of whom."""
    return f"{at:%Y%m%dT%H%M%SZ}-{random}"
