"""Campaign runs that wait for a second person: what they say, to how many, at what cost; and that person's word."""

from collections.abc import Iterator
from typing import NamedTuple

from functions.aws.objects import S3Runs
from functions.domain.addresses import examples
from functions.domain.approvals import Approval, Awaiting, Decision, FrozenList, RunHash
from functions.domain.campaigns import Chunk, Run, run_expires_at
from functions.domain.compiled import Compiled
from functions.domain.instants import InstantError, format_instant, parse_instant
from functions.ports.messages import CampaignRun
from functions.rendering import JinjaRenderer
from ops.errors import UserError
from ops.runs import run_files
from ops.stores import Stores
from ops.trail import leave_trail
from ops.versions import history


class Asked(NamedTuple):
    """A run that waits, with what a person must know to decide on it. `yen`: where no message of it is free."""

    run: Run
    compiled: Compiled
    awaiting: Awaiting

    @property
    def yen(self) -> float:
        """What it costs at most."""
        return self.awaiting.targeted * self.compiled.playbook.price.yen_each

    @property
    def expires(self) -> str:
        """When its messages expire."""
        return format_instant(run_expires_at(self.run, self.compiled))

    @property
    def says(self) -> list[str]:
        """Its texts as somebody reads them of whom nothing is known: no customer's values are shown."""
        playbook = self.compiled.playbook
        message = playbook.messages[playbook.campaigns[self.run.campaign].message]
        objects = JinjaRenderer().render(
            message.content, {**message.fallbacks, **examples(message.addresses)}
        )
        return [str(one.get("text") or one.get("altText") or one["type"]) for one in objects]


def asked_for(stores: Stores) -> Iterator[Asked]:
    """Every run that waits now, in order of time."""
    for files in run_files(stores):
        if files.awaits_approval:
            asked = _asked(stores, files.source)
            if not _is_over(stores, asked):
                yield asked


def decide(stores: Stores, source: str, decision: Decision, by: str, why: str, seen_hash: str) -> Asked:
    """Keep a person's word on a run (`campaign@instant`) and let the run go on. UserError where it may not be said."""
    asked = _asked(stores, source)
    if _is_over(stores, asked):
        raise UserError(f"{source} is over: its messages expired at {asked.expires}.")
    if decision == "approved":
        _must_be_a_second_person(stores, asked.run, by)
    frozen = frozen_list(S3Runs(stores.objects), asked.run, asked.compiled)
    if not frozen.hash.startswith(seen_hash) or frozen.hash != asked.awaiting.hash:
        raise UserError(
            f"{source} has the hash {frozen.hash[:16]}, not {seen_hash or asked.awaiting.hash[:16]}; nothing was decided."
        )
    word = Approval(decision, frozen.hash, by, stores.now(), why)
    leave_trail(
        stores, "approvals", decision, by, why=why, run=source, hash=frozen.hash, targeted=frozen.targeted
    )
    said = S3Runs(stores.objects).decide(asked.run, word)
    if said.decision != decision:
        raise UserError(f"{said.by} {said.decision} {source} at {format_instant(said.at)}; that stays.")
    stores.evaluation.again(CampaignRun(asked.run.campaign, asked.run.occurrence))
    return asked


def frozen_list(runs: S3Runs, run: Run, compiled: Compiled) -> FrozenList:
    """The list as it is in the bucket now, worked out anew. UserError where it is not whole."""
    whole = RunHash(run, compiled)
    for segment in range(run.scan_segments):
        for chunk in _chain(runs, run, segment):
            whole.add(chunk)
    return whole.frozen


def _chain(runs: S3Runs, run: Run, segment: int) -> Iterator[Chunk]:
    number = 0
    while True:
        chunk = runs.chunk(run, segment, number)
        if chunk is None:
            raise UserError(
                f"{run.source} is not frozen as a whole: page {number} of part {segment} is missing."
            )
        yield chunk
        if not chunk.next_key:
            return
        number += 1


def _asked(stores: Stores, source: str) -> Asked:
    campaign, _, instant = source.partition("@")
    runs = S3Runs(stores.objects)
    try:
        run = runs.find(campaign, parse_instant(instant))
    except InstantError:
        raise UserError(f"{source!r} is no run; write it like weekly@2026-11-27T03:00:00Z.") from None
    awaiting = runs.awaiting(run) if run else None
    if run is None or awaiting is None:
        raise UserError(f"{source} does not wait for approval; 'musubi approvals' lists what does.")
    return Asked(run, stores.playbooks.version(run.playbook), awaiting)


def _is_over(stores: Stores, asked: Asked) -> bool:
    return stores.now() >= run_expires_at(asked.run, asked.compiled)


def _must_be_a_second_person(stores: Stores, run: Run, by: str) -> None:
    """Whoever put the run's playbook in force, whenever that was, is no second person."""
    appliers = {entry.by for entry in history(stores.objects) if entry.version == run.playbook}
    if not appliers - {""}:
        raise UserError(
            f"Nobody is noted as having applied version {run.playbook}: apply it once more, then approve."
        )
    if by in appliers:
        raise UserError(f"{by} applied this playbook; somebody else must approve what it sends.")
