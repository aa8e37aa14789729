"""`musubi init`."""

import shutil
from pathlib import Path
from typing import Final

import click

from infra.bundle import ROOT
from infra.deployments import DEPLOYMENTS, Deployment, DeploymentsError, read_deployments
from ops.errors import UserError
from ops.setting_up.entry import NewAccount, with_entry
from ops.setting_up.webhooks import deployed

READY: Final = ("b2b", "ec", "property", "store")
TOKYO: Final = "ap-northeast-1"


@click.command()
@click.argument("name", metavar="ENVIRONMENT/ACCOUNT")
@click.option("--channel", required=True, help="The Messaging API channel's id, from LINE's console.")
@click.option(
    "--playbook",
    "ready",
    type=click.Choice(READY),
    default="ec",
    show_default=True,
    help="The ready playbook that a new account begins with.",
)
@click.option("--provider", help="LINE's provider, as you name it  [default: the account's name]")
@click.option("--aws-account", help="Twelve digits: the environment is deployed into no other.")
@click.option("--region", default=TOKYO, show_default=True, help="Where a new environment goes.")
@click.option(
    "--file", type=click.Path(path_type=Path, dir_okay=False), default=DEPLOYMENTS,
    help="The deployment file  [default: deployments.yaml]",
)  # fmt: skip
def init(
    name: str,
    channel: str,
    ready: str,
    provider: str | None,
    aws_account: str | None,
    region: str,
    file: Path,
) -> None:
    """Make a new account's configuration: its entry in deployments.yaml and a playbook to make one's own.

    Nothing that is there is written over. ENVIRONMENT/ACCOUNT is such as prod/shop.
    """
    environment, _, account = name.partition("/")
    if not account:
        raise UserError(f"{name!r} names no account; write ENVIRONMENT/ACCOUNT, such as prod/shop.")
    playbook = f"playbooks/{account}"
    new = NewAccount(
        environment=environment, account=account, channel=channel, provider=provider or account,
        playbook=playbook, aws_account=aws_account, region=region,
    )  # fmt: skip
    made = begun(new, ROOT / "playbooks" / ready, file)
    click.echo(next_steps(made, file))


def begun(new: NewAccount, ready: Path, file: Path) -> Deployment:
    """Write both, or neither. UserError where something is there already, or the file would have faults."""
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    text = with_entry(before, new)
    folder, is_new = file.parent / new.playbook, not _has_account(file, new.account)
    if is_new and folder.exists() and folder.resolve() != ready.resolve():
        raise UserError(f"{folder} is there already, and stays as it is: take another name, or move it away.")
    copied = is_new and not folder.exists()
    if copied:
        shutil.copytree(ready, folder)
    try:
        return _written(file, before, text, new.name)
    except DeploymentsError as error:
        if copied:
            shutil.rmtree(folder)
        raise UserError(f"Nothing was written: {error}") from None


def _has_account(file: Path, account: str) -> bool:
    try:
        read = read_deployments(file)
    except DeploymentsError as error:
        raise UserError(f"Mend the file first: {error}") from None
    return read is not None and account in read.providers


def _written(file: Path, before: str, text: str, name: str) -> Deployment:
    """The file with this text, checked as it is read; as it was before where that shows a fault."""
    file.write_text(text, encoding="utf-8")
    try:
        read = read_deployments(file)
        assert read is not None
        return read.named(name)
    except DeploymentsError:
        if before:
            file.write_text(before, encoding="utf-8")
        else:
            file.unlink()
        raise


def next_steps(one: Deployment, file: Path) -> str:
    """What to do now; with the webhook's address where the stack stands already."""
    told = deployed(one)
    deploy = [
        f"  npx cdk deploy {one.stack} --no-previous-parameters",
        "  musubi accounts                                # its webhook address, to paste into LINE's console",
    ]
    lines = [
        f"{one.name}: stack {one.stack}, playbook {one.playbook}, in {file.name}. Next:",
        f"  musubi check {one.playbook}",
        *([] if told.webhook_url else deploy),
        "  aws secretsmanager put-secret-value --secret-id <SecretLine> \\",
        '    --secret-string \'{"channel_secret": "…", "channel_access_token": "…"}\'',
        f"  musubi apply {one.playbook} --account {one.name}",
        f"  musubi doctor --account {one.name}",
    ]
    if told.webhook_url:
        lines.append(
            f'Paste into LINE\'s console, and switch on "Use webhook" and redelivery: {told.webhook_url}'
        )
    return "\n".join(lines)
