"""A deployment as a source of reports: its lake, its playbook and what was in force before, its dead letters."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from functions.aws.lake import S3Lake
from functions.domain.playbook import Playbook
from functions.ports.errors import Rejected, Retryable
from functions.ports.facts import Lake
from ops.reports.feed import alerts_in
from ops.reports.source import Source, Surroundings, opened_source
from ops.stores import Stores
from ops.target import Target
from ops.versions import history


def lake_of(target: Target) -> Lake:
    """The deployment's lake."""
    return S3Lake(target.client("s3"), target.settings().bucket)


@contextmanager
def deployed_source(target: Target) -> Iterator[Source]:
    """A source over a deployment. UserError where nothing was measured yet."""
    stores, lake = Stores(target), lake_of(target)

    @cache
    def playbook_of(version: str) -> Playbook | None:
        try:
            return stores.playbooks.version(version).playbook
        except (Rejected, Retryable):
            return None

    around = Surroundings(
        playbook=stores.playbooks.in_force().playbook,
        now=stores.now(),
        versions=history(stores.objects),
        playbook_of=playbook_of,
        dead_letters=_dead_letters(target),
        alerts=alerts_in(lake),
    )
    with opened_source(lake, around) as source:
        yield source


def _dead_letters(target: Target) -> dict[str, int]:
    sqs = target.client("sqs")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = {}
    for name, urls in target.dead_queues().items():
        found = sqs.get_queue_attributes(QueueUrl=urls["dead"], AttributeNames=names)["Attributes"]
        counts[name] = sum(int(found[one]) for one in names)
    return counts
