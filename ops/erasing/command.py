"""`musubi erase`: what would go, then the erasure itself, how far it is, and its proof."""

import json
import secrets
from pathlib import Path
from typing import Any

import click

from functions.domain.erasure import Erasure, Person
from ops.callers import caller_of
from ops.deployment import FORMAT, deployment_options, target_of
from ops.erasing.flow import Erase, ages_of, behind_of, erasure_id_of, settle_seconds_of
from ops.erasing.keeping import is_genuine, key_of
from ops.erasing.people import person_of
from ops.errors import UserError
from ops.stores import Stores


@click.command()
@click.argument("identifier", metavar="[CUSTOMER]", required=False)
@click.option(
    "--confirm", "code", metavar="CODE", default="", help="Erase: the code that the first look gave."
)
@click.option("--why", metavar="TEXT", default="", help="Whose wish it is; kept in the proof. Name nobody.")
@click.option("--without", metavar="ID", multiple=True, help="An id that is somebody else's in truth.")
@click.option(
    "--resume", metavar="ID", default="", help="Go on with an erasure that was interrupted or waits."
)
@click.option("--status", is_flag=True, help="How far each erasure is, and what it waits for.")
@click.option("--proof", metavar="ID", default="", help="Print the proof of an erasure that is done.")
@click.option(
    "--verify", metavar="FILE", type=click.Path(path_type=Path), help="Say whether a proof is genuine."
)
@click.option(
    "--wait", "patience", metavar="SECONDS", type=click.FloatRange(0), default=60.0, show_default=True,
    help="How long to wait for queues and workers before it is left to --resume.",
)  # fmt: skip
@FORMAT
@deployment_options
def erase(
    identifier: str | None, code: str, why: str, without: tuple[str, ...], resume: str,
    status: bool,  # noqa: FBT001 — click passes options by name
    proof: str, verify: Path | None, patience: float, form: str, stack: str | None, state: Path,
) -> None:  # fmt: skip
    """Erase a person (a customer id or a LINE user id): from every table, dead letter and object version.

    \b
    musubi erase C1                         what would go; nothing is changed
    musubi erase C1 --confirm CODE --why …  erase; it cannot be taken back
    musubi erase --status                   how far, and what it waits for
    musubi erase --resume ID                go on
    musubi erase --proof ID                 the signed proof

    Nothing is sent to the person from the first moment on. What stays is a keyed hash of each id, by which events,
    imports and webhooks of the person are known and dropped.
    """
    asked = [bool(one) for one in (identifier, resume, status, proof, verify)]
    if sum(asked) != 1:
        raise UserError("Say one of CUSTOMER, --resume, --status, --proof and --verify.")
    if identifier is None and (code or why or without):
        raise UserError("--confirm, --why and --without go with CUSTOMER.")
    stores = Stores(target_of(stack, state))
    flow = Erase(stores, settle_seconds_of(stores), age_of=ages_of(stores), behind=behind_of(stores))
    if status:
        _show_status(flow, form)
    elif proof:
        _show_proof(flow, proof)
    elif verify:
        _verify(stores, verify)
    elif resume:
        _run(flow, _open(flow, resume), patience, form)
    else:
        _one(flow, str(identifier), code, why, without, patience, form)


def _one(
    flow: Erase, identifier: str, code: str, why: str, without: tuple[str, ...], patience: float, form: str
) -> None:
    person = person_of(flow.stores, identifier, secrets.token_hex(16), without)
    if person is None:
        raise UserError(
            f"Nobody is known as {identifier!r}; see 'musubi erase --status' for erasures under way."
        )
    if not code:
        _preview(flow, person, form)
        return
    if code != flow.code(person):
        raise UserError(f"{code} is not the code of these ids; look again: 'musubi erase {identifier}'.")
    if not why.strip():
        raise UserError("--why: say whose wish it is; whoever audits this will ask.")
    erasure_id = erasure_id_of(flow.stores.now(), secrets.token_hex(4))
    _run(flow, flow.begin(person, caller_of(flow.stores.target), why.strip(), erasure_id), patience, form)


def _preview(flow: Erase, person: Person, form: str) -> None:
    counts, waits = flow.preview(person)
    told: dict[str, Any] = {
        "ids": sorted(person.ids),
        "would_remove": dict(sorted(counts.items())),
        "waits": waits,
    }
    if form == "json":
        click.echo(json.dumps({**told, "code": flow.code(person)}, ensure_ascii=False))
        return
    click.echo("Known as " + ", ".join(told["ids"]) + ".")
    for place, count in told["would_remove"].items():
        click.echo(f"  {place}: {count:,}")
    for why in waits:
        click.echo(f"  would wait for {why}")
    click.echo(
        "Nothing was changed. An id that is somebody else's: --without ID. To erase, for good: "
        f"--confirm {flow.code(person)} --why TEXT"
    )


def _run(flow: Erase, erasure: Erasure, patience: float, form: str) -> None:
    again = f"'musubi erase --resume {erasure.erasure_id}' goes on"
    try:
        erasure = flow.run(erasure, patience)
    except KeyboardInterrupt:
        raise UserError(f"Interrupted; {again}.") from None
    if form == "json":
        click.echo(json.dumps(_told(erasure), ensure_ascii=False))
    elif erasure.stage == "done":
        removed = ", ".join(f"{place} {count:,}" for place, count in erasure.counts.items()) or "nothing"
        click.echo(f"Erased: {removed}. 'musubi erase --proof {erasure.erasure_id}' prints the proof.")
    else:
        click.echo(f"Suppressed: nothing is sent any more. It is not done yet, and {again}; it waits for:")
        for why in erasure.waits:
            click.echo(f"  {why}")
    click.get_current_context().exit(0 if erasure.stage == "done" else 1)


def _told(erasure: Erasure) -> dict[str, Any]:
    return {
        "erasure": erasure.erasure_id,
        "stage": erasure.stage,
        "removed": erasure.counts,
        "waits": erasure.waits,
    }


def _open(flow: Erase, erasure_id: str) -> Erasure:
    found = flow.kept.find(erasure_id)
    if found is None:
        done = " is done" if flow.kept.proof(erasure_id) else ": there is no such erasure"
        raise UserError(f"{erasure_id}{done}; 'musubi erase --status' lists them.")
    return found


def _show_status(flow: Erase, form: str) -> None:
    told = [_told(one) for one in flow.kept.open()]
    told += [
        {"erasure": one["erasure"], "stage": "done", "removed": one["removed"], "waits": []}
        for one in flow.kept.proofs()
    ]
    if form == "json":
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for one in told:
        click.echo(
            f"{one['erasure']}  {one['stage']}" + "".join(f"\n  waits for {why}" for why in one["waits"])
        )
    if not told:
        click.echo("Nobody was erased.")


def _show_proof(flow: Erase, erasure_id: str) -> None:
    found = flow.kept.proof(erasure_id)
    if found is None:
        raise UserError(f"{erasure_id} has no proof: it is not done, or there is no such erasure (--status).")
    click.echo(json.dumps(found, ensure_ascii=False, indent=2))


def _verify(stores: Stores, file: Path) -> None:
    try:
        proof = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UserError(f"{file} is no proof that can be read.") from None
    if not isinstance(proof, dict) or not is_genuine(proof, key_of(stores)):
        raise UserError(f"{file} was not signed by this deployment, or was changed since.")
    click.echo(f"Genuine: erasure {proof['erasure']}, done at {proof['done_at']}.")
