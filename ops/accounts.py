"""The accounts of what was sent: targeted = sent + suppressed + failed + unknown + pending.

Both sides are counted independently: whom each scenario and each campaign run is for, and what the send log says.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from functions.domain.campaigns import Chunk
from functions.domain.customers import Customer
from functions.domain.sends import SendRecord
from ops.stores import Stores

_chunk = msgspec.json.Decoder(Chunk)


class Accounts(msgspec.Struct, frozen=True):
    """Messages by what became of them. `suppressed` by reason."""

    targeted: int
    sent: int
    suppressed: dict[str, int]
    failed: int
    unknown: int
    pending: int

    @property
    def is_closed(self) -> bool:
        """Whether every targeted message has ended in exactly one state."""
        ended = self.sent + sum(self.suppressed.values()) + self.failed + self.unknown
        return self.pending == 0 and ended == self.targeted

    def as_json(self) -> dict[str, Any]:
        """The contract's form."""
        return msgspec.to_builtins(self)  # type: ignore[no-any-return]


def every_customer(stores: Stores) -> Iterator[Customer]:
    """All customers, anonymous friends included; not those merged into another."""
    start_key = ""
    while True:
        customers, start_key = stores.audience.page(0, 1, start_key)
        yield from (customer for customer in customers if not customer.merged_into)
        if not start_key:
            return


def targeted_by_scenario(customers: Iterable[Customer]) -> Counter[str]:
    """How many intents each scenario has made."""
    total: Counter[str] = Counter()
    for customer in customers:
        total.update(customer.intended)
    return total


def targeted_by_run(stores: Stores) -> Counter[str]:
    """How many people each campaign run (`campaign@occurrence`) is for, from its frozen pages."""
    s3, bucket = stores.target.client("s3"), stores.settings.bucket
    total: Counter[str] = Counter()
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="runs/"):
        for item in page.get("Contents", []):
            parts = item["Key"].split("/")
            if "pages" in parts and parts[-1].endswith(".json"):
                body = stores.objects.read(item["Key"])
                total[f"{parts[1]}@{parts[2]}"] += len(_chunk.decode(body or b"[]").recipients)
    return total


def accounts_of(targeted: int, records: Iterable[SendRecord]) -> Accounts:
    """The accounts of so many targeted messages, from their records; what has no record is pending."""
    ended = {record.send_id: record for record in records}
    by_status = Counter(record.status for record in ended.values())
    reasons = Counter(record.reason for record in ended.values() if record.status == "suppressed")
    return Accounts(
        targeted=targeted,
        sent=by_status["sent"],
        suppressed=dict(sorted(reasons.items())),
        failed=by_status["failed"],
        unknown=by_status["unknown"],
        pending=targeted - len(ended),
    )


def accounts(stores: Stores, campaign: str = "", scenario: str = "") -> Accounts:
    """The accounts of everything, of one campaign (all its runs, or one `campaign@occurrence`), or of one scenario."""
    records = [
        record
        for record in stores.sends.all()
        if (not campaign or campaign in (record.campaign, record.run))
        and (not scenario or record.scenario == scenario)
    ]
    targeted = 0
    if not campaign:
        made = targeted_by_scenario(every_customer(stores))
        targeted += sum(count for name, count in made.items() if not scenario or name == scenario)
    if not scenario:
        runs = targeted_by_run(stores)
        targeted += sum(n for run, n in runs.items() if not campaign or campaign in (run, run.split("@")[0]))
    return accounts_of(targeted, records)
