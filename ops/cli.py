"""The `musubi` command. Mistakes get one clear line on standard error and exit code 2."""

import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from ops.errors import UserError

_COMMANDS = {
    "accounts": (
        "ops.setting_up.listing",
        "accounts",
        "List the accounts of the deployment file, and where each one's webhooks go.",
    ),
    "alerts": ("ops.reports.alerts_command", "alerts", "What was off, day by day, and what to do about it."),
    "apply": ("ops.applying", "apply", "Check a playbook and put it in force, or the version before it."),
    "approvals": ("ops.approving", "approvals", "List the campaigns that wait for a second person."),
    "approve": (
        "ops.approving",
        "approve",
        "Let a campaign go that waits for a second person, or reject it.",
    ),
    "audit": ("ops.auditing", "audit", "Hold kept segment memberships against a full recompute."),
    "backups": (
        "ops.backups.command",
        "backups",
        "Keep the tables aside, and put them back after a loss: nothing lost, nothing said twice.",
    ),
    "blocks": ("ops.stopping", "blocks", "List what is stopped, since when, by whom and why."),
    "check": ("ops.check", "check", "Find every fault of a playbook, as file:line: what, why, how to mend."),
    "context": (
        "ops.context",
        "context",
        "Say what is true beside the customers: weather, rankings, a quiet day.",
    ),
    "cost": (
        "ops.cost.command",
        "cost",
        "What a month costs: AWS's services, LINE's fee, and what dominates.",
    ),
    "customer": (
        "ops.operating",
        "customer",
        "Show one customer: links, consent, segments, journeys, sends.",
    ),
    "dlq": ("ops.dlq.command", "dlq", "Dead letters: what failed, why, and send it back safely."),
    "doctor": (
        "ops.doctor.command",
        "doctor",
        "Say what is missing on this machine or in a deployment, and how to mend it.",
    ),
    "erase": (
        "ops.erasing.command",
        "erase",
        "Erase a person from everything that is kept, with a signed proof.",
    ),
    "evaluate": ("ops.evaluate", "evaluate", "Count every segment over a file of events, offline."),
    "export": ("ops.exporting.command", "export", "Everything that is held of one person, as JSON."),
    "explain": ("ops.explain.command", "explain", "Say why a customer got, or did not get, each message."),
    "import": ("ops.operating", "import_history", "Import past events; no journey starts from them."),
    "init": (
        "ops.setting_up.command",
        "init",
        "Make a new account's configuration: its entry in deployments.yaml, and a playbook.",
    ),
    "kpis": ("ops.kpis", "kpis", "What each KPI means, and what it is computed by."),
    "links": (
        "ops.links.command",
        "links",
        "Who is who: links that wait for a decision, their audit, and undoing one.",
    ),
    "local": ("ops.local.commands", "local", "AWS, LINE and time on this machine: up, clock, down."),
    "models": ("ops.models.command", "models", "Judge, fit and show the models that scores are made with."),
    "measure": (
        "ops.measuring",
        "measure",
        "Merge the facts that have come in and measure a day, or the days that were missed.",
    ),
    "plan": (
        "ops.plan.command",
        "plan",
        "Forecast what a playbook would send in the coming days, and its cost.",
    ),
    "quota": ("ops.quota", "quota", "Show what is left of the month's messages and yen, and of budgets."),
    "rejects": (
        "ops.rejects.command",
        "rejects",
        "Events that were not taken in: why, mended, and put in again.",
    ),
    "report": (
        "ops.reports.command",
        "report",
        "The day's health, the week's review, the month for management: HTML, JSON or CSV.",
    ),
    "resume": ("ops.stopping", "resume", "Lift a stop, and bring back what waited for it."),
    "schema": ("ops.schema", "schema", "The JSON Schemas of a playbook's files, for editors."),
    "sends": ("ops.sends", "sends", "Show what became of every targeted message, live, and who was missed."),
    "sources": (
        "ops.sources",
        "sources",
        "List the sources of data: how complete they are, their last files, why what needs them waits.",
    ),
    "stop": ("ops.stopping", "stop", "Send nothing more: of the account, a scenario, a campaign, a kind."),
    "tag": ("ops.tags.command", "tag", "Give tags by hand, take them away, and say who gave them."),
    "unknown": (
        "ops.unknown.command",
        "unknown",
        "List messages that may have arrived, and say what became of them.",
    ),
    "versions": ("ops.applying", "versions", "List the playbook versions that were put in force."),
}
"""Command → where it is defined, and what it does in a line. Each is imported only when it is called."""


class _Commands(click.Group):
    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, _, told) in sorted(_COMMANDS.items())])

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="musubi-line", prog_name="musubi")
def musubi() -> None:
    """Musubi: LINE × CRM lifecycle messaging. The right message to the right person, never twice."""


def _fail(message: str) -> NoReturn:
    click.echo(f"musubi: {message}", err=True)
    sys.exit(2)


def _fail_if_refused(error: Exception, arguments: Sequence[str]) -> None:
    from ops.refused import refusal_of  # noqa: PLC0415 (only who was refused waits for botocore)

    if told := refusal_of(error, arguments):
        _fail(told)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; never returns but by SystemExit."""
    try:
        given = list(arguments) if arguments is not None else None
        code = musubi.main(args=given, prog_name="musubi", standalone_mode=False)
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "musubi"
        _fail(f"{error.format_message()} (see '{path} --help')")
    except click.ClickException as error:
        _fail(error.format_message())
    except click.Abort:
        _fail("stopped")
    except UserError as error:
        _fail(str(error))
    except Exception as error:
        _fail_if_refused(error, sys.argv[1:] if arguments is None else arguments)
        raise
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
