"""What follows once the tables are back: events are told again, campaign runs go on, the erased are looked for once more."""

import time
from collections import Counter
from collections.abc import Iterator

from functions.domain.campaigns import run_of_source
from functions.domain.facts import EventFact
from functions.domain.instants import Instant
from functions.domain.sends import CLAIM_OUTLIVES, EXPIRES_MAX
from functions.ports.messages import CampaignRun, EventsReceived
from ops.backups.known import Known
from ops.backups.lake import Since
from ops.backups.restoring import PuttingBack
from ops.backups.rows import pages_of
from ops.erasing.rows import Rows
from ops.runs import FrozenLists, RunFiles, run_files
from ops.stores import Stores

EVENTS_A_MESSAGE = 50
RUNS_AGAIN_WITHIN = 2 * (EXPIRES_MAX + CLAIM_OUTLIVES)
"""Every message of an older run has come to its end by itself."""
PAUSE_SECONDS = 0.5
QUIET_LOOKS = 3
_WAITING = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")  # fmt: skip


def told_again(put: PuttingBack) -> int:
    """Put what happened since into the inbox, under the ids of then: what is known already changes nothing. How many."""
    count = 0
    for messages in pages_of(_messages(put), 100):
        put.stores.inbox.put(messages)
        count += sum(len(one.events) for one in messages)
    return count


def _messages(put: PuttingBack) -> Iterator[EventsReceived]:
    for customer_id in sorted({put.known.customer_of(told) for told in put.since.happened}):
        events = put.told.events_of(customer_id)
        for history in (True, False):
            mine = [one for one in events if one.imported is history]
            for part in pages_of(mine, EVENTS_A_MESSAGE):
                yield EventsReceived(customer_id, part, history=history)


def untold(known: Known, since: Since) -> Counter[str]:
    """What happened since and cannot be told again from facts, by the event's name: its source has to tell it anew."""
    found: Counter[str] = Counter()
    for facts in since.happened.values():
        for one in facts:
            if known.event_of(one) is None:
                found[one.name if isinstance(one, EventFact) else type(one).__name__.lower()] += 1
    return found


def runs_again(stores: Stores, now: Instant) -> list[str]:
    """Let every campaign run go on that somebody on its list has no end in, from its frozen list: whoever has one is passed
    over. Which."""
    lists, begun = FrozenLists(stores), []
    for files in run_files(stores):
        if now - lists.run(files).made_at > RUNS_AGAIN_WITHIN or not _is_open(stores, lists, files):
            continue
        s3, bucket = stores.target.client("s3"), stores.settings.bucket
        for page in files.pages:
            s3.delete_object(Bucket=bucket, Key=f"{files.prefix}/pages/{page}.json.enqueued")
        stores.evaluation.again(CampaignRun(*run_of_source(files.source)))
        begun.append(files.source)
    return begun


def open_runs(stores: Stores, now: Instant) -> list[str]:
    """The runs that `runs_again` would let go on, as the send log is now."""
    lists = FrozenLists(stores)
    return [
        files.source
        for files in run_files(stores)
        if now - lists.run(files).made_at <= RUNS_AGAIN_WITHIN and _is_open(stores, lists, files)
    ]


def _is_open(stores: Stores, lists: FrozenLists, files: RunFiles) -> bool:
    people = list(lists.people(files))
    ended = {record.send_id for record in stores.reports.at(one.key for one in people)}
    return not files.pages or any(one.send_id not in ended for one in people)


def without_erased(stores: Stores, known: Known) -> int:
    """Take out what others' rows say of whoever was erased since; how many rows were changed."""
    return sum(Rows(stores, known.erased).sweep().values()) if known.erased else 0


def drained(stores: Stores, patience_seconds: float) -> bool:
    """Whether the inbox has been seen empty a few times in a row within this time."""
    ends_at, quiet = time.monotonic() + patience_seconds, 0
    sqs, url = stores.target.client("sqs"), stores.settings.queue_inbox_url
    while quiet < QUIET_LOOKS:
        told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(_WAITING))["Attributes"]
        quiet = 0 if any(int(told.get(name, 0)) for name in _WAITING) else quiet + 1
        if time.monotonic() > ends_at:
            return False
        time.sleep(PAUSE_SECONDS)
    return True
