"""`python -m infra.app`: the synthesis, under the CDK's command or on its own.

One stack `Musubi`; or, where there is a deployments.yaml, one a LINE account and environment: `Musubi-prod-shop`.

Context: `target` aws (default) or local chooses whom the bundle is built for, and local is always the one stack;
`functions` names the package directory to bundle, `deployments` another file than deployments.yaml. Without the CDK's
command the assembly goes to cdk.out. `budget_usd`: dollars a month for the one stack `Musubi`, as a stack `Musubi-Budget`.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

# Node 20 still serves; its end-of-life banner would fill the screen. Read when the CDK's runtime starts.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_

from infra.budget import BudgetStack
from infra.bundle import AWS, BundleError, build_bundle, platform_of
from infra.contents import CORE, FILES, MEASURE, ROOT
from infra.deployments import DEPLOYMENTS, Deployment, DeploymentsError, read_deployments
from infra.stack import MusubiStack

STACK_NAME = "Musubi"
NOTHING_TO_COMPILE_WITH = (
    f"There is no Python {AWS.version} here to compile the bundles with: cold starts on AWS will take longer. "
    f"`uv python install {AWS.version}` mends that."
)


def build_app(
    outdir: str | None = None, context: Mapping[str, str] | None = None
) -> tuple[cdk.App, list[MusubiStack]]:
    """The app and its stacks, not yet synthesized.

    BundleError where the bundle cannot be built, DeploymentsError where deployments.yaml has faults.
    """
    # The CDK's command reads cdk.json itself; without it the same switches must hold, or the template differs.
    switches = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = cdk.App(outdir=outdir, context=switches | dict(context or {}))
    target = str(app.node.try_get_context("target") or "aws")
    source = app.node.try_get_context("functions") or str(ROOT / "functions")
    bundles = [
        str(build_bundle(platform_of(target), Path(str(source)), contents))
        for contents in (CORE, FILES, MEASURE)
    ]
    file = Path(str(app.node.try_get_context("deployments") or DEPLOYMENTS))
    deployments = None if target == "local" else read_deployments(file)
    if deployments is None:
        _budget(app, STACK_NAME, None if target == "local" else app.node.try_get_context("budget_usd"))
        return app, [_stack(app, bundles, STACK_NAME)]
    for one in deployments.every:
        _budget(app, one.stack, one.budget_usd, one.aws_account)
    return app, [_stack(app, bundles, one.stack, one) for one in deployments.every]


def _budget(app: cdk.App, of: str, usd: int | str | None, aws_account: str | None = None) -> None:
    """The budget's stack beside a deployment's, where a budget is given."""
    if usd is not None:
        BudgetStack(app, f"{of}-Budget", of=of, usd=int(usd), aws_account=aws_account)


def _stack(app: cdk.App, bundles: list[str], name: str, deployment: Deployment | None = None) -> MusubiStack:
    # A Code belongs to one stack; what it is made of is the same file for all, and is uploaded once.
    code, files, measure = (lambda_.Code.from_asset(bundle) for bundle in bundles)
    return MusubiStack(app, name, code=code, files_code=files, measure_code=measure, deployment=deployment)


def main() -> int:
    """Synthesize; 2 and one line where that cannot be done."""
    try:
        app, _ = build_app(os.environ.get("CDK_OUTDIR", "cdk.out"))
    except (BundleError, DeploymentsError) as error:
        print(error, file=sys.stderr)  # noqa: T201 (this module is a command)
        return 2
    if AWS.compiler() is None:
        print(NOTHING_TO_COMPILE_WITH, file=sys.stderr)  # noqa: T201
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
